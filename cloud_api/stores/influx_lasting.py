"""Retention on InfluxDB: parts become sums, a day at a time, in an order in which nothing is lost or counted twice.

A server has no transactions, so three rules take their place. Sums are written before parts are deleted, and whoever
reads both takes a part that is in a sum for counted. A part of an interval before the horizon is written apart, so
that a day which is deleted is one that nobody writes to. And the horizon is announced first: every writer has asked
for it again (`HORIZON_GOOD_S`) long before parts up to it go (`FENCE`).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote

import msgspec

from cloud_api.stores.base import (
    EARLIEST,
    HOUR_S,
    LATEST,
    Channel,
    Correction,
    Hour,
    StoredFlow,
    StoredSpace,
    StoreError,
    from_microseconds,
    from_seconds,
)
from cloud_api.stores.influx_points import (
    FLOW,
    FORGOTTEN,
    HORIZON,
    HOURLY,
    LATE,
    flag_field,
    kept_line_of,
    mark_line_of,
    tag,
)
from cloud_api.stores.influx_queries import (
    BY_CHANNEL,
    EVERY_CHANNEL,
    EVERYWHERE,
    PARTS,
    CorrectionRow,
    between,
    channel_of,
    correction_of,
    is_channel,
    literal,
    select,
)
from cloud_api.stores.influx_server import Answer, InfluxServer
from cloud_api.stores.kept import (
    CommittedFlow,
    CommittedSpace,
    Kept,
    fold,
    hour_of,
    hours_of,
    key_of,
    keys_of,
    new_parts,
)
from cloud_api.stores.kept import channel_of as channel_of_interval
from cloud_api.stores.lasting import FlowSpan, SpaceSpan, Trimmed
from edge.messages import Flag, FlowInterval, SpaceState, TimeSource

HORIZON_GOOD_S: Final = 60.0
"""So long a writer goes by the horizon that it asked for last."""
FENCE: Final = timedelta(minutes=10)
"""So long after it was announced nobody writes parts before it to where they are deleted any more."""
DAYS_AHEAD: Final = 31
"""The horizon is announced no further than so many days after the oldest part: what is between is read twice."""
PARTS_PER_RUN: Final = 500_000
CHANNELS_PER_QUERY: Final = 50
LINES_PER_WRITE: Final = 5_000
DAY: Final = timedelta(days=1)

_Flags = int | None
_PartRow = tuple[
    int, int, int | None, int, int, str, int | None, _Flags, _Flags, _Flags, _Flags, _Flags, _Flags, _Flags, _Flags
]
"""Time in ns, in, out, seconds, covered_s, source, committed, and one for each flag."""
_KeptRow = tuple[int, int, int | None, int, str, int, _Flags, _Flags, _Flags, _Flags, _Flags, _Flags, _Flags, _Flags]
"""Time in ns, in, out, covered_s, keys, committed, and one for each flag."""
_PART_ROWS: Final = msgspec.json.Decoder(Answer[_PartRow])
_KEPT_ROWS: Final = msgspec.json.Decoder(Answer[_KeptRow])
_STATE_ROWS: Final = msgspec.json.Decoder(Answer[tuple[int, bool, int | None, str, str, int | None]])
_FIRSTS: Final = msgspec.json.Decoder(Answer[tuple[int, int | bool]])
_CORRECTION_ROWS: Final = msgspec.json.Decoder(Answer[CorrectionRow])
_EVERY_FLAG: Final = tuple(Flag)
_FLAG_FIELDS: Final = ", ".join(f'"{flag_field(flag)}"' for flag in Flag)
_PART_FIELDS: Final = f'"in", "out", "seconds", "covered_s", "source", "committed", {_FLAG_FIELDS}'
_KEPT_FIELDS: Final = f'"in", "out", "covered_s", "keys", "committed", {_FLAG_FIELDS}'
_OUTBOX: Final = '"gateway", "epoch", "device", "channel", "mode"'


class Mark:
    """An instant that all who use a database know, and that only goes forward."""

    def __init__(self, server: InfluxServer, name: str, monotonic: Callable[[], float]) -> None:
        self._server = server
        self._name = name
        self._monotonic = monotonic
        self._known: datetime | None = None
        self._asked: float | None = None

    def now(self) -> datetime | None:
        """As it was announced last, at most `HORIZON_GOOD_S` ago."""
        now = self._monotonic()
        if self._asked is None or now - self._asked > HORIZON_GOOD_S:
            self._known = self.announced(LATEST)
            self._asked = now
        return self._known

    def announced(self, until: datetime) -> datetime | None:
        """As it was announced last until an instant."""
        statement = select(
            '"before"', f'"{self._name}"', f"WHERE {between(EARLIEST, until)}", "ORDER BY time DESC LIMIT 1"
        )
        rows = [row for series in self._server.query(statement, PARTS) for row in series.values]
        return from_microseconds(rows[0][1]) if rows else None

    def announce(self, before: datetime, now: datetime) -> None:
        """Move it on, never back."""
        known = self.announced(LATEST)
        if known is None or known < before:
            self._server.write(mark_line_of(self._name, before, now))
        self._asked = None


class InfluxLasting:
    """What is kept of parts in one database. Guards that nobody writes to a day that is deleted."""

    def __init__(self, server: InfluxServer, monotonic: Callable[[], float]) -> None:
        self._server = server
        self.horizon = Mark(server, HORIZON, monotonic)
        self.forgotten = Mark(server, FORGOTTEN, monotonic)

    def forget(self, before: datetime, now: datetime) -> None:
        """Announce first: nobody is told of hours before it from then on, whoever still writes to them."""
        until = hour_of(min(before, now))
        self.forgotten.announce(until, now)
        for measurement in (FLOW, LATE, HOURLY):
            self._delete(measurement, EARLIEST, until)

    def unclear_hours(
        self, unclear: set[tuple[Channel, datetime]], late: Sequence[CommittedFlow], as_of: datetime | None
    ) -> Iterator[Hour]:
        """Hours of which parts may be in several places, told by their keys."""
        if not unclear:
            return
        channels = sorted({channel for channel, _ in unclear})
        first, stop = min(hour for _, hour in unclear), max(hour for _, hour in unclear) + timedelta(seconds=HOUR_S)
        kept = [each for each in self.kept(channels, first, stop) if (each.channel, each.start) in unclear]
        parts = [*self.parts_of(FLOW, channels, first, stop), *late]
        yield from hours_of(kept, [part for part in parts if hour_key_of(part) in unclear], as_of)

    def trimmable(self, before: datetime) -> int:
        """Parts before an instant."""
        statement = select('count("parts")', f'"{FLOW}"', f"WHERE {between(EARLIEST, before)}")
        return sum(int(count) for series in self._server.query(statement, _FIRSTS) for _, count in series.values)

    def trim(self, before: datetime, now: datetime) -> Trimmed:
        """Trim what was announced long enough ago, then announce what comes next."""
        until, settled, gone = hour_of(min(before, now)), self.horizon.announced(now - FENCE), 0
        oldest = self._oldest_hour()
        while oldest is not None and settled is not None and oldest < settled and gone < PARTS_PER_RUN:
            gone += self._trim(oldest, min(_midnight_after(oldest), settled))
            oldest = self._oldest_hour()
        self.horizon.announce(until if oldest is None else min(until, oldest + DAYS_AHEAD * DAY), now)
        return Trimmed(parts=gone, more=oldest is not None and oldest < until)

    def kept(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Kept]:
        """What is kept of parts of these channels."""
        statement = select(
            _KEPT_FIELDS, f'"{HOURLY}"', f"WHERE {between(start, end)} AND ({_any(channels)})", f"GROUP BY {_OUTBOX}"
        )
        return sorted(
            (
                _kept(series.tags, row)
                for series in self._server.query(statement, _KEPT_ROWS, epoch="ns")
                for row in series.values
            ),
            key=lambda each: (each.channel, each.start, each.gateway, each.epoch, each.first),
        )

    def parts_of(
        self, measurement: str, channels: Sequence[Channel], start: datetime, end: datetime
    ) -> list[CommittedFlow]:
        """The parts of these channels that are in one place."""
        statement = select(
            _PART_FIELDS,
            f'"{measurement}"',
            f"WHERE {between(start, end)} AND ({_any(channels)})",
            f"GROUP BY {_OUTBOX}",
        )
        return [
            _part(series.tags, row)
            for series in self._server.query(statement, _PART_ROWS, epoch="ns")
            for row in series.values
        ]

    def parts(self, channel: Channel, start: datetime, end: datetime) -> list[CommittedFlow]:
        """The parts of a channel that are in no sum, in order."""
        found = [part for where in (FLOW, LATE) for part in self.parts_of(where, [channel], start, end)]
        fresh = new_parts(found, self.kept([channel], hour_of(start), end)) if found else []
        return sorted(fresh, key=_in_order)

    def flow_spans(self) -> list[FlowSpan]:
        """The first and last points of every channel, in any place."""
        times: dict[Channel, list[datetime]] = {}
        for function in ("first", "last"):
            statement = select(f'{function}("parts")', EVERYWHERE, BY_CHANNEL)
            for series in self._server.query(statement, PARTS):
                for at, _ in series.values:
                    times.setdefault(channel_of(series.tags), []).append(hour_of(from_microseconds(at)))
        return [FlowSpan(channel, min(found), max(found)) for channel, found in sorted(times.items())]

    def space_spans(self) -> list[SpaceSpan]:
        """The first and last states of every space."""
        times: dict[tuple[str, str], list[datetime]] = {}
        for function in ("first", "last"):
            statement = select(f'{function}("occupied")', '"space"', 'GROUP BY "device", "channel"')
            for series in self._server.query(statement, _FIRSTS):
                space = unquote(series.tags["device"]), unquote(series.tags["channel"])
                times.setdefault(space, []).extend(from_microseconds(at) for at, _ in series.values)
        return [SpaceSpan(*space, min(found), max(found)) for space, found in sorted(times.items())]

    def states(self, device: str, channel: str, start: datetime, end: datetime) -> list[CommittedSpace]:
        """The states of one space."""
        statement = select(
            '"occupied", "since", "source", "gateway", "committed"',
            '"space"',
            f"WHERE {between(start, end)}",
            f'AND "device" = {literal(tag(device))} AND "channel" = {literal(tag(channel))}',
        )
        return [
            CommittedSpace(
                StoredSpace(
                    gateway=gateway,
                    state=SpaceState(
                        device=device,
                        channel=channel,
                        occupied=occupied,
                        at=from_microseconds(at),
                        since=None if since is None else from_microseconds(since),
                        source=TimeSource(source),
                    ),
                ),
                from_microseconds(committed or 0),
            )
            for series in self._server.query(statement, _STATE_ROWS)
            for at, occupied, since, source, gateway, committed in series.values
        ]

    def every_correction(self) -> list[Correction]:
        """All corrections."""
        statement = select('"occupied", "cause", "counted", "note"', '"correction"', 'GROUP BY "place"')
        return sorted(
            (
                correction_of(unquote(series.tags["place"]), row)
                for series in self._server.query(statement, _CORRECTION_ROWS)
                for row in series.values
            ),
            key=lambda each: (each.place, each.at),
        )

    def keep(self, sums: Sequence[Kept]) -> None:
        """Write sums; what is in them goes on being counted once."""
        lines = [kept_line_of(each) for each in sums]
        for first in range(0, len(lines), LINES_PER_WRITE):
            self._server.write("\n".join(lines[first : first + LINES_PER_WRITE]))

    def _oldest_hour(self) -> datetime | None:
        rows = [
            row for series in self._server.query(select('first("parts")', f'"{FLOW}"'), PARTS) for row in series.values
        ]
        return hour_of(from_microseconds(rows[0][0])) if rows else None

    def _trim(self, first: datetime, stop: datetime) -> int:
        """Trim a day or less. Nobody writes its parts to where they are read from here: what is read is all."""
        channels = sorted({channel_of(series.tags) for series in self._server.query(EVERY_CHANNEL, PARTS)})
        gone = 0
        for at in range(0, len(channels), CHANNELS_PER_QUERY):
            gone += self._keep_sums(channels[at : at + CHANNELS_PER_QUERY], first, stop)
        self._delete(FLOW, first, stop)
        return gone

    def _delete(self, measurement: str, first: datetime, stop: datetime) -> None:
        self._server.delete(" ".join(("DELETE FROM", f'"{measurement}"', f"WHERE {between(first, stop)}")))

    def _keep_sums(self, channels: Sequence[Channel], first: datetime, stop: datetime) -> int:
        """Parts are read before sums: another who trims meanwhile has written its sums before it deletes."""
        parts = self.parts_of(FLOW, channels, first, stop)
        if not parts:
            return 0
        self.keep(fold(new_parts(parts, self.kept(channels, first, stop))))
        missing = new_parts(parts, self.kept(channels, first, stop))
        if missing:
            raise StoreError(f"{self._server.address}: has not kept {len(missing)} parts that it took; nothing goes")
        return len(parts)


def _midnight_after(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + DAY


def _any(channels: Sequence[Channel]) -> str:
    return " OR ".join(map(is_channel, channels))


def hour_key_of(part: CommittedFlow) -> tuple[Channel, datetime]:
    """The channel and hour that a part counts for."""
    return channel_of_interval(part.fact.interval), hour_of(part.fact.interval.start)


def _in_order(part: CommittedFlow) -> tuple[datetime, str, str, int]:
    return part.fact.interval.start, part.fact.gateway, part.fact.epoch, key_of(part.fact.interval)


def _part(tags: dict[str, str], row: _PartRow) -> CommittedFlow:
    at, in_, out, seconds, covered_s, source, committed, *flags = row
    second, part = divmod(at, 1_000_000_000)
    interval = FlowInterval(
        device=unquote(tags["device"]),
        channel=unquote(tags["channel"]),
        mode=unquote(tags["mode"]),
        start=from_seconds(second),
        seconds=seconds,
        part=part,
        in_=in_,
        out=out,
        covered_s=covered_s,
        flags=tuple(sorted(_flags(flags))),
        source=TimeSource(source),
    )
    fact = StoredFlow(gateway=unquote(tags["gateway"]), epoch=unquote(tags["epoch"]), interval=interval)
    return CommittedFlow(fact, from_microseconds(committed or 0))


def _kept(tags: dict[str, str], row: _KeptRow) -> Kept:
    at, in_, out, covered_s, keys, committed, *flags = row
    return Kept(
        gateway=unquote(tags["gateway"]),
        epoch=unquote(tags["epoch"]),
        channel=channel_of(tags),
        start=from_seconds(at // 1_000_000_000 // HOUR_S * HOUR_S),
        in_=in_,
        out=out,
        covered_s=covered_s,
        flags=frozenset(_flags(flags)),
        keys=keys_of(keys),
        committed=from_microseconds(committed),
    )


def _flags(counts: Sequence[_Flags]) -> Iterator[Flag]:
    return (flag for flag, times in zip(_EVERY_FLAG, counts, strict=True) if times)
