"""One address, asked politely: only for what changed, within bounds of time and size, never led elsewhere.

In comes an HTTP client, out come bodies, or None where the server says that nothing is new, or one `FetchError`.
TLS is checked for `https://`; a redirection is an error that names where to, for a person to write down.
"""

import asyncio
import io
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import BinaryIO, Final

import httpx

from cloud_api.feeds.xml_trees import LARGEST

WHOLE_S: Final = 30.0
"""For one answer from the first byte sent to the last byte read, however slowly they drip."""
DOWNLOAD_S: Final = 600.0
"""For a national export, read in the background."""
TIMEOUTS: Final = httpx.Timeout(10.0, connect=5.0)
DOWNLOAD_TIMEOUTS: Final = httpx.Timeout(60.0, connect=10.0)
"""For what a person waits for: a national export takes its time."""
PLAIN: Final = {"accept-encoding": "identity", "user-agent": "passerelle"}
LONGEST_WAIT_S: Final = 3600.0
"""However long a server asks us to stay away."""
BUSY: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class FetchError(Exception):
    """An attempt that brought nothing: why, and how long the server asks us to stay away."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        self.wait_s = wait_s
        super().__init__(reason)


def new_client() -> httpx.AsyncClient:
    """A client for all feeds of one process."""
    return httpx.AsyncClient(timeout=TIMEOUTS, follow_redirects=False, trust_env=False)


class Address:
    """Guards that a body is asked for again only when the server says that it changed."""

    def __init__(self, client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> None:
        self._client = client
        self._url = url
        self._headers = {**PLAIN, **headers}
        self._validators: dict[str, str] = {}

    async def fetch(self, largest: int = LARGEST) -> bytes | None:
        """The body, at most `largest` bytes; None when it is the one of last time. Raises `FetchError`."""
        body = io.BytesIO()
        return body.getvalue() if await self.fetch_into(body, largest) else None

    async def fetch_into(self, body: BinaryIO, largest: int, *, whole_s: float = WHOLE_S) -> bool:
        """Write the body as it comes; False, and nothing, when it is the one of last time. Raises `FetchError`."""
        try:
            async with asyncio.timeout(whole_s):
                return await self._ask(body, largest)
        except TimeoutError as error:
            raise FetchError(f"no whole answer within {whole_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(f"{type(error).__name__}: {error}") from error

    def forget(self) -> None:
        """Ask for the whole body next time: the last one could not be read."""
        self._validators = {}

    async def _ask(self, body: BinaryIO, largest: int) -> bool:
        async with self._client.stream("GET", self._url, headers={**self._headers, **self._validators}) as answer:
            if answer.status_code == HTTPStatus.NOT_MODIFIED and self._validators:
                return False
            _refuse(answer)
            async for chunk in answer.aiter_raw():
                _write(body, chunk, largest)
            self._remember(answer)
            return True

    def _remember(self, answer: httpx.Response) -> None:
        validators = {"if-none-match": "etag", "if-modified-since": "last-modified"}
        told = {ours: answer.headers.get(theirs) for ours, theirs in validators.items()}
        self._validators = {name: value for name, value in told.items() if value}


def download(url: str, into: BinaryIO, largest: int) -> None:
    """The body at an address, at most `largest` bytes, written as it comes. Raises `FetchError`."""
    try:
        with httpx.stream("GET", url, headers=PLAIN, timeout=DOWNLOAD_TIMEOUTS, trust_env=False) as answer:
            _refuse(answer)
            for chunk in answer.iter_raw():
                _write(into, chunk, largest)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchError(f"{type(error).__name__}: {error}") from error


def _write(body: BinaryIO, chunk: bytes, largest: int) -> None:
    body.write(chunk)
    if body.tell() > largest:
        raise FetchError(f"the answer is larger than {largest} bytes")


def _refuse(answer: httpx.Response) -> None:
    """Raise `FetchError` for whatever is no plain answer."""
    status = answer.status_code
    if answer.has_redirect_location:
        raise FetchError(
            f"moved to {answer.headers['location'][:200]}; write that address down if it is the operator’s"
        )
    if status != HTTPStatus.OK:
        wait_s = _wait_s(answer.headers.get("retry-after", ""), datetime.now(UTC)) if status in BUSY else 0.0
        raise FetchError(f"status {status}", wait_s)
    encoding = answer.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise FetchError(f"content-encoding {encoding!r}; identity expected, as asked")


def _wait_s(retry_after: str, now: datetime) -> float:
    if retry_after.isdecimal():
        return min(float(retry_after), LONGEST_WAIT_S)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    aware = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return min(max(0.0, (aware - now).total_seconds()), LONGEST_WAIT_S)
