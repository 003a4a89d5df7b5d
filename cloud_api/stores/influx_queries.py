"""What InfluxDB is asked in InfluxQL, and the rows that it answers, made into values. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
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
from cloud_api.stores.influx_points import FLOW, HOURLY, LATE, flag_field, tag
from cloud_api.stores.influx_server import Answer
from edge.messages import Flag, SpaceState, TimeSource

_SELECT_SUMS = "SELECT " + ", ".join(
    f'sum("{name}")' for name in ("in", "out", "covered_s", "parts", *map(flag_field, Flag))
)


def select(what: str, of: str, *rest: str) -> str:
    """A statement, put together from its clauses."""
    return " ".join(("SELECT", what, "FROM", of, *rest))


EVERYWHERE = f'"{FLOW}", "{LATE}", "{HOURLY}"'
BY_CHANNEL = 'GROUP BY "device", "channel", "mode"'
EVERY_CHANNEL = select('last("parts")', EVERYWHERE, BY_CHANNEL)
EVERY_LAST_STATE = (
    'SELECT "occupied", "since", "source", "gateway" FROM "space" '
    'GROUP BY "device", "channel" ORDER BY time DESC LIMIT 1'
)
FOR_EVER = "0s"

_Sum = int | None
PARTS_AT = 4
"""Where an hour's row has the number of its parts."""
HourRow = tuple[int, int, _Sum, int, int, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum, _Sum]
"""Start, in, out, covered_s, parts, and one sum a flag."""
StateRow = tuple[int, bool, int | None, str, str]
PartRow = tuple[int, int]
CountRow = tuple[int, int, int | None, int, int]
"""Start, in, out, seconds, covered_s."""
CorrectionRow = tuple[int, int, str, int | None, str]


class Policy(Struct, array_like=True):
    """How long a database keeps its points."""

    name: str
    duration: str
    shard_duration: str
    replicas: int
    default: bool


HOURS = msgspec.json.Decoder(Answer[HourRow])
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


def between(start: datetime, end: datetime) -> str:
    """The condition `start` <= time < `end`."""
    return f"time >= {to_microseconds(start)}u AND time < {to_microseconds(end)}u"


def committed_after(as_of: datetime) -> str:
    """The condition that a fact came later; one that does not tell when it came never did."""
    return f' AND "committed" > {to_microseconds(as_of)}'


def committed_until(as_of: datetime) -> str:
    """The condition that a fact had come, and tells so."""
    return f' AND "committed" <= {to_microseconds(as_of)}'


def hours_query(channels: Sequence[Channel], wanted: range, condition: str = "", of: str = FLOW) -> str:
    """The sums of each channel in each UTC hour; `wanted` as `whole_hours` gives it."""
    names = " OR ".join(is_channel(channel) for channel in channels)
    return " ".join(
        (
            f'{_SELECT_SUMS} FROM "{of}"',
            f"WHERE time >= {wanted.start}s AND time < {wanted.stop}s AND ({names}){condition}",
            'GROUP BY time(1h), "device", "channel", "mode" fill(none)',
        )
    )


def newest_query(channels: Sequence[Channel], wanted: range) -> str:
    """When the newest of their parts was committed; `wanted` as `whole_hours` gives it."""
    names = " OR ".join(is_channel(channel) for channel in channels)
    return select(
        'max("committed")', EVERYWHERE, f"WHERE time >= {wanted.start}s AND time < {wanted.stop}s AND ({names})"
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
    names = " OR ".join(is_channel(channel) for channel in channels)
    return " ".join(
        (
            'SELECT "in", "out", "seconds", "covered_s" FROM "flow"',
            f"WHERE {between(start, end)} AND ({names})",
            'GROUP BY "device", "channel", "mode", "gateway", "epoch"',
        )
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
    """One channel's parts, summed by interval; their times, in microseconds, differ by `part` nanoseconds."""
    by_start: dict[int, list[CountRow]] = {}
    for row in rows:
        by_start.setdefault(row[0] // 1_000_000, []).append(row)
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


def hour_of(channel: Channel, row: HourRow) -> Hour:
    """One hour of a channel."""
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


def without(row: HourRow, later: HourRow) -> HourRow:
    """What is left of an hour's sums without those of its later parts."""
    start, in_, out, covered_s, parts, *flags = row
    _, later_in, later_out, later_covered_s, later_parts, *later_flags = later
    left = map(_less, flags, later_flags)
    counts = (start, in_ - later_in, _less(out, later_out), covered_s - later_covered_s, parts - later_parts)
    return (*counts, next(left), next(left), next(left), next(left), next(left), next(left), next(left), next(left))


def _less(all_of_it: _Sum, some: _Sum) -> _Sum:
    return all_of_it if all_of_it is None or some is None else all_of_it - some


def correction_of(place: str, row: CorrectionRow) -> Correction:
    """One correction of a car park."""
    at, occupied, cause, counted, note = row
    return Correction(
        place=place,
        at=from_microseconds(at),
        occupied=occupied,
        cause=CorrectionCause(cause),
        counted=counted,
        note=note,
    )


def stored_space(tags: dict[str, str], row: StateRow) -> StoredSpace:
    """One state of a space."""
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
