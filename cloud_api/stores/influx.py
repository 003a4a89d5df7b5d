"""The production store: facts go to an InfluxDB server as line protocol, hours come back by InfluxQL.

It speaks `/write` and `/query` with Basic authentication, the one surface that 1.x, 2.x and 3 serve alike. A part's
timestamp is its start plus `part` nanoseconds, so that two parts never share a point. Nothing is buffered, nothing is
tried twice: what failed is still with who wrote it.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeGuard
from urllib.parse import unquote

from cloud_api.stores.address import InfluxAddress
from cloud_api.stores.base import (
    Channel,
    Clock,
    Correction,
    Fact,
    Hour,
    Passed,
    RefusedFactError,
    SpaceChange,
    StoredFlow,
    StoredSpace,
    StoreError,
    from_microseconds,
    raise_refusals,
    sift,
    to_microseconds,
    utc_now,
)
from cloud_api.stores.influx_hours import InfluxHours
from cloud_api.stores.influx_lasting import InfluxLasting
from cloud_api.stores.influx_marks import Marks
from cloud_api.stores.influx_parts import InfluxParts
from cloud_api.stores.influx_points import after_line_of, late_line_of, line_of
from cloud_api.stores.influx_queries import (
    CORRECTIONS,
    COUNTS,
    EVERY_CHANNEL,
    FOR_EVER,
    LAST_STATES,
    PARTS,
    POLICIES,
    SINCE,
    STATES,
    CountRow,
    Policy,
    changes_query,
    channel_of,
    committed_after,
    committed_until,
    corrections_of,
    corrections_query,
    intervals_query,
    passed_of,
    states_of,
)
from cloud_api.stores.influx_server import InfluxServer, NoDatabaseError, RefusedError
from cloud_api.stores.influx_sums import InfluxSums
from cloud_api.stores.kept import CommittedFlow, CommittedSpace, Kept
from cloud_api.stores.lasting import FlowSpan, LastingStore, SpaceSpan, Trimmed

LINES_PER_WRITE = 5_000
"""The size that InfluxData advises for a batch."""
CHANNELS_PER_QUERY = 50
HOURS_PER_QUERY = 31 * 24
"""What one query may ask for, so that none runs into the timeout."""
SHARDS_LAST = "4w"
"""An hourly sum over a year then opens 13 shards of the server's, not 52."""

_Line = tuple[Fact, str]


class InfluxStore(LastingStore):
    """History on a server. Guards one invariant: no point of a database goes but by our own retention."""

    def __init__(
        self, address: InfluxAddress, clock: Clock = utc_now, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Contacts nobody yet."""
        self._clock = clock
        self._server = InfluxServer(address)
        self._marks = Marks(self._server, monotonic)
        self._parts = InfluxParts(self._server)
        self._hours = InfluxHours(self._server, self._parts, self._marks)
        self._sums = InfluxSums(self._server, self._parts, self._marks)
        self._lasting = InfluxLasting(self._server, self._parts, self._marks)
        self._prepared = False

    def write(self, facts: Sequence[Fact]) -> None:
        """Commit all facts, batch by batch."""
        self._prepare()
        sound, refusals = sift(facts, self._marks.forgotten.now())
        for first in range(0, len(sound), LINES_PER_WRITE):
            now = self._clock()
            refusals += self._add([(fact, now) for fact in sound[first : first + LINES_PER_WRITE]])
        raise_refusals(refusals)

    def hours(
        self, channels: Sequence[Channel], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[Hour]:
        """Hours from the sums that are made, and from all parts since."""
        self._prepare()
        return self._hours.hours(channels, start, end, as_of)

    def newest(self, channels: Sequence[Channel], start: datetime, end: datetime) -> datetime | None:
        """The largest moment of commit, found by the server."""
        self._prepare()
        return self._hours.newest(channels, start, end)

    def channels(self) -> list[Channel]:
        """Every channel that ever had a part, in order."""
        self._prepare()
        return sorted({channel_of(series.tags) for series in self._server.query(EVERY_CHANNEL, PARTS)})

    def last_states(self) -> list[StoredSpace]:
        """The newest state of every (device, channel), in order."""
        self._prepare()
        states = [
            each.fact
            for series in self._server.query(LAST_STATES, STATES)
            for each in islice(states_of(series.tags, series.values), 1)
        ]
        return sorted(states, key=lambda stored: (stored.state.device, stored.state.channel))

    def changes(
        self, devices: Sequence[str], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[SpaceChange]:
        """Distinct moments of change, found by the server; without those that were told later alone."""
        self._prepare()
        told = self._changes(devices, start, end)
        if as_of is not None:
            later = self._changes(devices, start, end, committed_after(as_of))
            told -= later - self._changes(devices, start, end, committed_until(as_of))
        return sorted(told)

    def _changes(self, devices: Sequence[str], start: datetime, end: datetime, condition: str = "") -> set[SpaceChange]:
        names = sorted(set(devices))
        return {
            SpaceChange(
                device=unquote(series.tags["device"]),
                channel=unquote(series.tags["channel"]),
                at=from_microseconds(since),
                occupied=occupied,
            )
            for first in range(0, len(names), CHANNELS_PER_QUERY)
            for occupied in (False, True)
            for series in self._server.query(
                changes_query(
                    names[first : first + CHANNELS_PER_QUERY], start, end, occupied=occupied, condition=condition
                ),
                SINCE,
            )
            for _, since in series.values
            if since >= to_microseconds(start)
        }

    def intervals(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Passed]:
        """Parts as the server has them, summed here: their times differ by nanoseconds."""
        self._prepare()
        names = sorted(set(channels))
        start = max(start, self._marks.horizon.now() or start)
        rows: dict[Channel, dict[tuple[str, str, int], CountRow]] = {}
        for first in range(0, len(names), CHANNELS_PER_QUERY):
            statement = intervals_query(names[first : first + CHANNELS_PER_QUERY], start, end)
            for series in self._server.query(statement, COUNTS, epoch="ns"):
                outbox = series.tags["gateway"], series.tags["epoch"]
                rows.setdefault(channel_of(series.tags), {}).update({(*outbox, row[0]): row for row in series.values})
        return [passed for channel in sorted(rows) for passed in passed_of(channel, rows[channel].values())]

    def correct(self, corrections: Sequence[Correction]) -> None:
        """Commit all corrections."""
        self._prepare()
        if not corrections:
            return
        now = self._clock()
        lines = [line_of(each, now) for each in corrections]
        try:
            self._server.write("\n".join(lines))
        except RefusedError as error:
            raise StoreError(f"{self._server.address}: refuses a correction: {error.reason}") from error

    def corrections(self, place: str, start: datetime, end: datetime) -> list[Correction]:
        """The corrections of one car park."""
        self._prepare()
        series = self._server.query(corrections_query(place, start, end), CORRECTIONS)
        return [correction for each in series for correction in corrections_of(place, each.values)]

    def horizon(self) -> datetime | None:
        """As it was announced last."""
        self._prepare()
        return self._marks.horizon.now()

    def forgotten(self) -> datetime | None:
        """As it was announced last."""
        self._prepare()
        return self._marks.forgotten.now()

    def forget(self, before: datetime, *, now: datetime) -> None:
        """Announce it, then delete."""
        self._prepare()
        self._lasting.forget(before, now)

    def trimmable(self, before: datetime) -> int:
        """Parts counted by the server."""
        self._prepare()
        return self._lasting.trimmable(before)

    def trim(self, before: datetime, *, now: datetime) -> Trimmed:
        """Trim what an earlier run announced, at least ten minutes ago, and announce what the next one will."""
        self._prepare()
        return self._lasting.trim(before, now)

    def settle(self, now: datetime, /) -> bool:
        """Make the sums that an earlier run announced, at least ten minutes ago, and announce the next."""
        self._prepare()
        return self._sums.settle(now)

    def flow_spans(self) -> list[FlowSpan]:
        """The first and last points of every channel."""
        self._prepare()
        return self._lasting.flow_spans()

    def space_spans(self) -> list[SpaceSpan]:
        """The first and last points of every space."""
        self._prepare()
        return self._lasting.space_spans()

    def parts(self, channel: Channel, start: datetime, end: datetime) -> list[CommittedFlow]:
        """The parts of one channel, in order."""
        self._prepare()
        return self._lasting.parts(channel, start, end)

    def kept(self, channel: Channel, start: datetime, end: datetime) -> list[Kept]:
        """The sums of one channel that stand for parts which went, in order."""
        self._prepare()
        return self._lasting.kept(channel, start, end)

    def states(self, device: str, channel: str, start: datetime, end: datetime) -> list[CommittedSpace]:
        """The states of one space, in order."""
        self._prepare()
        return self._lasting.states(device, channel, start, end)

    def every_correction(self) -> list[Correction]:
        """All corrections, in order."""
        self._prepare()
        return self._lasting.every_correction()

    def take_over(self, facts: Sequence[CommittedFlow | CommittedSpace]) -> None:
        """Commit all, batch by batch."""
        refusals = self._add([(each.fact, each.at) for each in facts])
        if refusals:
            raise StoreError(f"{self._server.address}: refuses a fact of the other store: {refusals[0].reason}")

    def keep(self, sums: Sequence[Kept], horizon: datetime) -> None:
        """Announce the horizon, so that sums are read, and commit them batch by batch."""
        self._prepare()
        self._marks.horizon.announce(horizon, self._clock())
        self._lasting.keep(sums)

    def ready(self) -> None:
        """Return when the server answers and has our database, which is created where it is missing."""
        database = self._server.address.database
        try:
            policies = self._policies()
        except NoDatabaseError:
            self._server.create(f'CREATE DATABASE "{database}" WITH DURATION INF SHARD DURATION {SHARDS_LAST}')
            policies = self._policies()
        default = next((policy for policy in policies if policy.default), None)
        if default is None or default.duration != FOR_EVER:
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

    def _policies(self) -> list[Policy]:
        statement = f'SHOW RETENTION POLICIES ON "{self._server.address.database}"'
        return [policy for series in self._server.query(statement, POLICIES) for policy in series.values]

    def _add(self, facts: Sequence[tuple[Fact, datetime]]) -> list[RefusedFactError]:
        """Commit facts with the time of their commit; returns the refusals.

        What may be late for a sum is written to where sums are completed from first: whoever finds the part by
        itself finds it there too.
        """
        self._prepare()
        refusals: list[RefusedFactError] = []
        for first in range(0, len(facts), LINES_PER_WRITE):
            batch = facts[first : first + LINES_PER_WRITE]
            horizon, summing = self._marks.horizon.now(), self._marks.summing.now()
            late = [(fact, late_line_of(fact, at, summing)) for fact, at in batch if _is_before(fact, horizon, summing)]
            refused = self._write(late)
            never = [each.fact for each in refused]
            rest = [
                (fact, after_line_of(fact, at) if _is_before(fact, summing) else line_of(fact, at))
                for fact, at in batch
                if not _is_before(fact, horizon) and fact not in never
            ]
            refusals += refused + self._write(rest)
        return refusals

    def _write(self, lines: Sequence[_Line]) -> list[RefusedFactError]:
        """Write one batch; where the server objects, halve it until only the facts it objects to are left."""
        if not lines:
            return []
        try:
            self._server.write("\n".join(line for _, line in lines))
        except NoDatabaseError:
            self._prepared = False
            raise
        except RefusedError as error:
            if len(lines) == 1:
                return [RefusedFactError(lines[0][0], error.reason)]
            half = len(lines) // 2
            return self._write(lines[:half]) + self._write(lines[half:])
        return []


def _is_before(fact: Fact, *marks: datetime | None) -> TypeGuard[StoredFlow]:
    """Whether it is a part of an interval before any of these."""
    return isinstance(fact, StoredFlow) and any(mark is not None and fact.interval.start < mark for mark in marks)
