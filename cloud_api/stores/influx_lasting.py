"""Retention on InfluxDB: parts become sums, a day at a time, in an order in which nothing is lost or counted twice.

Sums are written before parts are deleted, and whoever reads both takes a part that is in a sum for counted. A part of
an interval before the horizon is written apart, so that a day which is deleted is one that nobody writes to. And the
horizon is announced first: every writer has asked for it again long before parts up to it go.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote

import msgspec

from cloud_api.stores.base import EARLIEST, Channel, Correction, StoreError, from_microseconds
from cloud_api.stores.influx_marks import FENCE, Marks
from cloud_api.stores.influx_parts import InfluxParts
from cloud_api.stores.influx_points import AFTER, FLOW, HOURLY, LATE, tag
from cloud_api.stores.influx_queries import (
    BY_CHANNEL,
    CORRECTIONS,
    EVERY_CHANNEL,
    EVERYWHERE,
    PARTS,
    STATE_FIELDS,
    STATES,
    between,
    channel_of,
    corrections_of,
    literal,
    select,
    states_of,
)
from cloud_api.stores.influx_server import Answer, InfluxServer
from cloud_api.stores.kept import CommittedFlow, CommittedSpace, Kept, Key, hour_of, key_of, new_parts, without_parts
from cloud_api.stores.lasting import FlowSpan, SpaceSpan, Trimmed

DAYS_AHEAD: Final = 31
"""The horizon is announced no further than so many days after the oldest part: what is between is read twice."""
PARTS_PER_RUN: Final = 500_000
CHANNELS_PER_QUERY: Final = 50
DAY: Final = timedelta(days=1)

_FIRSTS: Final = msgspec.json.Decoder(Answer[tuple[int, int | bool]])
_ALONE: Final = f'"{FLOW}", "{AFTER}"'


class InfluxLasting:
    """What is kept of parts in one database. Guards that nobody writes to a day that is deleted."""

    def __init__(self, server: InfluxServer, parts: InfluxParts, marks: Marks) -> None:
        self._server = server
        self._parts = parts
        self._marks = marks

    def forget(self, before: datetime, now: datetime) -> None:
        """Announce first: nobody is told of hours before it from then on, whoever still writes to them."""
        until = hour_of(min(before, now))
        self._marks.forgotten.announce(until, now)
        for measurement in (FLOW, AFTER, LATE, HOURLY):
            self._delete(measurement, EARLIEST, until)

    def trimmable(self, before: datetime) -> int:
        """Parts before an instant."""
        statement = select('count("parts")', _ALONE, f"WHERE {between(EARLIEST, before)}")
        return sum(int(count) for series in self._server.query(statement, _FIRSTS) for _, count in series.values)

    def trim(self, before: datetime, now: datetime) -> Trimmed:
        """Trim what was announced long enough ago, then announce what comes next."""
        until, settled, gone = hour_of(min(before, now)), self._marks.horizon.announced(now - FENCE), 0
        oldest = self._oldest_hour()
        while oldest is not None and settled is not None and oldest < settled and gone < PARTS_PER_RUN:
            gone += self._trim(oldest, min(_midnight_after(oldest), settled))
            oldest = self._oldest_hour()
        self._marks.horizon.announce(until if oldest is None else min(until, oldest + DAYS_AHEAD * DAY), now)
        return Trimmed(parts=gone, more=oldest is not None and oldest < until)

    def parts(self, channel: Channel, start: datetime, end: datetime) -> list[CommittedFlow]:
        """The parts of a channel that are kept by themselves, in order."""
        parts, sums = self._known(channel, start, end)
        fresh = new_parts(parts, sums)
        return sorted((each for each in fresh if start <= each.fact.interval.start < end), key=_in_order)

    def kept(self, channel: Channel, start: datetime, end: datetime) -> list[Kept]:
        """The sums of parts that are kept no longer."""
        return [each for each in self._known(channel, start, end)[1] if start <= each.start < end]

    def _known(self, channel: Channel, start: datetime, end: datetime) -> tuple[list[CommittedFlow], list[Kept]]:
        """Of whole hours: the parts that are there, some twice, and the sums that tell of more than these."""
        first, stop = hour_of(start), hour_of(end + timedelta(hours=1))
        parts = [*self._parts.alone([channel], first, stop), *self._parts.of(LATE, [channel], first, stop)]
        return parts, without_parts(self._parts.sums([channel], first, stop), parts)

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
            STATE_FIELDS,
            '"space"',
            f"WHERE {between(start, end)}",
            f'AND "device" = {literal(tag(device))} AND "channel" = {literal(tag(channel))}',
            'GROUP BY "device", "channel"',
        )
        found = self._server.query(statement, STATES)
        return [state for series in found for state in states_of(series.tags, series.values)]

    def every_correction(self) -> list[Correction]:
        """All corrections."""
        statement = select('"occupied", "cause", "counted", "note"', '"correction"', 'GROUP BY "place"')
        return sorted(
            (
                correction
                for series in self._server.query(statement, CORRECTIONS)
                for correction in corrections_of(unquote(series.tags["place"]), series.values)
            ),
            key=lambda each: (each.place, each.at),
        )

    def keep(self, sums: Sequence[Kept]) -> None:
        """Write another store's sums, those that tell of parts which no sum here tells of."""
        channels = sorted({each.channel for each in sums})
        for at in range(0, len(channels), CHANNELS_PER_QUERY):
            some = channels[at : at + CHANNELS_PER_QUERY]
            self._keep([each for each in sums if each.channel in some], some)

    def _keep(self, sums: Sequence[Kept], channels: Sequence[Channel]) -> None:
        first, last = min(each.start for each in sums), max(each.start for each in sums)
        there: dict[tuple[str, str, Channel, datetime], set[Key]] = defaultdict(set)
        for each in self._parts.sums(channels, first, last + timedelta(hours=1)):
            there[each.gateway, each.epoch, each.channel, each.start] |= each.keys
        new = []
        for each in sums:
            known = there[each.gateway, each.epoch, each.channel, each.start]
            if each.keys & known and each.keys - known:
                raise StoreError(
                    f"{self._server.address}: of the parts that make up {each.channel.device} {each.channel.name} at "
                    f"{each.start:%Y-%m-%dT%H:%MZ} some are here in another sum, so that they cannot be told apart"
                )
            if not each.keys <= known:
                new.append(each)
        self._parts.keep(new)

    def _oldest_hour(self) -> datetime | None:
        statement = select('first("parts")', _ALONE)
        found = [row[0] for series in self._server.query(statement, PARTS) for row in series.values]
        return hour_of(from_microseconds(min(found))) if found else None

    def _trim(self, first: datetime, stop: datetime) -> int:
        """Trim a day or less. Nobody writes its parts to where they are read from here: what is read is all."""
        channels = sorted({channel_of(series.tags) for series in self._server.query(EVERY_CHANNEL, PARTS)})
        gone = 0
        for at in range(0, len(channels), CHANNELS_PER_QUERY):
            gone += self._parts.sum_up(FLOW, channels[at : at + CHANNELS_PER_QUERY], first, stop)
        for measurement in (FLOW, AFTER):
            self._delete(measurement, first, stop)
        return gone

    def _delete(self, measurement: str, first: datetime, stop: datetime) -> None:
        self._server.delete(" ".join(("DELETE FROM", f'"{measurement}"', f"WHERE {between(first, stop)}")))


def _midnight_after(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + DAY


def _in_order(part: CommittedFlow) -> tuple[datetime, str, str, int]:
    return part.fact.interval.start, part.fact.gateway, part.fact.epoch, key_of(part.fact.interval)
