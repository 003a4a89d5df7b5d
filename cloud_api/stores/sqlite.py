"""The embedded store: one SQLite file, facts in their own tables, the hourly sums beside them in the same transaction.

One connection writes, behind a lock; every reading opens its own, and neither waits for the other (WAL). Only the
schema's own trigger adds to `hour`, and only for a part that is really new: writing a fact again changes nothing.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock

from cloud_api.stores import sqlite_lasting as lasting
from cloud_api.stores.base import (
    LATEST,
    Channel,
    Clock,
    Correction,
    Fact,
    Hour,
    Passed,
    SpaceChange,
    StoredFlow,
    StoredSpace,
    StoreError,
    from_microseconds,
    from_seconds,
    raise_refusals,
    sift,
    to_microseconds,
    to_seconds,
    utc_now,
    whole_hours,
)
from cloud_api.stores.durable_sqlite import bring_up_to_date, open_durable
from cloud_api.stores.kept import CommittedFlow, CommittedSpace, Kept, hour_of
from cloud_api.stores.lasting import FlowSpan, LastingStore, SpaceSpan, Trimmed
from cloud_api.stores.sqlite_rows import (
    Row,
    correction,
    correction_row,
    flow_row,
    hour,
    state_row,
    stored_space,
)
from cloud_api.stores.sqlite_schema import MIGRATIONS

DAY_S = 86_400
PARTS_PER_RUN = 500_000
"""So many parts go in one run of retention, or a day more."""
CHANNELS_PER_COMMIT = 25
"""A day's parts of so many channels go in one transaction: ingest waits a tenth of a second."""

_NAME_CHANNEL = "INSERT INTO channel (device, name, mode) VALUES (:device, :channel, :mode) ON CONFLICT DO NOTHING"
_NAME_ORIGIN = "INSERT INTO origin (gateway, epoch) VALUES (:gateway, :epoch) ON CONFLICT DO NOTHING"
_NAME_SPACE = "INSERT INTO space (device, channel) VALUES (:device, :channel) ON CONFLICT DO NOTHING"
_ADD_PART = """
    INSERT INTO part
    SELECT channel.id, :start, origin.id, :part, :seconds, :in, :out, :covered_s, :flags, :source, :committed
    FROM channel, origin
    WHERE device = :device AND name = :channel AND mode = :mode AND gateway = :gateway AND epoch = :epoch
    ON CONFLICT DO NOTHING
"""
_ADD_STATE = """
    INSERT INTO state
    SELECT space.id, :at, :occupied, :since, :source, :gateway, :committed
    FROM space
    WHERE device = :device AND channel = :channel
    ON CONFLICT DO NOTHING
"""
_HOURS = """
    SELECT start, in_, out, covered_s, flags, parts
    FROM hour JOIN channel ON channel.id = hour.channel
    WHERE device = :device AND name = :name AND mode = :mode AND start >= :first AND start < :stop
    ORDER BY start
"""
_HOURS_THEN = """
    WITH wanted AS (
        SELECT hour.* FROM hour JOIN channel ON channel.id = hour.channel
        WHERE device = :device AND name = :name AND mode = :mode AND start >= :first AND start < :stop
    )
    SELECT start, sum(in_), sum(out), sum(covered_s),
        max(flags & 1) | max(flags & 2) | max(flags & 4) | max(flags & 8)
        | max(flags & 16) | max(flags & 32) | max(flags & 64) | max(flags & 128),
        sum(parts)
    FROM (
        SELECT start, in_, out, covered_s, flags, parts FROM wanted WHERE committed <= :as_of
        UNION ALL
        SELECT wanted.start, part.in_, part.out, part.covered_s, part.flags, 1
        FROM wanted JOIN part
            ON part.channel = wanted.channel AND part.start >= wanted.start AND part.start < wanted.start + 3600
        WHERE wanted.committed > :as_of AND part.committed <= :as_of
        UNION ALL
        SELECT wanted.start, kept.in_, kept.out, kept.covered_s, kept.flags, kept.parts
        FROM wanted JOIN kept ON kept.channel = wanted.channel AND kept.start = wanted.start
        WHERE wanted.committed > :as_of AND kept.committed <= :as_of
    )
    GROUP BY start ORDER BY start
"""
_NEWEST = """
    SELECT max(committed) FROM hour JOIN channel ON channel.id = hour.channel
    WHERE device = ? AND name = ? AND mode = ? AND start >= ? AND start < ?
"""
_CHANNELS = "SELECT device, name, mode FROM channel ORDER BY device, name, mode"
_LAST_STATES = """
    SELECT device, channel, at, occupied, since, source, gateway
    FROM space JOIN state ON state.space = space.id
    WHERE at = (SELECT max(at) FROM state WHERE space = space.id)
    ORDER BY device, channel
"""
_CHANGES = """
    SELECT DISTINCT channel, since, occupied
    FROM space JOIN state ON state.space = space.id
    WHERE device = ? AND at >= ? AND at < ? AND since >= ? AND committed <= ?
    ORDER BY channel, since, occupied
"""
_INTERVALS = """
    SELECT start, max(seconds), sum(in_), sum(out), min(sum(covered_s), max(seconds))
    FROM part JOIN channel ON channel.id = part.channel
    WHERE device = ? AND name = ? AND mode = ? AND start >= ? AND start < ?
    GROUP BY start ORDER BY start
"""
_ADD_CORRECTION = """
    INSERT INTO correction VALUES (:place, :at, :occupied, :cause, :counted, :note) ON CONFLICT DO NOTHING
"""
_CORRECTIONS = """
    SELECT place, at, occupied, cause, counted, note FROM correction
    WHERE place = ? AND at >= ? AND at < ? ORDER BY at
"""


class SqliteStore(LastingStore):
    """History in one file. Guards one invariant: `hour` is at every commit the sum over `part` and `kept`."""

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        """Open the file, or create it in a folder that exists; bring its schema up to date. Raises `StoreError`."""
        self._path = path
        self._clock = clock
        self._lock = Lock()
        with self._store_errors():
            self._writer = open_durable(self._path)
        try:
            with self._transaction() as connection:
                bring_up_to_date(connection, MIGRATIONS, str(self._path))
        except StoreError:
            self._writer.close()
            raise

    def write(self, facts: Sequence[Fact]) -> None:
        """Commit all facts in one transaction."""
        with self._transaction() as connection:
            now = to_microseconds(self._clock())
            sound, refusals = sift(facts, lasting.forgotten(connection))
            _add(
                connection,
                [flow_row(fact, now) for fact in sound if isinstance(fact, StoredFlow)],
                [state_row(fact, now) for fact in sound if isinstance(fact, StoredSpace)],
            )
        raise_refusals(refusals)

    def hours(
        self, channels: Sequence[Channel], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[Hour]:
        """Hours from the rollup, at the price of one look-up a channel; parts are summed where some came later."""
        wanted = whole_hours(start, end)
        statement = _HOURS if as_of is None else _HOURS_THEN
        asked: Row = {
            "first": wanted.start,
            "stop": wanted.stop,
            "as_of": None if as_of is None else to_microseconds(as_of),
        }
        with self._reading() as connection:
            return [
                hour(channel, row)
                for channel in sorted(set(channels))
                for row in connection.execute(
                    statement, {**asked, "device": channel.device, "name": channel.name, "mode": channel.mode}
                )
            ]

    def newest(self, channels: Sequence[Channel], start: datetime, end: datetime) -> datetime | None:
        """From the rollup, at the price of one look-up a channel."""
        wanted = whole_hours(start, end)
        with self._reading() as connection:
            found = [
                connection.execute(_NEWEST, (each.device, each.name, each.mode, wanted.start, wanted.stop)).fetchone()
                for each in set(channels)
            ]
        newest = max((at for (at,) in found if at), default=None)
        return None if newest is None else from_microseconds(newest)

    def channels(self) -> list[Channel]:
        """Every channel that ever had a part, in order."""
        with self._reading() as connection:
            return [Channel(*row) for row in connection.execute(_CHANNELS)]

    def last_states(self) -> list[StoredSpace]:
        """The newest state of every (device, channel), in order."""
        with self._reading() as connection:
            return [stored_space(row) for row in connection.execute(_LAST_STATES)]

    def changes(
        self, devices: Sequence[str], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[SpaceChange]:
        """Distinct moments of change, at the price of reading every state of the period."""
        first, last, until = to_microseconds(start), to_microseconds(end), to_microseconds(as_of or LATEST)
        with self._reading() as connection:
            return [
                SpaceChange(device=device, channel=channel, at=from_microseconds(since), occupied=bool(occupied))
                for device in sorted(set(devices))
                for channel, since, occupied in connection.execute(_CHANGES, (device, first, last, first, until))
            ]

    def intervals(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Passed]:
        """Parts summed by interval."""
        with self._reading() as connection:
            first, last = max(to_seconds(start), lasting.horizon(connection) or 0), to_seconds(end)
            return [
                Passed(channel=channel, start=from_seconds(at), seconds=seconds, in_=in_, out=out, covered_s=covered_s)
                for channel in sorted(set(channels))
                for at, seconds, in_, out, covered_s in connection.execute(
                    _INTERVALS, (channel.device, channel.name, channel.mode, first, last)
                )
            ]

    def correct(self, corrections: Sequence[Correction]) -> None:
        """Commit all corrections in one transaction."""
        with self._transaction() as connection:
            connection.executemany(_ADD_CORRECTION, [correction_row(each) for each in corrections])

    def corrections(self, place: str, start: datetime, end: datetime) -> list[Correction]:
        """The corrections of one car park."""
        with self._reading() as connection:
            rows = connection.execute(_CORRECTIONS, (place, to_microseconds(start), to_microseconds(end)))
            return [correction(*row) for row in rows]

    def horizon(self) -> datetime | None:
        """As of the last run of retention."""
        with self._reading() as connection:
            before = lasting.horizon(connection)
        return None if before is None else from_seconds(before)

    def forgotten(self) -> datetime | None:
        """As of the last run of retention."""
        with self._reading() as connection:
            return lasting.forgotten(connection)

    def forget(self, before: datetime, *, now: datetime) -> None:
        """A channel in one transaction."""
        until = to_seconds(hour_of(min(before, now)))
        with self._reading() as connection:
            channels = lasting.channels(connection)
        for number, _ in channels:
            with self._transaction() as connection:
                lasting.forget(connection, number, until)

    def trimmable(self, before: datetime) -> int:
        """Parts counted in the index."""
        with self._reading() as connection:
            return lasting.trimmable(connection, before)

    def trim(self, before: datetime, *, now: datetime) -> Trimmed:
        """Day by day, some channels in one transaction; a writer waits for one of these at most."""
        until, gone = to_seconds(hour_of(min(before, now))), 0
        while gone < PARTS_PER_RUN:
            with self._reading() as connection:
                oldest, channels = lasting.oldest(connection), lasting.channels(connection)
            if oldest is None or oldest >= until:
                break
            gone += self._trim_day(channels, min(oldest // DAY_S * DAY_S + DAY_S, until))
        else:
            return Trimmed(parts=gone, more=True)
        with self._transaction() as connection:
            lasting.advance(connection, until)
        return Trimmed(parts=gone, more=False)

    def _trim_day(self, channels: Sequence[tuple[int, Channel]], end: int) -> int:
        gone = 0
        for first in range(0, len(channels), CHANNELS_PER_COMMIT):
            with self._transaction() as connection:
                lasting.advance(connection, end)
                for number, channel in channels[first : first + CHANNELS_PER_COMMIT]:
                    gone += lasting.trim_channel(connection, number, channel, end)
        return gone

    def settle(self, _now: datetime, /) -> bool:
        """Nothing is left to do: sums are of the same transaction as their parts."""
        return False

    def flow_spans(self) -> list[FlowSpan]:
        """From the rollup."""
        with self._reading() as connection:
            return lasting.flow_spans(connection)

    def space_spans(self) -> list[SpaceSpan]:
        """Two look-ups a space."""
        with self._reading() as connection:
            return lasting.space_spans(connection)

    def parts(self, channel: Channel, start: datetime, end: datetime) -> list[CommittedFlow]:
        """The parts of one channel, in order."""
        with self._reading() as connection:
            return lasting.parts(connection, channel, start, end)

    def kept(self, channel: Channel, start: datetime, end: datetime) -> list[Kept]:
        """The sums of one channel, in order."""
        with self._reading() as connection:
            return lasting.kept(connection, channel, to_seconds(start), to_seconds(end))

    def states(self, device: str, channel: str, start: datetime, end: datetime) -> list[CommittedSpace]:
        """The states of one space, in order."""
        with self._reading() as connection:
            return lasting.states(connection, device, channel, start, end)

    def every_correction(self) -> list[Correction]:
        """All corrections, in order."""
        with self._reading() as connection:
            return list(lasting.every_correction(connection))

    def take_over(self, facts: Sequence[CommittedFlow | CommittedSpace]) -> None:
        """Commit all in one transaction."""
        flows = [flow_row(each.fact, to_microseconds(each.at)) for each in facts if isinstance(each, CommittedFlow)]
        states = [state_row(each.fact, to_microseconds(each.at)) for each in facts if isinstance(each, CommittedSpace)]
        with self._transaction() as connection:
            _add(connection, flows, states)

    def keep(self, sums: Sequence[Kept], horizon: datetime) -> None:
        """Commit all in one transaction."""
        with self._transaction() as connection:
            lasting.advance(connection, to_seconds(horizon))
            lasting.keep(connection, sums)

    def ready(self) -> None:
        """Return when the file can be locked for writing."""
        with self._transaction():
            pass

    def close(self) -> None:
        """Close the writing connection, once a write that is under way has ended."""
        with self._lock:
            self._writer.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The writing connection; what was done with it is committed at the end, or undone."""
        with self._store_errors(), self._lock, self._writer as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of one's own that sees one moment of the store."""
        with self._store_errors(), closing(open_durable(self._path)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def _store_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error


def _add(connection: sqlite3.Connection, flows: Sequence[Row], states: Sequence[Row]) -> None:
    connection.executemany(_NAME_CHANNEL, flows)
    connection.executemany(_NAME_ORIGIN, flows)
    connection.executemany(_ADD_PART, flows)
    connection.executemany(_NAME_SPACE, states)
    connection.executemany(_ADD_STATE, states)
