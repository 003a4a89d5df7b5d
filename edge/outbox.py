"""The durable queue and the checkpoints, in one SQLite file, so that one transaction holds both.

In come device states and the messages that follow from them, together or not at all; out go messages in order, until
the cloud says that its store has them. Must never forget a message that is not stored, nor number two alike.
"""

import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from edge import messages
from edge.aggregator.device import DeviceState
from edge.messages import Epoch, OutboxMessage, SeqRange

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE identity (only INTEGER PRIMARY KEY CHECK (only = 1), gateway TEXT NOT NULL, epoch TEXT NOT NULL,
                       last_seq INTEGER NOT NULL);
CREATE TABLE outbox (seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, retain INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE device (address TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE waiting (id INTEGER PRIMARY KEY, session TEXT NOT NULL, heard_ms INTEGER NOT NULL, device TEXT NOT NULL,
                      body BLOB NOT NULL);
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


class OutboxError(Exception):
    """The outbox cannot be read or written: the file, what is wrong, and what to do."""

    def __init__(self, path: Path, reason: str, *, advice: str) -> None:
        self.path = path
        self.reason = reason
        self.advice = advice
        super().__init__(f"{path}: {reason}; {advice}")


class Entry(Struct, frozen=True):
    """One message as it waits to be published."""

    seq: int
    topic: str
    retain: bool
    body: bytes


class Waiting(Struct, frozen=True):
    """An observation that waits until the wall-clock time is known."""

    session: str
    """The run of the monotonic clock that `heard_ms` belongs to (`Clock.session`)."""
    heard_ms: int
    device: str
    body: bytes
    id: int = 0
    """Given by the outbox; 0 before."""


class Outbox:
    """Guards one invariant: a checkpoint and the messages that follow from it are durable together or not at all.

    Methods block on the disk and are safe to call from several threads. All raise `OutboxError`.
    """

    def __init__(self, path: Path, gateway: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._decoder = msgspec.msgpack.Decoder(DeviceState)
        self._encoder = msgspec.msgpack.Encoder()
        self.gateway = gateway
        with self._guarded():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;")
            self._migrate()
            self.epoch, self._last_seq = self._identify()

    def load_states(self) -> dict[str, DeviceState]:
        """The checkpoint of every device, by address."""
        with self._guarded():
            rows = self._db.execute("SELECT address, state FROM device").fetchall()
        return {address: self._decoder.decode(state) for address, state in rows}

    def commit(
        self,
        states: Mapping[str, DeviceState],
        outgoing: Sequence[OutboxMessage],
        *,
        waiting: Sequence[Waiting] = (),
        waited: Iterable[int] = (),
    ) -> int:
        """Make checkpoints and messages durable in one transaction; the last sequence number given.

        `waiting` observations are added, those with the ids `waited` removed. The messages get the next sequence
        numbers, in order.
        """
        with self._guarded():
            first = self._last_seq + 1
            entries = [self._entry(seq, message) for seq, message in enumerate(outgoing, first)]
            last = self._last_seq + len(entries)
            with self._transaction() as db:
                db.executemany(
                    "INSERT OR REPLACE INTO device VALUES (?, ?)",
                    [(address, self._encoder.encode(state)) for address, state in states.items()],
                )
                db.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?)", entries)
                db.executemany(
                    "INSERT INTO waiting (session, heard_ms, device, body) VALUES (?, ?, ?, ?)",
                    [(item.session, item.heard_ms, item.device, item.body) for item in waiting],
                )
                db.executemany("DELETE FROM waiting WHERE id = ?", [(key,) for key in waited])
                if entries:
                    db.execute("UPDATE identity SET last_seq = ?", (last,))
            self._last_seq = last
            return last

    def after(self, seq: int, limit: int) -> list[Entry]:
        """At most `limit` waiting messages behind `seq`, in order."""
        with self._guarded():
            rows = self._db.execute(
                "SELECT seq, topic, retain, body FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            ).fetchall()
        return [Entry(seq, topic, bool(retain), body) for seq, topic, retain, body in rows]

    def forget(self, ranges: Iterable[SeqRange]) -> None:
        """Delete what the store has committed. Idempotent; ranges that hold nothing are harmless."""
        with self._guarded(), self._transaction() as db:
            db.executemany("DELETE FROM outbox WHERE seq BETWEEN ? AND ?", [(r.first, r.last) for r in ranges])

    def __len__(self) -> int:
        """Messages that the store has not confirmed."""
        with self._guarded():
            count: int = self._db.execute("SELECT count(*) FROM outbox").fetchone()[0]
        return count

    def waiting(self) -> list[Waiting]:
        """The observations that wait for the time, oldest first."""
        with self._guarded():
            rows = self._db.execute("SELECT session, heard_ms, device, body, id FROM waiting ORDER BY id").fetchall()
        return [Waiting(*row) for row in rows]

    def remember(self, name: str, value: bytes) -> None:
        """Keep a setting (the last good desired configuration) across restarts."""
        with self._guarded(), self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def recall(self, name: str) -> bytes | None:
        """A setting that was remembered."""
        with self._guarded():
            row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def close(self) -> None:
        """Release the file; the outbox is not used afterwards."""
        with self._guarded():
            self._db.close()

    def _entry(self, seq: int, message: OutboxMessage) -> tuple[int, str, int, bytes]:
        numbered = msgspec.structs.replace(message, seq=seq, epoch=self.epoch, gateway=self.gateway)
        retain = type(message) in messages.RETAINED
        return seq, messages.topic_of(numbered), int(retain), messages.encode(numbered)

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:
            return
        if version > SCHEMA_VERSION:
            reason = f"written by a newer version (schema {version}, this one reads {SCHEMA_VERSION})"
            raise OutboxError(self._path, reason, advice="upgrade the gateway, or move the file away")
        self._db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")

    def _identify(self) -> tuple[Epoch, int]:
        row = self._db.execute("SELECT gateway, epoch, last_seq FROM identity").fetchone()
        if row is None:
            epoch = Epoch(secrets.token_hex(8))
            self._db.execute("INSERT INTO identity VALUES (1, ?, ?, 0)", (self.gateway, epoch))
            return epoch, 0
        if row[0] != self.gateway:
            reason = f"belongs to gateway {row[0]!r}, not {self.gateway!r}"
            raise OutboxError(self._path, reason, advice="give every gateway its own data folder")
        return Epoch(row[1]), row[2]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """One thread at a time, and SQLite's errors in words."""
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                advice = "check the disk (full, read-only, worn out) and who owns the folder"
                raise OutboxError(self._path, str(error), advice=advice) from error
