"""The production store: facts go to an InfluxDB server as line protocol, hours come back by InfluxQL.

It speaks `/write` and `/query` with Basic authentication, the one surface that 1.x, 2.x and 3 serve alike. A part's
timestamp is its start plus `part` nanoseconds, so that two parts never share a point. Nothing is buffered, nothing is
tried twice: what failed is still with who wrote it.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Generic, TypedDict, TypeVar
from urllib.parse import unquote, urlencode

import msgspec
import urllib3
from influxdb_client.client.write.point import Point
from msgspec import Struct, field

from cloud_api.stores.address import InfluxAddress
from cloud_api.stores.base import (
    HOUR_S,
    Channel,
    Correction,
    CorrectionCause,
    Fact,
    Hour,
    Passed,
    RefusedFactError,
    SpaceChange,
    Store,
    StoredFlow,
    StoredSpace,
    StoreError,
    from_microseconds,
    from_seconds,
    raise_refusals,
    sift,
    to_microseconds,
    whole_hours,
)
from edge.messages import Flag, SpaceState, TimeSource

CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 30
LINES_PER_WRITE = 5_000
"""The size that InfluxData advises for a batch."""
CHANNELS_PER_QUERY = 50
HOURS_PER_QUERY = 31 * 24
"""What one query may ask for, so that none runs into the timeout."""
SHARDS_LAST = "4w"
"""An hourly sum over a year then opens 13 shards of the server's, not 52."""

_Row = TypeVar("_Row")
_Line = tuple[Fact, str]


class InfluxStore(Store):
    """History on a server. Guards one invariant: all points of a database are kept for ever."""

    def __init__(self, address: InfluxAddress) -> None:
        """Contacts nobody yet."""
        self._server = _Server(address)
        self._prepared = False

    def write(self, facts: Sequence[Fact]) -> None:
        """Commit all facts, batch by batch."""
        self._prepare()
        sound, refusals = sift(facts)
        lines = [(fact, _line(fact)) for fact in sound]
        for first in range(0, len(lines), LINES_PER_WRITE):
            refusals += self._write(lines[first : first + LINES_PER_WRITE])
        raise_refusals(refusals)

    def hours(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Hour]:
        """Hours summed by the server from all parts."""
        self._prepare()
        wanted = whole_hours(start, end)
        names = sorted(set(channels))
        return sorted(
            (
                hour
                for first in range(0, len(names), CHANNELS_PER_QUERY)
                for at in range(0, len(wanted), HOURS_PER_QUERY)
                for hour in self._hours(names[first : first + CHANNELS_PER_QUERY], wanted[at : at + HOURS_PER_QUERY])
            ),
            key=lambda hour: (hour.channel, hour.start),
        )

    def channels(self) -> list[Channel]:
        """Every channel that ever had a part, in order."""
        self._prepare()
        return sorted(_channel(series.tags) for series in self._server.query(_CHANNELS, _PARTS))

    def last_states(self) -> list[StoredSpace]:
        """The newest state of every (device, channel), in order."""
        self._prepare()
        states = [
            _stored_space(series.tags, row)
            for series in self._server.query(_LAST_STATES, _STATES)
            for row in series.values
        ]
        return sorted(states, key=lambda stored: (stored.state.device, stored.state.channel))

    def changes(self, devices: Sequence[str], start: datetime, end: datetime) -> list[SpaceChange]:
        """Distinct moments of change, found by the server."""
        self._prepare()
        names = sorted(set(devices))
        return sorted(
            SpaceChange(
                device=unquote(series.tags["device"]),
                channel=unquote(series.tags["channel"]),
                at=from_microseconds(since),
                occupied=occupied,
            )
            for first in range(0, len(names), CHANNELS_PER_QUERY)
            for occupied in (False, True)
            for series in self._server.query(
                _changes_query(names[first : first + CHANNELS_PER_QUERY], start, end, occupied=occupied), _SINCE
            )
            for _, since in series.values
            if since >= to_microseconds(start)
        )

    def intervals(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Passed]:
        """Parts as the server has them, summed here: their times differ by nanoseconds."""
        self._prepare()
        names = sorted(set(channels))
        sums: dict[tuple[Channel, int], tuple[int, int | None]] = {}
        for first in range(0, len(names), CHANNELS_PER_QUERY):
            statement = _intervals_query(names[first : first + CHANNELS_PER_QUERY], start, end)
            for series in self._server.query(statement, _COUNTS):
                for at, in_, out in series.values:
                    key = (_channel(series.tags), at // 1_000_000)
                    sums[key] = _add(sums.get(key, (0, None)), in_, out)
        return [
            Passed(channel=channel, start=from_seconds(at), in_=in_, out=out)
            for (channel, at), (in_, out) in sorted(sums.items())
        ]

    def correct(self, corrections: Sequence[Correction]) -> None:
        """Commit all corrections."""
        self._prepare()
        if not corrections:
            return
        lines = [str(Point.from_dict(dict(_correction_point(each))).to_line_protocol()) for each in corrections]
        try:
            self._server.write("\n".join(lines))
        except _RefusedError as error:
            raise StoreError(f"{self._server.address}: refuses a correction: {error.reason}") from error

    def corrections(self, place: str, start: datetime, end: datetime) -> list[Correction]:
        """The corrections of one car park."""
        self._prepare()
        wanted = f'{_between(start, end)} AND "place" = {_literal(_tag(place))}'
        statement = " ".join(('SELECT "occupied", "cause", "counted", "note" FROM "correction"', f"WHERE {wanted}"))
        return [
            _correction(place, row) for series in self._server.query(statement, _CORRECTIONS) for row in series.values
        ]

    def ready(self) -> None:
        """Return when the server answers and has our database, which is created where it is missing."""
        database = self._server.address.database
        try:
            policies = self._policies()
        except _NoDatabaseError:
            self._server.create(f'CREATE DATABASE "{database}" WITH DURATION INF SHARD DURATION {SHARDS_LAST}')
            policies = self._policies()
        default = next((policy for policy in policies if policy.default), None)
        if default is None or default.duration != _FOR_EVER:
            kept = "nothing" if default is None else f"points for {default.duration} only"
            raise StoreError(
                f"{self._server.address}: keeps {kept}: ALTER its default RETENTION POLICY to DURATION INF"
            )
        self._prepared = True

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _prepare(self) -> None:
        if not self._prepared:
            self.ready()

    def _policies(self) -> "list[_Policy]":
        statement = f'SHOW RETENTION POLICIES ON "{self._server.address.database}"'
        return [policy for series in self._server.query(statement, _POLICIES) for policy in series.values]

    def _write(self, lines: list[_Line]) -> list[RefusedFactError]:
        """Write one batch; where the server objects, halve it until only the facts it objects to are left."""
        try:
            self._server.write("\n".join(line for _, line in lines))
        except _NoDatabaseError:
            self._prepared = False
            raise
        except _RefusedError as error:
            if len(lines) == 1:
                return [RefusedFactError(lines[0][0], error.reason)]
            half = len(lines) // 2
            return self._write(lines[:half]) + self._write(lines[half:])
        return []

    def _hours(self, channels: Sequence[Channel], wanted: range) -> Iterator[Hour]:
        statement = " ".join(
            (
                f'{_SELECT_SUMS} FROM "flow"',
                f"WHERE time >= {wanted.start}s AND time < {wanted.stop}s",
                f"AND ({' OR '.join(_is_channel(channel) for channel in channels)})",
                'GROUP BY time(1h), "device", "channel", "mode" fill(none)',
            )
        )
        for series in self._server.query(statement, _HOURS):
            channel = _channel(series.tags)
            yield from (_hour(channel, row) for row in series.values)


# Facts as line protocol


class _Point(TypedDict):
    """A point as influxdb-client takes it: what is None or empty is left out, time is in nanoseconds."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, str | bool | int | None]
    time: int


def _line(fact: Fact) -> str:
    point = _flow_point(fact) if isinstance(fact, StoredFlow) else _space_point(fact)
    return str(Point.from_dict(dict(point)).to_line_protocol())


def _flow_point(fact: StoredFlow) -> _Point:
    interval = fact.interval
    return {
        "measurement": "flow",
        "tags": {
            "gateway": _tag(fact.gateway),
            "epoch": _tag(fact.epoch),
            "device": _tag(interval.device),
            "channel": _tag(interval.channel),
            "mode": _tag(interval.mode),
        },
        "fields": {
            "in": interval.in_,
            "out": interval.out,
            "covered_s": interval.covered_s,
            "seconds": interval.seconds,
            "source": str(interval.source),
            "parts": 1,
            **{_flag_field(flag): 1 for flag in interval.flags},
        },
        "time": to_microseconds(interval.start) * 1000 + interval.part,
    }


def _space_point(fact: StoredSpace) -> _Point:
    state = fact.state
    return {
        "measurement": "space",
        "tags": {"device": _tag(state.device), "channel": _tag(state.channel)},
        "fields": {
            "occupied": state.occupied,
            "since": None if state.since is None else to_microseconds(state.since),
            "source": str(state.source),
            "gateway": fact.gateway,
        },
        "time": to_microseconds(state.at) * 1000,
    }


def _correction_point(correction: Correction) -> _Point:
    return {
        "measurement": "correction",
        "tags": {"place": _tag(correction.place)},
        "fields": {
            "occupied": correction.occupied,
            "cause": str(correction.cause),
            "counted": correction.counted,
            "note": correction.note,
        },
        "time": to_microseconds(correction.at) * 1000,
    }


def _flag_field(flag: Flag) -> str:
    return f"flag_{flag}"


_UNSAFE_IN_TAGS = re.compile(r"[%\\\x00-\x1f\x7f]")


def _tag(value: str) -> str:
    """A name with what line protocol cannot carry (backslashes, control characters) percent-encoded."""
    return _UNSAFE_IN_TAGS.sub(lambda match: f"%{ord(match[0]):02X}", value)


# InfluxQL and the rows it brings

_SELECT_SUMS = "SELECT " + ", ".join(
    f'sum("{name}")' for name in ("in", "out", "covered_s", "parts", *map(_flag_field, Flag))
)
_CHANNELS = 'SELECT last("parts") FROM "flow" GROUP BY "device", "channel", "mode"'
_LAST_STATES = (
    'SELECT "occupied", "since", "source", "gateway" FROM "space" '
    'GROUP BY "device", "channel" ORDER BY time DESC LIMIT 1'
)
_FOR_EVER = "0s"

_Sum = int | None
_HourRow = tuple[int, int, _Sum, int, int, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum]
"""Start, in, out, covered_s, parts, and one sum a flag."""
_StateRow = tuple[int, bool, int | None, str, str]
_PartRow = tuple[int, int]
_CountRow = tuple[int, int, int | None]
_CorrectionRow = tuple[int, int, str, int | None, str]


class _Policy(Struct, array_like=True):
    name: str
    duration: str
    shard_duration: str
    replicas: int
    default: bool


class _Series(Struct, Generic[_Row]):
    values: list[_Row] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


class _Result(Struct, Generic[_Row]):
    series: list[_Series[_Row]] = field(default_factory=list)
    error: str = ""
    partial: bool = False


class _Answer(Struct, Generic[_Row]):
    results: list[_Result[_Row]]


_HOURS = msgspec.json.Decoder(_Answer[_HourRow])
_PARTS = msgspec.json.Decoder(_Answer[_PartRow])
_STATES = msgspec.json.Decoder(_Answer[_StateRow])
_SINCE = msgspec.json.Decoder(_Answer[_PartRow])
_COUNTS = msgspec.json.Decoder(_Answer[_CountRow])
_CORRECTIONS = msgspec.json.Decoder(_Answer[_CorrectionRow])
_POLICIES = msgspec.json.Decoder(_Answer[_Policy])


def _is_channel(channel: Channel) -> str:
    pairs = (("device", channel.device), ("channel", channel.name), ("mode", channel.mode))
    return "(" + " AND ".join(f'"{tag}" = {_literal(_tag(value))}' for tag, value in pairs) + ")"


def _between(start: datetime, end: datetime) -> str:
    return f"time >= {to_microseconds(start)}u AND time < {to_microseconds(end)}u"


def _changes_query(devices: Sequence[str], start: datetime, end: datetime, *, occupied: bool) -> str:
    names = " OR ".join(f'"device" = {_literal(_tag(device))}' for device in devices)
    return " ".join(
        (
            'SELECT distinct("since") FROM "space"',
            f'WHERE {_between(start, end)} AND "occupied" = {str(occupied).lower()} AND ({names})',
            'GROUP BY "device", "channel"',
        )
    )


def _intervals_query(channels: Sequence[Channel], start: datetime, end: datetime) -> str:
    names = " OR ".join(_is_channel(channel) for channel in channels)
    return " ".join(
        (
            'SELECT "in", "out" FROM "flow"',
            f"WHERE {_between(start, end)} AND ({names})",
            'GROUP BY "device", "channel", "mode", "gateway", "epoch"',
        )
    )


def _add(sums: tuple[int, int | None], in_: int, out: int | None) -> tuple[int, int | None]:
    known = [count for count in (sums[1], out) if count is not None]
    return sums[0] + in_, sum(known) if known else None


def _literal(text: str) -> str:
    """A string in InfluxQL. `_tag` has taken backslashes and line ends out of it."""
    return "'" + text.replace("'", r"\'") + "'"


def _channel(tags: dict[str, str]) -> Channel:
    return Channel(unquote(tags["device"]), unquote(tags["channel"]), unquote(tags["mode"]))


def _hour(channel: Channel, row: _HourRow) -> Hour:
    start, in_, out, covered_s, parts, *flags = row
    return Hour(
        channel=channel,
        start=from_microseconds(start),
        in_=in_,
        out=out,
        covered_s=min(covered_s, HOUR_S),
        flags=frozenset(flag for flag, times in zip(Flag, flags, strict=True) if times),
        parts=parts,
    )


def _correction(place: str, row: _CorrectionRow) -> Correction:
    at, occupied, cause, counted, note = row
    return Correction(
        place=place,
        at=from_microseconds(at),
        occupied=occupied,
        cause=CorrectionCause(cause),
        counted=counted,
        note=note,
    )


def _stored_space(tags: dict[str, str], row: _StateRow) -> StoredSpace:
    at, occupied, since, source, gateway = row
    state = SpaceState(
        device=unquote(tags["device"]),
        channel=unquote(tags["channel"]),
        occupied=occupied,
        at=from_microseconds(at),
        since=None if since is None else from_microseconds(since),
        source=TimeSource(source),
    )
    return StoredSpace(gateway=gateway, state=state)


# The server


class _Complaint(Struct):
    """The body of an answer that is not 2xx: 1.x and 3 say `error`, 2.x `message`."""

    error: str = ""
    message: str = ""


_COMPLAINT = msgspec.json.Decoder(_Complaint)
_OPERATORS_FAULTS = ("limit exceeded", "beyond retention policy")
"""What a server refuses for the way it is set up: no fault of the fact's, so it is kept and tried again."""


class _NoDatabaseError(StoreError):
    """The server is up and has no such database."""


class _RefusedError(Exception):
    """The server will not take some of the lines, for what is in them."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class _Server:
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
        """Commit lines whose times are nanoseconds. Raises `_NoDatabaseError`, `_RefusedError` or `StoreError`."""
        query = urlencode({"db": self.address.database, "precision": "ns"})
        status, body = self._request("POST", f"/write?{query}", lines.encode())
        if 200 <= status < 300:
            return
        complaint = _complaint(body)
        if status == 404:
            raise _NoDatabaseError(f"{self.address}: {complaint}")
        if status == 400 and not any(fault in complaint for fault in _OPERATORS_FAULTS):
            raise _RefusedError(complaint)
        raise StoreError(f"{self.address}: answered {status} to a write: {complaint}")

    def query(self, statement: str, decoder: msgspec.json.Decoder[_Answer[_Row]]) -> list[_Series[_Row]]:
        """The series that one reading statement brings, times in microseconds.

        Raises `_NoDatabaseError` or `StoreError`.
        """
        query = urlencode({"db": self.address.database, "epoch": "u", "q": statement})
        return self._series(*self._request("GET", f"/query?{query}"), decoder)

    def create(self, statement: str) -> None:
        """Run one statement that changes the server. Raises `StoreError`."""
        self._series(*self._request("POST", f"/query?{urlencode({'q': statement})}"), _POLICIES)

    def close(self) -> None:
        self._http.clear()

    def _request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        try:
            answer = self._http.request(method, self._url + path, body=body)
        except urllib3.exceptions.HTTPError as error:
            raise StoreError(f"{self.address}: {error}") from error
        return answer.status, answer.data

    def _series(self, status: int, body: bytes, decoder: msgspec.json.Decoder[_Answer[_Row]]) -> list[_Series[_Row]]:
        if status != 200:
            raise StoreError(f"{self.address}: answered {status} to a query: {_complaint(body)}")
        try:
            results = decoder.decode(body).results
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"{self.address}: answered a query with something else: {error}") from error
        for result in results:
            if result.error.startswith("database not found"):
                raise _NoDatabaseError(f"{self.address}: {result.error}")
            if result.error or result.partial:
                raise StoreError(f"{self.address}: {result.error or 'cut an answer short (max-row-limit)'}")
        return [series for result in results for series in result.series]


def _credentials(address: InfluxAddress) -> dict[str, str]:
    if not address.user:
        return {}
    pair = f"{address.user}:{address.password}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def _complaint(body: bytes) -> str:
    """What the server says is wrong, as one line."""
    try:
        complaint = _COMPLAINT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body[:200].decode(errors="replace").strip() or "no reason given"
    return complaint.error or complaint.message or "no reason given"
