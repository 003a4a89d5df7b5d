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

from cloud_api.stores.base import (
    HOUR_S,
    LATEST,
    Channel,
    Clock,
    Correction,
    CorrectionCause,
    Fact,
    Hour,
    Passed,
    SpaceChange,
    Store,
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
from cloud_api.stores.sqlite_schema import MIGRATIONS
from edge.messages import Flag, SpaceState, TimeSource

BUSY_TIMEOUT_S = 10
"""How long to wait for another process that writes to the same file."""

FLAG_BITS = {
    Flag.SPLIT: 1,
    Flag.SPREAD: 2,
    Flag.LATE: 4,
    Flag.RESET: 8,
    Flag.LOST: 16,
    Flag.CLOCK: 32,
    Flag.DISAGREES: 64,
    Flag.MERGED: 128,
}
"""How flags are written in the file: a bit keeps its meaning for ever."""

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
    SELECT start, in_, out, covered_s, flags, parts
    FROM hour JOIN channel ON channel.id = hour.channel
    WHERE device = :device AND name = :name AND mode = :mode AND start >= :first AND start < :stop
        AND committed <= :as_of
    UNION ALL
    SELECT hour.start, sum(part.in_), sum(part.out), sum(part.covered_s),
        max(part.flags & 1) | max(part.flags & 2) | max(part.flags & 4) | max(part.flags & 8)
        | max(part.flags & 16) | max(part.flags & 32) | max(part.flags & 64) | max(part.flags & 128),
        count(*)
    FROM hour JOIN channel ON channel.id = hour.channel
        JOIN part ON part.channel = hour.channel AND part.start >= hour.start AND part.start < hour.start + 3600
    WHERE device = :device AND name = :name AND mode = :mode AND hour.start >= :first AND hour.start < :stop
        AND hour.committed > :as_of AND part.committed <= :as_of
    GROUP BY hour.start
    ORDER BY 1
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

_Row = dict[str, str | int | None]


class SqliteStore(Store):
    """History in one file. Guards one invariant: `hour` is at every commit the sum over `part`."""

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        """Open the file, or create it in a folder that exists; bring its schema up to date. Raises `StoreError`."""
        self._path = path
        self._clock = clock
        self._lock = Lock()
        with self._store_errors():
            self._writer = self._connect()
        try:
            self._migrate()
        except StoreError:
            self._writer.close()
            raise

    def write(self, facts: Sequence[Fact]) -> None:
        """Commit all facts in one transaction."""
        sound, refusals = sift(facts)
        now = to_microseconds(self._clock())
        flows = [_flow_row(fact, now) for fact in sound if isinstance(fact, StoredFlow)]
        states = [_state_row(fact, now) for fact in sound if isinstance(fact, StoredSpace)]
        with self._transaction() as connection:
            connection.executemany(_NAME_CHANNEL, flows)
            connection.executemany(_NAME_ORIGIN, flows)
            connection.executemany(_ADD_PART, flows)
            connection.executemany(_NAME_SPACE, states)
            connection.executemany(_ADD_STATE, states)
        raise_refusals(refusals)

    def hours(
        self, channels: Sequence[Channel], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[Hour]:
        """Hours from the rollup, at the price of one look-up a channel; parts are summed where some came later."""
        wanted = whole_hours(start, end)
        statement = _HOURS if as_of is None else _HOURS_THEN
        asked: _Row = {
            "first": wanted.start,
            "stop": wanted.stop,
            "as_of": None if as_of is None else to_microseconds(as_of),
        }
        with self._reading() as connection:
            return [
                _hour(channel, row)
                for channel in sorted(set(channels))
                for row in connection.execute(
                    statement, {**asked, "device": channel.device, "name": channel.name, "mode": channel.mode}
                )
            ]

    def channels(self) -> list[Channel]:
        """Every channel that ever had a part, in order."""
        with self._reading() as connection:
            return [Channel(*row) for row in connection.execute(_CHANNELS)]

    def last_states(self) -> list[StoredSpace]:
        """The newest state of every (device, channel), in order."""
        with self._reading() as connection:
            return [_stored_space(row) for row in connection.execute(_LAST_STATES)]

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
        first, last = to_seconds(start), to_seconds(end)
        with self._reading() as connection:
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
            connection.executemany(_ADD_CORRECTION, [_correction_row(each) for each in corrections])

    def corrections(self, place: str, start: datetime, end: datetime) -> list[Correction]:
        """The corrections of one car park."""
        with self._reading() as connection:
            rows = connection.execute(_CORRECTIONS, (place, to_microseconds(start), to_microseconds(end)))
            return [_correction(*row) for row in rows]

    def ready(self) -> None:
        """Return when the file can be locked for writing."""
        with self._transaction():
            pass

    def close(self) -> None:
        """Close the writing connection, once a write that is under way has ended."""
        with self._lock:
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _migrate(self) -> None:
        with self._transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise StoreError(
                    f"{self._path}: written by a newer Passerelle (schema {version}, this one knows {len(MIGRATIONS)})"
                )
            for statement in (statement for step in MIGRATIONS[version:] for statement in step):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The writing connection; what was done with it is committed at the end, or undone."""
        with self._store_errors(), self._lock, self._writer as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of one's own that sees one moment of the store."""
        with self._store_errors(), closing(self._connect()) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def _store_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error


def _flow_row(fact: StoredFlow, now: int) -> _Row:
    interval = fact.interval
    return {
        "gateway": fact.gateway,
        "epoch": fact.epoch,
        "device": interval.device,
        "channel": interval.channel,
        "mode": interval.mode,
        "start": to_seconds(interval.start),
        "part": interval.part,
        "seconds": interval.seconds,
        "in": interval.in_,
        "out": interval.out,
        "covered_s": interval.covered_s,
        "flags": sum(FLAG_BITS[flag] for flag in set(interval.flags)),
        "source": interval.source,
        "committed": now,
    }


def _state_row(fact: StoredSpace, now: int) -> _Row:
    state = fact.state
    return {
        "gateway": fact.gateway,
        "device": state.device,
        "channel": state.channel,
        "at": to_microseconds(state.at),
        "occupied": state.occupied,
        "since": None if state.since is None else to_microseconds(state.since),
        "source": state.source,
        "committed": now,
    }


def _correction_row(correction: Correction) -> _Row:
    return {
        "place": correction.place,
        "at": to_microseconds(correction.at),
        "occupied": correction.occupied,
        "cause": correction.cause,
        "counted": correction.counted,
        "note": correction.note,
    }


def _correction(place: str, at: int, occupied: int, cause: str, counted: int | None, note: str) -> Correction:
    return Correction(
        place=place,
        at=from_microseconds(at),
        occupied=occupied,
        cause=CorrectionCause(cause),
        counted=counted,
        note=note,
    )


def _hour(channel: Channel, row: tuple[int, int, int | None, int, int, int]) -> Hour:
    start, in_, out, covered_s, flags, parts = row
    return Hour(
        channel=channel,
        start=from_seconds(start),
        in_=in_,
        out=out,
        covered_s=min(covered_s, HOUR_S),
        flags=frozenset(flag for flag, bit in FLAG_BITS.items() if flags & bit),
        parts=parts,
    )


def _stored_space(row: tuple[str, str, int, int, int | None, str, str]) -> StoredSpace:
    device, channel, at, occupied, since, source, gateway = row
    state = SpaceState(
        device=device,
        channel=channel,
        occupied=bool(occupied),
        at=from_microseconds(at),
        since=None if since is None else from_microseconds(since),
        source=TimeSource(source),
    )
    return StoredSpace(gateway=gateway, state=state)
