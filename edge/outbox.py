"""The durable queue and the checkpoints, in one SQLite file, so that one transaction holds both.

In come device states and the messages that follow from them, together or not at all; out go messages in order, until
the cloud says that its store has them. Must never forget a message that is not stored, nor number two alike.
"""

import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import msgspec
from msgspec import structs

from edge import messages
from edge.aggregator.device import DeviceState
from edge.entries import Entry, Waiting
from edge.messages import Dropped, Epoch, Limit, OutboxMessage, SeqRange
from edge.outbox_schema import SCHEMA_VERSION, bring_up_to_date, version_of
from edge.trimming import Limits, Relief, Sweep, onward, relieve, together

PAGE_BYTES = 1024
"""Of a new file; an old one keeps its own. The SD card is written by the page, and few bytes change at once."""
RESERVED = 1_000
"""Sequence numbers that are taken for sent beforehand, so that sending costs a write in a thousand."""
MOST_WAITING = 100_000
"""Observations that wait for the time; beyond them the oldest go. Fifty devices bring so many in two weeks."""
WAITING_DROPPED = "waiting_dropped"
STRETCH_BYTES = 1_000_000
"""Messages trimmed in one transaction: so long others wait for the outbox."""


class OutboxError(Exception):
    """The outbox cannot be read or written: the file, what is wrong, and what to do."""

    def __init__(self, path: Path, reason: str, *, advice: str) -> None:
        self.path = path
        self.reason = reason
        self.advice = advice
        super().__init__(f"{path}: {reason}; {advice}")


class Outbox:
    """Guards two invariants: a checkpoint and the messages that follow from it are durable together or not at all; a
    message that was handed out may be forgotten, and is never changed.

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
            self._db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;")
            self._migrate()
            self.epoch, self._last_seq, self._sent_until = self._identify()
            self._waiting_dropped = self._count_waiting_dropped()
        self._sweep: Sweep | None = None
        self._latest: tuple[Entry, ...] = ()
        """What the last commit put in."""

    @property
    def waiting_dropped(self) -> int:
        """Observations ever dropped because too many waited for the time."""
        return self._waiting_dropped

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
        numbers, in order. Beyond `MOST_WAITING` the oldest observations go, and are counted.
        """
        with self._guarded():
            first = self._last_seq + 1
            entries = [self._entry(seq, message) for seq, message in enumerate(outgoing, first)]
            last = self._last_seq + len(entries)
            with self._transaction() as db:
                db.executemany(
                    "INSERT INTO device (address, state) VALUES (?, ?)"
                    " ON CONFLICT (address) DO UPDATE SET state = excluded.state",
                    [(address, self._encoder.encode(state)) for address, state in states.items()],
                )
                db.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?)", entries)
                db.executemany(
                    "INSERT INTO waiting (session, heard_ms, device, body) VALUES (?, ?, ?, ?)",
                    [(item.session, item.heard_ms, item.device, item.body) for item in waiting],
                )
                db.executemany("DELETE FROM waiting WHERE id = ?", [(key,) for key in waited])
                dropped = self._drop_oldest_waiting(db) if waiting else 0
                if entries:
                    db.execute("UPDATE identity SET last_seq = ?, sent_until = ?", (last, self._sent_until))
            self._last_seq = last
            self._waiting_dropped += dropped
            self._latest = tuple(Entry(seq, topic, bool(retain), body) for seq, topic, retain, body in entries)
            return last

    def after(self, seq: int, limit: int) -> list[Entry]:
        """At most `limit` waiting messages behind `seq`, in order: from now on they count as sent.

        That is durable before they leave, or a trimming after a crash could change what the store has: a disk that
        can only be read keeps back what lies behind the mark.
        """
        with self._guarded():
            rows = self._db.execute(
                "SELECT seq, topic, retain, body FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            ).fetchall()
            if rows:
                self._note_sent(rows[-1][0])
        return [Entry(seq, topic, bool(retain), body) for seq, topic, retain, body in rows]

    def fresh(self, seq: int) -> Sequence[Entry]:
        """The messages of the last commit, when they follow on `seq` and count as sent already; else none.

        It waits for nobody and reads no disk: waking a thread for `after` costs more than a message does.
        """
        latest = self._latest
        follows = bool(latest) and latest[0].seq == seq + 1 and latest[-1].seq <= self._sent_until
        return latest if follows else ()

    def forget(self, ranges: Iterable[SeqRange]) -> None:
        """Delete what the store has committed. Idempotent; ranges that hold nothing are harmless."""
        with self._guarded(), self._transaction() as db:
            db.executemany("DELETE FROM outbox WHERE seq BETWEEN ? AND ?", [(r.first, r.last) for r in ranges])

    def begin_day(self, today: date) -> None:
        """Note that the gateway runs today, UTC: what waits in the outbox has grown older by a day."""
        with self._guarded(), self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO day VALUES (?, ?)", (today.isoformat(), self._last_seq))

    def trim(self, limits: Limits) -> Relief | None:
        """One step of what brings the outbox within its limits; None when it is, or nothing more can go.

        What gave way is told by a `Dropped` message of the same transaction.
        """
        with self._guarded():
            used = self._used_bytes()
            sweep = self._sweep or self._new_sweep(limits, used)
            excess = used - limits.enough
            if sweep is None or (sweep.why is Limit.BYTES and excess <= 0):
                self._sweep = None
                return None
            stretch = self._stretch(sweep)
            relief = relieve(sweep, stretch, sent_until=self._sent_until, excess=excess)
            told = sweep.told
            if relief.told is not None:
                told = self._replace(stretch, relief.kept, relief.told, known=sweep.told)
            self._sweep = onward(sweep, stretch, told)
            if self._sweep is None and sweep.why is Limit.DAYS:
                self._db.execute("DELETE FROM day WHERE last_seq <= ?", (sweep.until,))
            return None if self._sweep is None else relief

    def __len__(self) -> int:
        """Messages that the store has not confirmed."""
        with self._guarded():
            count: int = self._db.execute("SELECT count(*) FROM outbox").fetchone()[0]
        return count

    def waiting(self, limit: int) -> list[Waiting]:
        """At most `limit` of the observations that wait for the time, oldest first."""
        with self._guarded():
            rows = self._db.execute(
                "SELECT session, heard_ms, device, body, id FROM waiting ORDER BY id LIMIT ?", (limit,)
            ).fetchall()
        return [Waiting(*row) for row in rows]

    def count_waiting(self) -> int:
        """How many observations wait for the time."""
        with self._guarded():
            count: int = self._db.execute("SELECT count(*) FROM waiting").fetchone()[0]
        return count

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
        numbered = structs.replace(message, seq=seq, epoch=self.epoch, gateway=self.gateway)
        retain = type(message) in messages.RETAINED
        return seq, messages.topic_of(numbered), int(retain), messages.encode(numbered)

    def _drop_oldest_waiting(self, db: sqlite3.Connection) -> int:
        oldest = "DELETE FROM waiting WHERE id <= (SELECT max(id) FROM waiting) - ?"
        dropped = db.execute(oldest, (MOST_WAITING,)).rowcount
        if dropped:
            total = b"%d" % (self._waiting_dropped + dropped)
            db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (WAITING_DROPPED, total))
        return dropped

    def _count_waiting_dropped(self) -> int:
        row = self._db.execute("SELECT value FROM setting WHERE name = ?", (WAITING_DROPPED,)).fetchone()
        return 0 if row is None else int(row[0])

    def _note_sent(self, seq: int) -> None:
        if seq > self._sent_until:
            self._db.execute("UPDATE identity SET sent_until = ?", (seq + RESERVED,))
            self._sent_until = seq + RESERVED

    def _new_sweep(self, limits: Limits, used: int) -> Sweep | None:
        if used > limits.bytes:
            return Sweep(why=Limit.BYTES, until=self._last_seq)
        days = "SELECT last_seq FROM day ORDER BY last_seq DESC, date DESC LIMIT 1 OFFSET ?"
        old = self._db.execute(days, (limits.days,)).fetchone()
        return None if old is None else Sweep(why=Limit.DAYS, until=old[0])

    def _used_bytes(self) -> int:
        """What the file holds; the pages that it has free are used again before it grows."""
        pages, free, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _stretch(self, sweep: Sweep) -> list[Entry]:
        rows = self._db.execute(
            "SELECT seq, topic, retain, body FROM outbox WHERE seq > ? AND seq <= ? ORDER BY seq",
            (sweep.behind, sweep.until),
        )
        stretch: list[Entry] = []
        size = 0
        for seq, topic, retain, body in rows:
            stretch.append(Entry(seq, topic, bool(retain), body))
            size += len(body)
            if size >= STRETCH_BYTES:
                break
        rows.close()
        return stretch

    def _replace(
        self, stretch: Sequence[Entry], kept: Sequence[Entry], new: Dropped, *, known: Dropped | None
    ) -> Dropped:
        """Put what is kept in the place of the stretch, and tell what is new, with what is known already if it can be.

        All of the stretch is written anew: deletions here and there would leave its pages half full, and free none.
        """
        if known is not None and known.seq > self._sent_until:
            told = together(known, new)
        else:
            told = structs.replace(new, seq=self._last_seq + 1)
        last = max(self._last_seq, told.seq)
        with self._transaction() as db:
            db.execute("DELETE FROM outbox WHERE seq BETWEEN ? AND ?", (stretch[0].seq, stretch[-1].seq))
            db.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?)", [structs.astuple(entry) for entry in kept])
            db.execute("INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?)", self._entry(told.seq, told))
            db.execute("UPDATE identity SET last_seq = ?, sent_until = ?", (last, self._sent_until))
        self._last_seq = last
        return told

    def _migrate(self) -> None:
        version = version_of(self._db)
        if version > SCHEMA_VERSION:
            reason = f"written by a newer version (schema {version}, this one reads {SCHEMA_VERSION})"
            raise OutboxError(self._path, reason, advice="upgrade the gateway, or move the file away")
        bring_up_to_date(self._db)

    def _identify(self) -> tuple[Epoch, int, int]:
        """The epoch, the last sequence number given, and the last that counts as sent."""
        row = self._db.execute("SELECT gateway, epoch, last_seq, sent_until FROM identity").fetchone()
        if row is None:
            epoch = Epoch(secrets.token_hex(8))
            self._db.execute("INSERT INTO identity VALUES (1, ?, ?, 0, 0)", (self.gateway, epoch))
            return epoch, 0, 0
        if row[0] != self.gateway:
            reason = f"belongs to gateway {row[0]!r}, not {self.gateway!r}"
            raise OutboxError(self._path, reason, advice="give every gateway its own data folder")
        return Epoch(row[1]), row[2], row[3]

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
