"""The production store: facts go to an InfluxDB server as line protocol, hours come back by InfluxQL.

It speaks `/write` and `/query` with Basic authentication, the one surface that 1.x, 2.x and 3 serve alike. A part's
timestamp is its start plus `part` nanoseconds, so that two parts never share a point. Nothing is buffered, nothing is
tried twice: what failed is still with who wrote it.
"""

from collections.abc import Iterator, Sequence
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
    Store,
    StoredSpace,
    StoreError,
    from_microseconds,
    raise_refusals,
    sift,
    to_microseconds,
    utc_now,
    whole_hours,
)
from cloud_api.stores.influx_points import line_of
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
    passed_of,
    stored_space,
    without,
)
from cloud_api.stores.influx_server import InfluxServer, NoDatabaseError, RefusedError

LINES_PER_WRITE = 5_000
"""The size that InfluxData advises for a batch."""
CHANNELS_PER_QUERY = 50
HOURS_PER_QUERY = 31 * 24
"""What one query may ask for, so that none runs into the timeout."""
SHARDS_LAST = "4w"
"""An hourly sum over a year then opens 13 shards of the server's, not 52."""

_Line = tuple[Fact, str]


class InfluxStore(Store):
    """History on a server. Guards one invariant: all points of a database are kept for ever."""

    def __init__(self, address: InfluxAddress, clock: Clock = utc_now) -> None:
        """Contacts nobody yet."""
        self._clock = clock
        self._server = InfluxServer(address)
        self._prepared = False

    def write(self, facts: Sequence[Fact]) -> None:
        """Commit all facts, batch by batch."""
        self._prepare()
        sound, refusals = sift(facts)
        now = self._clock()
        lines = [(fact, line_of(fact, now)) for fact in sound]
        for first in range(0, len(lines), LINES_PER_WRITE):
            refusals += self._write(lines[first : first + LINES_PER_WRITE])
        raise_refusals(refusals)

    def hours(
        self, channels: Sequence[Channel], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[Hour]:
        """Hours summed by the server from all parts, less those that came later."""
        self._prepare()
        wanted = whole_hours(start, end)
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

    def channels(self) -> list[Channel]:
        """Every channel that ever had a part, in order."""
        self._prepare()
        return sorted(channel_of(series.tags) for series in self._server.query(EVERY_CHANNEL, PARTS))

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

    def _hours(self, channels: Sequence[Channel], wanted: range, as_of: datetime | None) -> Iterator[Hour]:
        later = self._later_rows(channels, wanted, as_of)
        for series in self._server.query(hours_query(channels, wanted), HOURS):
            channel = channel_of(series.tags)
            for row in series.values:
                came_later = later.get((channel, row[0]))
                known = row if came_later is None else without(row, came_later)
                if known[PARTS_AT]:
                    yield hour_of(channel, known)

    def _later_rows(
        self, channels: Sequence[Channel], wanted: range, as_of: datetime | None
    ) -> dict[tuple[Channel, int], HourRow]:
        if as_of is None:
            return {}
        statement = hours_query(channels, wanted, committed_after(as_of))
        return {
            (channel_of(series.tags), row[0]): row
            for series in self._server.query(statement, HOURS)
            for row in series.values
        }
