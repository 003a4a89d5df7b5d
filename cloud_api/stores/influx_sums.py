"""Hourly sums on InfluxDB, made days after, so that a year is told from 8,760 points a channel and not from 105,120.

A server has no transactions, so three rules take their place. Sums are made of parts that nobody adds to any more: the
mark `summing` is announced first, and by the time that sums up to it are made (`FENCE`) every writer puts parts of
earlier intervals elsewhere (`LATE`, and `AFTER` for who asks for parts by themselves). Readers go by sums alone only
up to the mark `summed`, which follows when all sums before it are there. And what came late is added in the order of
its generations, each once nobody writes to it: so any number of processes make the same sums of the same parts.
"""

from datetime import datetime, timedelta
from typing import Final

from cloud_api.stores.base import EARLIEST, LATEST, Channel, from_microseconds, from_seconds
from cloud_api.stores.influx_marks import FENCE, Marks
from cloud_api.stores.influx_parts import InfluxParts
from cloud_api.stores.influx_points import FLOW, GENERATION, LATE
from cloud_api.stores.influx_queries import BY_CHANNEL, PARTS, between, channel_of, literal, select
from cloud_api.stores.influx_server import InfluxServer
from cloud_api.stores.kept import hour_of

DAY: Final = timedelta(days=1)
SUMMED_AFTER: Final = 2 * DAY
"""So old are intervals before their sums are made: until then most of what is late has come."""
PARTS_PER_RUN: Final = 500_000
CHANNELS_PER_QUERY: Final = 50
"""A day of so many channels is read at once."""


class InfluxSums:
    """The hourly sums of one database. Guards that a sum is made of what nobody adds to."""

    def __init__(self, server: InfluxServer, parts: InfluxParts, marks: Marks) -> None:
        self._server = server
        self._parts = parts
        self._marks = marks

    def settle(self, now: datetime) -> bool:
        """Make the sums that were announced long enough ago, as many as one run may, and announce the next.

        Whether there is more to do.
        """
        settled, until = self._marks.summing.announced(now - FENCE), _midnight(now - SUMMED_AFTER)
        self._marks.summing.announce(until, now)
        if settled is None:
            return True
        room = self._add_late(settled, self._add_up(settled, now, PARTS_PER_RUN))
        return room <= 0 or settled < until

    def _add_up(self, settled: datetime, now: datetime, room: int) -> int:
        """Make all sums up to a mark, a day at a time; what is left of the room."""
        done = self._marks.summed.announced(LATEST) or EARLIEST
        while done < settled and room > 0:
            first = self._oldest(FLOW, done, settled)
            done = settled if first is None else min(_midnight(first) + DAY, settled)
            if first is not None:
                room -= self._sum_up(FLOW, first, done)
            self._marks.summed.announce(done, now)
        return room

    def _add_late(self, settled: datetime, room: int) -> int:
        """Add what came late to the sums that are made, one generation after the other."""
        done = self._marks.summed.announced(LATEST) or EARLIEST
        for generation in self._generations():
            if from_seconds(generation) < settled:
                room = self._add_generation(generation, done, room)
        return room

    def _add_generation(self, generation: int, done: datetime, room: int) -> int:
        its = f' AND "{GENERATION}" = {literal(str(generation) if generation else "")}'
        while room > 0 and (first := self._oldest(LATE, EARLIEST, done, its)) is not None:
            stop = min(_midnight(first) + DAY, done)
            room -= self._sum_up(LATE, first, stop, its)
            self._server.delete(" ".join(("DELETE FROM", f'"{LATE}"', f"WHERE {between(first, stop)}{its}")))
        return room

    def _generations(self) -> list[int]:
        """Those that have parts, oldest first; 0 is before there were any."""
        statement = select('first("parts")', f'"{LATE}"', f'GROUP BY "{GENERATION}"')
        return sorted(int(series.tags[GENERATION] or 0) for series in self._server.query(statement, PARTS))

    def _sum_up(self, measurement: str, first: datetime, stop: datetime, condition: str = "") -> int:
        channels = self._channels(measurement, first, stop, condition)
        return sum(
            self._parts.sum_up(measurement, channels[at : at + CHANNELS_PER_QUERY], first, stop, condition)
            for at in range(0, len(channels), CHANNELS_PER_QUERY)
        )

    def _channels(self, measurement: str, first: datetime, stop: datetime, condition: str) -> list[Channel]:
        statement = select('last("parts")', f'"{measurement}"', f"WHERE {between(first, stop)}{condition}", BY_CHANNEL)
        return sorted({channel_of(series.tags) for series in self._server.query(statement, PARTS)})

    def _oldest(self, measurement: str, start: datetime, end: datetime, condition: str = "") -> datetime | None:
        """The oldest hour of which a place has a part."""
        statement = select('first("parts")', f'"{measurement}"', f"WHERE {between(start, end)}{condition}")
        rows = [row for series in self._server.query(statement, PARTS) for row in series.values]
        return hour_of(from_microseconds(rows[0][0])) if rows else None


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
