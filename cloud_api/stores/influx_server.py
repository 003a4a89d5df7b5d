"""HTTP to one InfluxDB server: its answers as rows, its complaints as errors.

It speaks `/write` and `/query` with Basic authentication, the one surface that 1.x, 2.x and 3 serve alike. Nothing is
buffered, nothing is tried twice.
"""

from base64 import b64encode
from typing import Generic, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3
from msgspec import Struct, field

from cloud_api.stores.address import InfluxAddress
from cloud_api.stores.base import StoreError

CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 30

Row = TypeVar("Row")


class Series(Struct, Generic[Row]):
    """Rows that share their tags."""

    values: list[Row] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


class Result(Struct, Generic[Row]):
    """What one statement brings."""

    series: list[Series[Row]] = field(default_factory=list)
    error: str = ""
    partial: bool = False


class Answer(Struct, Generic[Row]):
    """The body of an answer to a query."""

    results: list[Result[Row]]


class _Complaint(Struct):
    """The body of an answer that is not 2xx: 1.x and 3 say `error`, 2.x `message`."""

    error: str = ""
    message: str = ""


_COMPLAINT = msgspec.json.Decoder(_Complaint)
_CREATED = msgspec.json.Decoder(Answer[tuple[()]])
_REFUSALS = (400, 422)
"""To lines that it will not take: 1.x and 3 say 400, 2.x says 422 once it has understood them."""
_OPERATORS_FAULTS = ("limit exceeded", "beyond retention policy", "outside retention policy")
"""What a server refuses for the way it is set up: no fault of the fact's, so it is kept and tried again."""


class NoDatabaseError(StoreError):
    """The server is up and has no such database."""


class RefusedError(Exception):
    """The server will not take some of the lines, for what is in them."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class InfluxServer:
    """HTTP to one InfluxDB server; may be used by several threads."""

    def __init__(self, address: InfluxAddress) -> None:
        self.address = address
        host = f"[{address.host}]" if ":" in address.host else address.host
        self._url = f"{'https' if address.tls else 'http'}://{host}:{address.port}"
        self._http = urllib3.PoolManager(
            headers=_credentials(address),
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=ANSWER_TIMEOUT_S),
            retries=False,
            maxsize=4,
            ca_certs=None if address.ca_file is None else str(address.ca_file),
        )

    def write(self, lines: str) -> None:
        """Commit lines whose times are nanoseconds. Raises `NoDatabaseError`, `RefusedError` or `StoreError`."""
        query = urlencode({"db": self.address.database, "precision": "ns"})
        status, body = self.request("POST", f"/write?{query}", lines.encode())
        if 200 <= status < 300:
            return
        complaint = complaint_of(body)
        if status == 404:
            raise NoDatabaseError(f"{self.address}: {complaint}")
        if status in _REFUSALS and not any(fault in complaint for fault in _OPERATORS_FAULTS):
            raise RefusedError(complaint)
        raise StoreError(f"{self.address}: answered {status} to a write: {complaint}")

    def query(
        self, statement: str, decoder: msgspec.json.Decoder[Answer[Row]], *, epoch: str = "u"
    ) -> list[Series[Row]]:
        """The series that one reading statement brings, times in microseconds, or as `epoch` says (`ns`).

        Raises `NoDatabaseError` or `StoreError`.
        """
        query = urlencode({"db": self.address.database, "epoch": epoch, "q": statement})
        return self._series(*self.request("GET", f"/query?{query}"), decoder)

    def create(self, statement: str) -> None:
        """Run one statement that changes the server. Raises `StoreError`."""
        self._series(*self.request("POST", f"/query?{urlencode({'q': statement})}"), _CREATED)

    def delete(self, statement: str) -> None:
        """Run one statement that takes points of our database away. Raises `StoreError`."""
        query = urlencode({"db": self.address.database, "q": statement})
        self._series(*self.request("POST", f"/query?{query}"), _CREATED)

    def version(self) -> str:
        """What the server says it is (`1.6.7`, `v2.7.1`). Raises `StoreError`."""
        try:
            answer = self._http.request("GET", f"{self._url}/ping")
        except urllib3.exceptions.HTTPError as error:
            raise StoreError(f"{self.address}: {error}") from error
        return str(answer.headers.get("X-Influxdb-Version", ""))

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """The status and body that the server answers. Raises `StoreError`."""
        try:
            answer = self._http.request(method, self._url + path, body=body)
        except urllib3.exceptions.HTTPError as error:
            raise StoreError(f"{self.address}: {error}") from error
        return answer.status, answer.data

    def _series(self, status: int, body: bytes, decoder: msgspec.json.Decoder[Answer[Row]]) -> list[Series[Row]]:
        if status != 200:
            raise StoreError(f"{self.address}: answered {status} to a query: {complaint_of(body)}")
        try:
            results = decoder.decode(body).results
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"{self.address}: answered a query with something else: {error}") from error
        for result in results:
            if result.error.startswith("database not found"):
                raise NoDatabaseError(f"{self.address}: {result.error}")
            if result.error or result.partial:
                raise StoreError(f"{self.address}: {result.error or 'cut an answer short (max-row-limit)'}")
        return [series for result in results for series in result.series]


def _credentials(address: InfluxAddress) -> dict[str, str]:
    if not address.user:
        return {}
    pair = f"{address.user}:{address.password}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def complaint_of(body: bytes) -> str:
    """What the server says is wrong, as one line."""
    try:
        complaint = _COMPLAINT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body[:200].decode(errors="replace").strip() or "no reason given"
    return complaint.error or complaint.message or "no reason given"
