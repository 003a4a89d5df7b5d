"""What ingest answers for and the store does not take: last health, devices heard, what was dropped, what was refused.

In come messages and refused facts, out go the last health of each device and a count of what is in quarantine. When a
method returns, what it was given survives a power cut (SQLite, WAL, `synchronous=FULL`). No refused fact is dropped.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from cloud_api.sqlite_file import SqliteFile
from cloud_api.stores.base import Fact, RefusedFactError, StoredFlow, StoredSpace, StoreError
from edge.messages import Dropped, HealthReport, Heard, HeardDevice

MOST_QUARANTINED: Final = 10_000
"""Refused facts held at most. Beyond them the gateways keep theirs: what is not held is not answered for."""
MOST_HEARD: Final = 10_000
"""Unadopted devices remembered at most; the ones heard longest ago go first."""
BATTERY_DAYS: Final = 400
"""For so long the daily figures of batteries are kept."""
DAY_S: Final = 86_400

SCHEMA: Final = (
    (
        "CREATE TABLE health (device TEXT PRIMARY KEY, at REAL NOT NULL, report BLOB NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE heard (
            gateway TEXT, device TEXT, at REAL NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (gateway, device)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE quarantine (
            id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, fact BLOB NOT NULL UNIQUE,
            reason TEXT NOT NULL
        )
        """,
    ),
    (
        """
        CREATE TABLE dropped (
            gateway TEXT, epoch TEXT, seq INTEGER, report BLOB NOT NULL, PRIMARY KEY (gateway, epoch, seq)
        ) WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE battery (
            device TEXT, day INTEGER, percent REAL NOT NULL, PRIMARY KEY (device, day)
        ) WITHOUT ROWID
        """,
    ),
)
"""One step per schema version; a file of an older version takes those it lacks."""


class BatteryDay(NamedTuple):
    """How full a battery was on a day."""

    day: int
    """Days since 1970-01-01, UTC."""
    percent: float


class Quarantined(Struct, frozen=True, kw_only=True):
    """A fact that the store refused, as it is held."""

    id: int
    at: datetime
    """When the store refused it first, UTC."""
    reason: str
    """Why, in the words of the store's last refusal."""
    fact: Fact


class Ledger:
    """Guards that what ingest answers `stored` for is kept somewhere. Safe to be called from several threads."""

    def __init__(self, file: Path) -> None:
        """Opens or creates the file. Raises `StoreError`."""
        self._file = SqliteFile(file, SCHEMA, "the ledger")

    def keep(self, health: Sequence[HealthReport], heard: Sequence[Heard], dropped: Sequence[Dropped] = ()) -> None:
        """Remember the newest health of each device, who was heard, what gateways dropped. Raises `StoreError`."""
        if not health and not heard and not dropped:
            return
        with self._file.transaction() as database:
            database.executemany(
                "INSERT INTO health VALUES (?, ?, ?) ON CONFLICT (device) DO UPDATE"
                " SET at = excluded.at, report = excluded.report WHERE excluded.at >= at",
                [(each.health.device, each.health.at.timestamp(), msgspec.json.encode(each)) for each in health],
            )
            _keep_batteries(database, health)
            database.executemany(
                "INSERT INTO heard VALUES (?, ?, ?, ?) ON CONFLICT (gateway, device) DO UPDATE"
                " SET at = excluded.at, entry = excluded.entry WHERE excluded.at >= at",
                [
                    (message.gateway, device.device, device.at.timestamp(), msgspec.json.encode(device))
                    for message in heard
                    for device in message.devices
                ],
            )
            database.executemany(
                "INSERT INTO dropped VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(each.gateway, each.epoch, each.seq, msgspec.json.encode(each)) for each in dropped],
            )
            if heard:
                database.execute(
                    "DELETE FROM heard WHERE at < (SELECT at FROM heard ORDER BY at DESC LIMIT 1 OFFSET ?)",
                    (MOST_HEARD - 1,),
                )

    def quarantine(self, refused: Sequence[RefusedFactError], now: datetime) -> list[Fact]:
        """Hold refused facts with their reasons; returns those for which there is no room. Raises `StoreError`."""
        if not refused:
            return []
        with self._file.transaction() as database:
            return [each.fact for each in refused if not _hold(database, each, now)]

    def quarantined(self) -> int:
        """How many facts are held. Raises `StoreError`."""
        with self._file.transaction() as database:
            return _count(database)

    def refused(self) -> list[Quarantined]:
        """The facts that are held, the one held longest first. Raises `StoreError`."""
        with self._file.transaction() as database:
            rows = database.execute("SELECT id, at, kind, fact, reason FROM quarantine ORDER BY id").fetchall()
        return [_quarantined(*row) for row in rows]

    def release(self, ids: Iterable[int]) -> int:
        """Hold these facts no longer: they are stored, or somebody gave them up; how many there were.

        Raises `StoreError`.
        """
        with self._file.transaction() as database:
            return sum(database.execute("DELETE FROM quarantine WHERE id = ?", (each,)).rowcount for each in ids)

    def refuse_again(self, reasons: Iterable[tuple[int, str]]) -> None:
        """Note why the store refused held facts once more, by their ids. Raises `StoreError`."""
        with self._file.transaction() as database:
            database.executemany(
                "UPDATE quarantine SET reason = ? WHERE id = ?", [(reason, number) for number, reason in reasons]
            )

    def health(self) -> list[HealthReport]:
        """The last health of each device. Raises `StoreError`."""
        with self._file.transaction() as database:
            rows = database.execute("SELECT report FROM health ORDER BY device").fetchall()
        return [msgspec.json.decode(report, type=HealthReport) for (report,) in rows]

    def heard(self) -> list[tuple[str, HeardDevice]]:
        """Gateways and the devices that they do not read, who was heard last at the end. Raises `StoreError`."""
        with self._file.transaction() as database:
            rows = database.execute("SELECT gateway, entry FROM heard ORDER BY at, gateway, device").fetchall()
        return [(gateway, msgspec.json.decode(entry, type=HeardDevice)) for gateway, entry in rows]

    def batteries(self) -> dict[str, list[BatteryDay]]:
        """How full each device's battery was, one figure a day, oldest first. Raises `StoreError`."""
        with self._file.transaction() as database:
            rows = database.execute("SELECT device, day, percent FROM battery ORDER BY device, day").fetchall()
        return {device: [BatteryDay(*each[1:]) for each in days] for device, days in groupby(rows, key=itemgetter(0))}

    def dropped(self) -> list[Dropped]:
        """All that gateways ever let go of because their outboxes had reached a limit. Raises `StoreError`."""
        with self._file.transaction() as database:
            rows = database.execute("SELECT report FROM dropped ORDER BY gateway, epoch, seq").fetchall()
        return [msgspec.json.decode(report, type=Dropped) for (report,) in rows]

    def close(self) -> None:
        """Release the file; the ledger is not used afterwards."""
        self._file.close()


def _keep_batteries(database: sqlite3.Connection, health: Sequence[HealthReport]) -> None:
    """The last figure of each day; what is older than can be drawn a line through goes."""
    told = [
        (each.health.device, int(each.health.at.timestamp() // DAY_S), each.health.battery_pct)
        for each in sorted(health, key=lambda each: each.health.at)
        if each.health.battery_pct is not None
    ]
    database.executemany(
        "INSERT INTO battery VALUES (?, ?, ?) ON CONFLICT (device, day) DO UPDATE SET percent = excluded.percent", told
    )
    database.executemany(
        "DELETE FROM battery WHERE device = ? AND day < ?", [(device, day - BATTERY_DAYS) for device, day, _ in told]
    )


def _hold(database: sqlite3.Connection, refused: RefusedFactError, now: datetime) -> bool:
    """Whether the fact is held now, be it from before."""
    fact = msgspec.json.encode(refused.fact)
    if database.execute("SELECT 1 FROM quarantine WHERE fact = ?", (fact,)).fetchone():
        return True
    if _count(database) >= MOST_QUARANTINED:
        return False
    database.execute(
        "INSERT INTO quarantine (at, kind, fact, reason) VALUES (?, ?, ?, ?)",
        (now.timestamp(), _kind(refused.fact), fact, refused.reason),
    )
    return True


def _count(database: sqlite3.Connection) -> int:
    count: int = database.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    return count


def _kind(fact: Fact) -> str:
    return "flow" if isinstance(fact, StoredFlow) else "space"


def _quarantined(number: int, at: float, kind: str, fact: bytes, reason: str) -> Quarantined:
    written: type[Fact] = StoredFlow if kind == "flow" else StoredSpace
    try:
        decoded = msgspec.json.decode(fact, type=written)
    except msgspec.DecodeError as error:
        raise StoreError(f"fact {number} in quarantine cannot be read: {error}") from error
    return Quarantined(id=number, at=datetime.fromtimestamp(at, UTC), reason=reason, fact=decoded)
