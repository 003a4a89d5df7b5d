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
    Channel,
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
    whole_hours,
)
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

_VERSION_1 = (
    """CREATE TABLE channel (
        id INTEGER PRIMARY KEY, device TEXT NOT NULL, name TEXT NOT NULL, mode TEXT NOT NULL,
        UNIQUE (device, name, mode)
    ) STRICT""",
    """CREATE TABLE origin (
        id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, epoch TEXT NOT NULL,
        UNIQUE (gateway, epoch)
    ) STRICT""",
    """CREATE TABLE part (
        channel INTEGER NOT NULL,
        start INTEGER NOT NULL,    -- seconds since 1970
        origin INTEGER NOT NULL,
        part INTEGER NOT NULL,
        seconds INTEGER NOT NULL,
        in_ INTEGER NOT NULL,
        out INTEGER,
        covered_s INTEGER NOT NULL,
        flags INTEGER NOT NULL,    -- a union of bits
        source TEXT NOT NULL,
        PRIMARY KEY (channel, start, origin, part)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE hour (
        channel INTEGER NOT NULL,
        start INTEGER NOT NULL,
        in_ INTEGER NOT NULL,
        out INTEGER,
        covered_s INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        parts INTEGER NOT NULL,
        PRIMARY KEY (channel, start)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER part_adds_to_hour AFTER INSERT ON part BEGIN
        INSERT INTO hour
        VALUES (new.channel, new.start - new.start % 3600, new.in_, new.out, new.covered_s, new.flags, 1)
        ON CONFLICT DO UPDATE SET
            in_ = in_ + excluded.in_,
            out = coalesce(out + excluded.out, out, excluded.out),
            covered_s = covered_s + excluded.covered_s,
            flags = flags | excluded.flags,
            parts = parts + 1;
    END""",
    """CREATE TABLE space (
        id INTEGER PRIMARY KEY, device TEXT NOT NULL, channel TEXT NOT NULL,
        UNIQUE (device, channel)
    ) STRICT""",
    """CREATE TABLE state (
        space INTEGER NOT NULL,
        at INTEGER NOT NULL,       -- microseconds since 1970
        occupied INTEGER NOT NULL,
        since INTEGER,
        source TEXT NOT NULL,
        gateway TEXT NOT NULL,
        PRIMARY KEY (space, at)
    ) STRICT, WITHOUT ROWID""",
)

_VERSION_2 = (
    """CREATE TABLE correction (
        place TEXT NOT NULL,
        at INTEGER NOT NULL,       -- microseconds since 1970
        occupied INTEGER NOT NULL,
        cause TEXT NOT NULL,
        counted INTEGER,
        note TEXT NOT NULL,
        PRIMARY KEY (place, at)
    ) STRICT, WITHOUT ROWID""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2)
"""What brings a file from version n to n + 1, each applied wholly or not at all. Entries are added, never changed."""

_NAME_CHANNEL = "INSERT INTO channel (device, name, mode) VALUES (:device, :channel, :mode) ON CONFLICT DO NOTHING"
_NAME_ORIGIN = "INSERT INTO origin (gateway, epoch) VALUES (:gateway, :epoch) ON CONFLICT DO NOTHING"
_NAME_SPACE = "INSERT INTO space (device, channel) VALUES (:device, :channel) ON CONFLICT DO NOTHING"
_ADD_PART = """
    INSERT INTO part
    SELECT channel.id, :start, origin.id, :part, :seconds, :in, :out, :covered_s, :flags, :source
    FROM channel, origin
    WHERE device = :device AND name = :channel AND mode = :mode AND gateway = :gateway AND epoch = :epoch
    ON CONFLICT DO NOTHING
"""
_ADD_STATE = """
    INSERT INTO state
    SELECT space.id, :at, :occupied, :since, :source, :gateway
    FROM space
    WHERE device = :device AND channel = :channel
    ON CONFLICT DO NOTHING
"""
_HOURS = """
    SELECT start, in_, out, covered_s, flags, parts
    FROM hour JOIN channel ON channel.id = hour.channel
    WHERE device = ? AND name = ? AND mode = ? AND start >= ? AND start < ?
    ORDER BY start
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
    WHERE device = ? AND at >= ? AND at < ? AND since >= ?
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

    def __init__(self, path: Path) -> None:
        """Open the file, or create it in a folder that exists; bring its schema up to date. Raises `StoreError`."""
        self._path = path
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
        flows = [_flow_row(fact) for fact in sound if isinstance(fact, StoredFlow)]
        states = [_state_row(fact) for fact in sound if isinstance(fact, StoredSpace)]
        with self._transaction() as connection:
            connection.executemany(_NAME_CHANNEL, flows)
            connection.executemany(_NAME_ORIGIN, flows)
            connection.executemany(_ADD_PART, flows)
            connection.executemany(_NAME_SPACE, states)
            connection.executemany(_ADD_STATE, states)
        raise_refusals(refusals)

    def hours(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Hour]:
        """Hours from the rollup, at the price of one look-up a channel."""
        wanted = whole_hours(start, end)
        with self._reading() as connection:
            return [
                _hour(channel, row)
                for channel in sorted(set(channels))
                for row in connection.execute(
                    _HOURS, (channel.device, channel.name, channel.mode, wanted.start, wanted.stop)
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

    def changes(self, devices: Sequence[str], start: datetime, end: datetime) -> list[SpaceChange]:
        """Distinct moments of change, at the price of reading every state of the period."""
        first, last = to_microseconds(start), to_microseconds(end)
        with self._reading() as connection:
            return [
                SpaceChange(device=device, channel=channel, at=from_microseconds(since), occupied=bool(occupied))
                for device in sorted(set(devices))
                for channel, since, occupied in connection.execute(_CHANGES, (device, first, last, first))
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


def _flow_row(fact: StoredFlow) -> _Row:
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
    }


def _state_row(fact: StoredSpace) -> _Row:
    state = fact.state
    return {
        "gateway": fact.gateway,
        "device": state.device,
        "channel": state.channel,
        "at": to_microseconds(state.at),
        "occupied": state.occupied,
        "since": None if state.since is None else to_microseconds(state.since),
        "source": state.source,
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
