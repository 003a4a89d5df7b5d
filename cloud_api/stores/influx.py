"""The production store: facts go to an InfluxDB server as line protocol, hours come back by InfluxQL.

It speaks `/write` and `/query` with Basic authentication, the one surface that 1.x, 2.x and 3 serve alike. A part's
timestamp is its start plus `part` nanoseconds, so that two parts never share a point. Nothing is buffered, nothing is
tried twice: what failed is still with who wrote it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
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
    from_seconds,
    raise_refusals,
    sift,
    to_microseconds,
    utc_now,
    whole_hours,
)
from cloud_api.stores.influx_lasting import InfluxLasting, hour_key_of
from cloud_api.stores.influx_points import FLOW, HOURLY, LATE, late_line_of, line_of
from cloud_api.stores.influx_queries import (
    CORRECTIONS,
    COUNTS,
    EVERY_CHANNEL,
    EVERY_LAST_STATE,
    FOR_EVER,
    HOURS,
    PARTS,
    PARTS_AT,
    POLICIES,
    SINCE,
    STATES,
    CountRow,
    HourRow,
    Policy,
    changes_query,
    channel_of,
    committed_after,
    committed_until,
    correction_of,
    corrections_query,
    hour_of,
    hours_query,
    intervals_query,
    newest_query,
    passed_of,
    stored_space,
    without,
)
from cloud_api.stores.influx_server import InfluxServer, NoDatabaseError, RefusedError
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
        self._lasting = InfluxLasting(self._server, monotonic)
        self._prepared = False

    def write(self, facts: Sequence[Fact]) -> None:
        """Commit all facts, batch by batch."""
        self._prepare()
        sound, refusals = sift(facts, self._lasting.forgotten.now())
        now = self._clock()
        raise_refusals(refusals + self._add([(fact, now) for fact in sound]))

    def hours(
        self, channels: Sequence[Channel], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[Hour]:
        """Hours summed by the server from all parts, less those that came later."""
        self._prepare()
        wanted = whole_hours(max(start, self._lasting.forgotten.now() or start), end)
        names = sorted(set(channels))
        return sorted(
            (
                hour
                for first in range(0, len(names), CHANNELS_PER_QUERY)
                for at in range(0, len(wanted), HOURS_PER_QUERY)
                for hour in self._hours(
                    names[first : first + CHANNELS_PER_QUERY], wanted[at : at + HOURS_PER_QUERY], as_of
                )
            ),
            key=lambda hour: (hour.channel, hour.start),
        )

    def newest(self, channels: Sequence[Channel], start: datetime, end: datetime) -> datetime | None:
        """The largest moment of commit that any part tells, found by the server."""
        self._prepare()
        names, wanted = sorted(set(channels)), whole_hours(start, end)
        found = [
            row[1]
            for first in range(0, len(names), CHANNELS_PER_QUERY)
            for series in self._server.query(newest_query(names[first : first + CHANNELS_PER_QUERY], wanted), PARTS)
            for row in series.values
        ]
        return from_microseconds(max(found)) if found else None

    def channels(self) -> list[Channel]:
        """Every channel that ever had a part, in order."""
        self._prepare()
        return sorted({channel_of(series.tags) for series in self._server.query(EVERY_CHANNEL, PARTS)})

    def last_states(self) -> list[StoredSpace]:
        """The newest state of every (device, channel), in order."""
        self._prepare()
        states = [
            stored_space(series.tags, row)
            for series in self._server.query(EVERY_LAST_STATE, STATES)
            for row in series.values
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
        start = max(start, self._lasting.horizon.now() or start)
        rows: dict[Channel, list[CountRow]] = {}
        for first in range(0, len(names), CHANNELS_PER_QUERY):
            statement = intervals_query(names[first : first + CHANNELS_PER_QUERY], start, end)
            for series in self._server.query(statement, COUNTS):
                rows.setdefault(channel_of(series.tags), []).extend(series.values)
        return [passed for channel in sorted(rows) for passed in passed_of(channel, rows[channel])]

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
        return [correction_of(place, row) for each in series for row in each.values]

    def horizon(self) -> datetime | None:
        """As it was announced last."""
        self._prepare()
        return self._lasting.horizon.now()

    def forgotten(self) -> datetime | None:
        """As it was announced last."""
        self._prepare()
        return self._lasting.forgotten.now()

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
        """The sums of one channel, in order."""
        self._prepare()
        return self._lasting.kept([channel], start, end)

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
        self._lasting.horizon.announce(horizon, self._clock())
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
        """Commit facts with the time of their commit; returns the refusals."""
        self._prepare()
        refusals: list[RefusedFactError] = []
        for first in range(0, len(facts), LINES_PER_WRITE):
            horizon = self._lasting.horizon.now()
            lines = [(fact, _line(fact, at, horizon)) for fact, at in facts[first : first + LINES_PER_WRITE]]
            refusals += self._write(lines)
        return refusals

    def _write(self, lines: list[_Line]) -> list[RefusedFactError]:
        """Write one batch; where the server objects, halve it until only the facts it objects to are left."""
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

    def _hours(self, channels: Sequence[Channel], wanted: range, as_of: datetime | None) -> Iterable[Hour]:
        sums = self._sums(FLOW, channels, wanted, as_of)
        if self._lasting.horizon.now() is None:
            return sums.values()
        kept = self._sums(HOURLY, channels, wanted, as_of)
        late = self._lasting.parts_of(LATE, channels, from_seconds(wanted.start), from_seconds(wanted.stop))
        unclear = (sums.keys() & kept.keys()) | set(map(hour_key_of, late))
        clear = [hour for key, hour in (sums | kept).items() if key not in unclear]
        return [*clear, *self._lasting.unclear_hours(unclear, late, as_of)]

    def _sums(
        self, measurement: str, channels: Sequence[Channel], wanted: range, as_of: datetime | None
    ) -> dict[tuple[Channel, datetime], Hour]:
        later = {} if as_of is None else self._rows(measurement, channels, wanted, committed_after(as_of))
        sums = {}
        for key, row in self._rows(measurement, channels, wanted).items():
            known = without(row, later[key]) if key in later else row
            if known[PARTS_AT]:
                hour = hour_of(key[0], known)
                sums[hour.channel, hour.start] = hour
        return sums

    def _rows(
        self, measurement: str, channels: Sequence[Channel], wanted: range, condition: str = ""
    ) -> dict[tuple[Channel, int], HourRow]:
        return {
            (channel_of(series.tags), row[0]): row
            for series in self._server.query(hours_query(channels, wanted, condition, measurement), HOURS)
            for row in series.values
        }


def _line(fact: Fact, committed: datetime, horizon: datetime | None) -> str:
    if horizon is not None and isinstance(fact, StoredFlow) and fact.interval.start < horizon:
        return late_line_of(fact, committed)
    return line_of(fact, committed)
