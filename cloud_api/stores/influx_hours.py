"""Hours out of InfluxDB: from hourly sums where they are made, from parts since then, by keys where it is not clear.

Of an hour whose sum is made, only what came late may not be in it (`LATE`): an hour of which there is such a part is
told from its parts one by one, and so is one that is asked for as of a date at which not all of it had come. Places
are read in the order in which parts move: late ones before sums.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from cloud_api.stores.base import (
    EARLIEST,
    HOUR_S,
    LATEST,
    Channel,
    Hour,
    from_microseconds,
    from_seconds,
    to_microseconds,
    to_seconds,
    whole_hours,
)
from cloud_api.stores.influx_marks import Marks
from cloud_api.stores.influx_parts import InfluxParts
from cloud_api.stores.influx_points import FLOW, HOURLY, LATE
from cloud_api.stores.influx_queries import (
    EVERYWHERE,
    HOURS,
    MADE,
    PARTS,
    SUMS,
    channel_of,
    hour_of,
    hours_made,
    hours_query,
    later_query,
    newest_query,
    sums_query,
)
from cloud_api.stores.influx_server import InfluxServer
from cloud_api.stores.kept import CommittedFlow, hours_of
from cloud_api.stores.kept import channel_of as channel_of_interval
from cloud_api.stores.kept import hour_of as hour_of_instant

CHANNELS_PER_QUERY: Final = 50
HOURS_PER_QUERY: Final = 31 * 24
"""What one query may add up, so that none runs into the timeout."""
ROWS_PER_QUERY: Final = CHANNELS_PER_QUERY * HOURS_PER_QUERY
"""So many sums are told at once."""
_HOUR: Final = timedelta(seconds=HOUR_S)
_DAY: Final = timedelta(days=1)
_MONTH: Final = timedelta(days=31)

HourKey = tuple[Channel, datetime]


class InfluxHours:
    """The hours of one database."""

    def __init__(self, server: InfluxServer, parts: InfluxParts, marks: Marks) -> None:
        self._server = server
        self._parts = parts
        self._marks = marks

    def hours(self, channels: Sequence[Channel], start: datetime, end: datetime, as_of: datetime | None) -> list[Hour]:
        """Hours with at least one part, by channel and time."""
        names = sorted(set(channels))
        made, since = self._wanted(max(start, self._marks.forgotten.now() or start), end)
        found = [
            hour for some, hours in _pieces(names, made, ROWS_PER_QUERY) for hour in self._from_sums(some, hours, as_of)
        ]
        found += [
            hour
            for some, hours in _pieces(names, since, HOURS_PER_QUERY)
            for hour in self._from_parts(some, hours, as_of)
        ]
        return sorted(found, key=lambda hour: (hour.channel, hour.start))

    def newest(self, channels: Sequence[Channel], start: datetime, end: datetime) -> datetime | None:
        """The largest moment of commit that a part or sum tells, found by the server."""
        names = sorted(set(channels))
        made, since = self._wanted(start, end)
        found = [
            row[1]
            for wanted, where in ((made, SUMS), (since, EVERYWHERE))
            for first in range(0, len(names) if wanted else 0, CHANNELS_PER_QUERY)
            for series in self._server.query(
                newest_query(names[first : first + CHANNELS_PER_QUERY], wanted, where), PARTS
            )
            for row in series.values
        ]
        return from_microseconds(max(found)) if found else None

    def _wanted(self, start: datetime, end: datetime) -> tuple[range, range]:
        """The hours whose sums are made, and those since."""
        wanted = whole_hours(start, end)
        summed = to_seconds(self._marks.summed.now() or EARLIEST)
        at = min(max(wanted.start, summed), wanted.stop)
        return range(wanted.start, at, HOUR_S), range(at, wanted.stop, HOUR_S)

    def _from_sums(self, channels: Sequence[Channel], wanted: range, as_of: datetime | None) -> list[Hour]:
        late = self._late(channels, wanted)
        clear, unclear = [], set(map(hour_key_of, late))
        latest = to_microseconds(LATEST if as_of is None else as_of)
        for series in self._server.query(sums_query(channels, wanted), MADE):
            channel = channel_of(series.tags)
            for hour, committed in hours_made(channel, series.values):
                if committed > latest:
                    unclear.add((channel, hour.start))
                elif not unclear or (channel, hour.start) not in unclear:
                    clear.append(hour)
        return [*clear, *self._by_keys(unclear, late, as_of)]

    def _from_parts(self, channels: Sequence[Channel], wanted: range, as_of: datetime | None) -> list[Hour]:
        sums = self._sums(FLOW, channels, wanted)
        late = self._late(channels, wanted)
        made = self._sums(HOURLY, channels, wanted)
        unclear = (sums.keys() & made.keys()) | set(map(hour_key_of, late))
        if as_of is not None:
            unclear |= self._hours_since(as_of, channels, wanted)
        clear = [hour for key, hour in (sums | made).items() if key not in unclear]
        return [*clear, *self._by_keys(unclear, late, as_of)]

    def _late(self, channels: Sequence[Channel], wanted: range) -> list[CommittedFlow]:
        return self._parts.of(LATE, channels, from_seconds(wanted.start), from_seconds(wanted.stop))

    def _sums(self, measurement: str, channels: Sequence[Channel], wanted: range) -> dict[HourKey, Hour]:
        """Added up by the server."""
        found = {}
        for series in self._server.query(hours_query(channels, wanted, measurement), HOURS):
            channel = channel_of(series.tags)
            for row in series.values:
                hour = hour_of(channel, row)
                if hour is not None:
                    found[channel, hour.start] = hour
        return found

    def _hours_since(self, as_of: datetime, channels: Sequence[Channel], wanted: range) -> set[HourKey]:
        """Those of which anything was committed later."""
        return {
            (channel_of(series.tags), from_microseconds(at))
            for series in self._server.query(later_query(channels, wanted, as_of), PARTS)
            for at, _ in series.values
        }

    def _by_keys(self, unclear: set[HourKey], late: Sequence[CommittedFlow], as_of: datetime | None) -> Iterator[Hour]:
        """Hours of which parts may be in several places, or have come too late, told from parts one by one."""
        for channel, first, stop in _runs(unclear):
            parts = self._parts.alone([channel], first, stop)
            parts += [each for each in late if (channel, first) <= hour_key_of(each) < (channel, stop)]
            sums = self._parts.sums([channel], first, stop)
            yield from (hour for hour in hours_of(sums, parts, as_of) if (channel, hour.start) in unclear)


def hour_key_of(part: CommittedFlow) -> HourKey:
    """The channel and hour that a part counts for."""
    return channel_of_interval(part.fact.interval), hour_of_instant(part.fact.interval.start)


def _pieces(channels: Sequence[Channel], wanted: range, most_hours: int) -> Iterator[tuple[Sequence[Channel], range]]:
    """What one query asks for at a time."""
    for first in range(0, len(channels), CHANNELS_PER_QUERY):
        some = channels[first : first + CHANNELS_PER_QUERY]
        hours = max(HOURS_PER_QUERY, most_hours // len(some))
        yield from ((some, wanted[at : at + hours]) for at in range(0, len(wanted), hours))


def _runs(hours: Iterable[HourKey]) -> Iterator[tuple[Channel, datetime, datetime]]:
    """Spans of a month at most that these hours are in, with no day between them that has none."""
    ordered = sorted(hours)
    at = 0
    while at < len(ordered):
        channel, first = ordered[at]
        stop = first + _HOUR
        while at < len(ordered) and ordered[at] < (channel, min(stop + _DAY, first + _MONTH)):
            stop = ordered[at][1] + _HOUR
            at += 1
        yield channel, first, stop
