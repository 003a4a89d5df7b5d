"""What InfluxDB is asked in InfluxQL, and the rows that it answers, made into values. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final, TypeGuard
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from cloud_api.stores.base import (
    HOUR_S,
    Channel,
    Correction,
    CorrectionCause,
    Hour,
    Passed,
    StoredSpace,
    from_microseconds,
    from_seconds,
    to_microseconds,
)
from cloud_api.stores.influx_points import AFTER, FLOW, HOURLY, LATE, flag_field, tag
from cloud_api.stores.influx_server import Answer
from cloud_api.stores.kept import CommittedSpace
from edge.messages import Flag, SpaceState, TimeSource

_SUM_FIELDS = ", ".join(
    f'"{name}"' for name in ("committed", "in", "out", "covered_s", "parts", *map(flag_field, Flag))
)
_SELECT_SUMS = "SELECT " + ", ".join(
    f'sum("{name}")' for name in ("in", "out", "covered_s", "parts", *map(flag_field, Flag))
)


def select(what: str, of: str, *rest: str) -> str:
    """A statement, put together from its clauses."""
    return " ".join(("SELECT", what, "FROM", of, *rest))


SUMS = f'"{LATE}", "{HOURLY}"'
"""Where all parts are that sums are made of."""
EVERYWHERE = f'"{FLOW}", {SUMS}'
BY_CHANNEL = 'GROUP BY "device", "channel", "mode"'
BY_HOUR = 'GROUP BY time(1h), "device", "channel", "mode"'
EVERY_CHANNEL = select('last("parts")', EVERYWHERE, BY_CHANNEL)
STATE_FIELDS = '"occupied", "since", "source", "gateway", "committed"'
LAST_STATES = select(STATE_FIELDS, '"space"', 'GROUP BY "device", "channel" ORDER BY time DESC LIMIT 2')
"""Of each space two: the last may be being written."""
FOR_EVER = "0s"
_NO_FLAGS: Final[frozenset[Flag]] = frozenset()

_Sum = int | None
HourRow = tuple[int, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum]
"""Start, in, out, covered_s, parts, and one sum a flag."""
SumRow = tuple[int, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum]
"""Time, committed, in, out, covered_s, parts, and one for each flag."""
_WholeSumRow = tuple[int, int, int, _Sum, int, int, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum]
StateRow = tuple[int, bool | None, int | None, str | None, str | None, int | None]
"""Time, occupied, since, source, gateway, committed."""
PartRow = tuple[int, int]
CountRow = tuple[int, int | None, int | None, int | None, int | None]
"""Start and part in nanoseconds, in, out, seconds, covered_s."""
_WholeCountRow = tuple[int, int, int | None, int, int]
CorrectionRow = tuple[int, int | None, str | None, int | None, str | None]


class Policy(Struct, array_like=True):
    """How long a database keeps its points."""

    name: str
    duration: str
    shard_duration: str
    replicas: int
    default: bool


HOURS = msgspec.json.Decoder(Answer[HourRow])
MADE = msgspec.json.Decoder(Answer[SumRow])
PARTS = msgspec.json.Decoder(Answer[PartRow])
STATES = msgspec.json.Decoder(Answer[StateRow])
SINCE = msgspec.json.Decoder(Answer[PartRow])
COUNTS = msgspec.json.Decoder(Answer[CountRow])
CORRECTIONS = msgspec.json.Decoder(Answer[CorrectionRow])
POLICIES = msgspec.json.Decoder(Answer[Policy])


def is_channel(channel: Channel) -> str:
    """The condition that a point is of a channel."""
    pairs = (("device", channel.device), ("channel", channel.name), ("mode", channel.mode))
    return "(" + " AND ".join(f'"{name}" = {literal(tag(value))}' for name, value in pairs) + ")"


def any_of(channels: Iterable[Channel]) -> str:
    """The condition that a point is of one of these channels."""
    return " OR ".join(map(is_channel, channels))


def between(start: datetime, end: datetime) -> str:
    """The condition `start` <= time < `end`."""
    return f"time >= {to_microseconds(start)}u AND time < {to_microseconds(end)}u"


def committed_after(as_of: datetime) -> str:
    """The condition that a fact came later; one that does not tell when it came never did."""
    return f' AND "committed" > {to_microseconds(as_of)}'


def committed_until(as_of: datetime) -> str:
    """The condition that a fact had come, and tells so."""
    return f' AND "committed" <= {to_microseconds(as_of)}'


def hours_query(channels: Sequence[Channel], wanted: range, of: str = FLOW) -> str:
    """The sums of each channel in each UTC hour; `wanted` as `whole_hours` gives it."""
    return " ".join(
        (
            f'{_SELECT_SUMS} FROM "{of}"',
            f"WHERE time >= {wanted.start}s AND time < {wanted.stop}s AND ({any_of(channels)})",
            f"{BY_HOUR} fill(none)",
        )
    )


def sums_query(channels: Sequence[Channel], wanted: range) -> str:
    """The hourly sums that are made, one row each: the server adds up more slowly than it tells."""
    return select(
        _SUM_FIELDS,
        f'"{HOURLY}"',
        f"WHERE time >= {wanted.start}s AND time < {wanted.stop}s AND ({any_of(channels)})",
        BY_CHANNEL,
    )


def later_query(channels: Sequence[Channel], wanted: range, as_of: datetime) -> str:
    """The hours of which anything was committed after an instant; `wanted` as `whole_hours` gives it."""
    return select(
        'count("committed")',
        f'"{FLOW}", "{HOURLY}"',
        f"WHERE time >= {wanted.start}s AND time < {wanted.stop}s AND ({any_of(channels)}){committed_after(as_of)}",
        f"{BY_HOUR} fill(none)",
    )


def newest_query(channels: Sequence[Channel], wanted: range, of: str) -> str:
    """When the newest of their parts was committed; `wanted` as `whole_hours` gives it."""
    return select(
        'max("committed")', of, f"WHERE time >= {wanted.start}s AND time < {wanted.stop}s AND ({any_of(channels)})"
    )


def changes_query(
    devices: Sequence[str], start: datetime, end: datetime, *, occupied: bool, condition: str = ""
) -> str:
    """Since when these sensors' spaces were occupied, or free."""
    names = " OR ".join(f'"device" = {literal(tag(device))}' for device in devices)
    return " ".join(
        (
            'SELECT distinct("since") FROM "space"',
            f'WHERE {between(start, end)} AND "occupied" = {str(occupied).lower()} AND ({names}){condition}',
            'GROUP BY "device", "channel"',
        )
    )


def intervals_query(channels: Sequence[Channel], start: datetime, end: datetime) -> str:
    """Every part of these channels; InfluxDB cannot sum them by interval, for their times differ by nanoseconds."""
    return select(
        '"in", "out", "seconds", "covered_s"',
        f'"{FLOW}", "{AFTER}"',
        f"WHERE {between(start, end)} AND ({any_of(channels)})",
        'GROUP BY "device", "channel", "mode", "gateway", "epoch"',
    )


def corrections_query(place: str, start: datetime, end: datetime) -> str:
    """What is known otherwise of one car park."""
    wanted = f'{between(start, end)} AND "place" = {literal(tag(place))}'
    return " ".join(('SELECT "occupied", "cause", "counted", "note" FROM "correction"', f"WHERE {wanted}"))


def literal(text: str) -> str:
    """A string in InfluxQL. `tag` has taken backslashes and line ends out of it."""
    return "'" + text.replace("'", r"\'") + "'"


def channel_of(tags: dict[str, str]) -> Channel:
    """The channel that a series belongs to."""
    return Channel(unquote(tags["device"]), unquote(tags["channel"]), unquote(tags["mode"]))


def passed_of(channel: Channel, rows: Iterable[CountRow]) -> Iterator[Passed]:
    """One channel's parts, summed by interval; their times, in nanoseconds, differ by `part`.

    Without those that are being written: readers see a point field by field.
    """
    by_start: dict[int, list[_WholeCountRow]] = {}
    for row in filter(_is_counted, rows):
        by_start.setdefault(row[0] // 1_000_000_000, []).append(row)
    for start, parts in sorted(by_start.items()):
        outs = [out for _, _, out, _, _ in parts if out is not None]
        seconds = max(seconds for _, _, _, seconds, _ in parts)
        yield Passed(
            channel=channel,
            start=from_seconds(start),
            seconds=seconds,
            in_=sum(in_ for _, in_, _, _, _ in parts),
            out=sum(outs) if outs else None,
            covered_s=min(seconds, sum(covered_s for *_, covered_s in parts)),
        )


def _is_counted(row: CountRow) -> TypeGuard[_WholeCountRow]:
    return None not in (row[1], row[3], row[4])


def hour_of(channel: Channel, row: HourRow) -> Hour | None:
    """One hour of a channel; None while its first part is being written: readers see a point field by field."""
    start, in_, out, covered_s, parts, *flags = row
    if in_ is None or covered_s is None or parts is None:
        return None
    return Hour(
        channel=channel,
        start=from_microseconds(start),
        in_=in_,
        out=out,
        covered_s=min(covered_s, HOUR_S),
        flags=_flags(flags),
        parts=parts,
    )


def hours_made(channel: Channel, rows: Iterable[SumRow]) -> Iterator[tuple[Hour, int]]:
    """The hours that a channel's sums add up to, and when, in microseconds, the last was committed; rows by time.

    Without sums that are being written: readers see a point field by field, and its parts are still there.
    """
    for hour, some in groupby(filter(_is_whole, rows), key=_hour_number):
        first, *others = some
        start = from_seconds(hour * HOUR_S)
        if others:
            yield _together(channel, start, [first, *others]), max(row[1] for row in (first, *others))
        else:
            yield _alone(channel, start, first), first[1]


def _is_whole(row: SumRow) -> TypeGuard[_WholeSumRow]:
    return None not in (row[1], row[2], row[4], row[5])


def _hour_number(row: _WholeSumRow) -> int:
    return row[0] // (HOUR_S * 1_000_000)


def _alone(channel: Channel, start: datetime, row: _WholeSumRow) -> Hour:
    """As `_together`, for most hours are one sum and a year has many."""
    _, _, in_, out, covered_s, parts, *flags = row
    return Hour(
        channel=channel,
        start=start,
        in_=in_,
        out=out,
        covered_s=covered_s if covered_s < HOUR_S else HOUR_S,
        flags=_flags(flags) if any(flags) else _NO_FLAGS,
        parts=parts,
    )


def _together(channel: Channel, start: datetime, rows: Sequence[_WholeSumRow]) -> Hour:
    outs = [row[3] for row in rows if row[3] is not None]
    return Hour(
        channel=channel,
        start=start,
        in_=sum(row[2] for row in rows),
        out=sum(outs) if outs else None,
        covered_s=min(sum(row[4] for row in rows), HOUR_S),
        flags=frozenset(flag for row in rows for flag in _flags(row[6:])),
        parts=sum(row[5] for row in rows),
    )


def _flags(times: Iterable[_Sum]) -> frozenset[Flag]:
    return frozenset(flag for flag, some in zip(Flag, times, strict=True) if some)


def corrections_of(place: str, rows: Iterable[CorrectionRow]) -> Iterator[Correction]:
    """The corrections of a car park, without those that are being written."""
    return (each for each in (_correction(place, row) for row in rows) if each is not None)


def _correction(place: str, row: CorrectionRow) -> Correction | None:
    at, occupied, cause, counted, note = row
    if occupied is None or cause is None or note is None:
        return None
    return Correction(
        place=place,
        at=from_microseconds(at),
        occupied=occupied,
        cause=CorrectionCause(cause),
        counted=counted,
        note=note,
    )


def states_of(tags: dict[str, str], rows: Iterable[StateRow]) -> Iterator[CommittedSpace]:
    """The states of a space, without those that are being written."""
    return (each for each in (_state(tags, row) for row in rows) if each is not None)


def _state(tags: dict[str, str], row: StateRow) -> CommittedSpace | None:
    at, occupied, since, source, gateway, committed = row
    if occupied is None or source is None or gateway is None:
        return None
    state = SpaceState(
        device=unquote(tags["device"]),
        channel=unquote(tags["channel"]),
        occupied=occupied,
        at=from_microseconds(at),
        since=None if since is None else from_microseconds(since),
        source=TimeSource(source),
    )
    return CommittedSpace(StoredSpace(gateway=gateway, state=state), from_microseconds(committed or 0))
