"""What keeping costs: a backup of five million parts and its restore, retention, and the way to InfluxDB and back.

The store holds 50 counters' five-minute parts of 347 days; a tenth of them is copied. Filling it takes minutes, so this
section runs when it is asked for.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from cloud_api.backup.restoring import restore_backup
from cloud_api.backup.taking import Kept, take_backup
from cloud_api.ledger import Ledger
from cloud_api.registry.store import open_registry
from cloud_api.stores import open_store
from cloud_api.stores.address import SqliteAddress
from cloud_api.stores.base import Channel
from cloud_api.stores.copying import copy_store
from cloud_api.stores.lasting import LastingStore
from tests.bench.table import Row
from tests.history import DAY, flow
from tests.influx import InfluxServer

COUNTERS = 50
DAYS = 347
COPIED = 5
STEP = timedelta(minutes=5)
START = datetime(2025, 1, 1, tzinfo=UTC)
END = START + DAYS * DAY
PARTS = COUNTERS * DAYS * 288


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        town = _kept(folder / "town")
        _fill(town, COUNTERS)
        yield from _backup(folder, town)
        yield from _copy(folder, stack)
        yield from _trim(town)


def _backup(folder: Path, town: Kept) -> Iterator[Row]:
    assert isinstance(town.store, SqliteAddress)
    path, file, to = town.store.path, folder / "town.zip", _kept(folder / "after")
    bare = _seconds(lambda: _bare_copy(path, folder / "bare.db"))
    taken = _seconds(lambda: take_backup(town, file, clock=lambda: datetime.now(UTC), progress=_quiet))
    restored = _seconds(lambda: restore_backup(file, to, replace=False, progress=_quiet))
    yield Row(f"backup of {PARTS:,} parts", taken, "s", bare, "SQLite's copy alone")
    yield Row("restore of it, verified", restored, "s", bare, "SQLite's copy alone")
    yield Row("size of the backup", file.stat().st_size / 1e6, "MB", path.stat().st_size / 1e6, "the store")


def _copy(folder: Path, stack: ExitStack) -> Iterator[Row]:
    some = _kept(folder / "some")
    _fill(some, COPIED)
    assert isinstance(some.store, SqliteAddress)
    server = InfluxServer(folder)
    server.start()
    stack.callback(server.stop)
    parts = PARTS * COPIED / COUNTERS
    here, there, back = (
        stack.enter_context(closing(open_store(url)))
        for url in (f"sqlite:///{some.store.path}", server.url("history"), f"sqlite:///{folder}/back.db")
    )
    to = parts / _seconds(lambda: copy_store(here, there, _quiet))
    again = parts / _seconds(lambda: copy_store(there, back, _quiet))
    yield Row("copied to InfluxDB and verified", to, "parts/s", again, "and back")
    compared = parts / _seconds(lambda: copy_store(here, there, _quiet))
    yield Row("compared, when all is there", compared, "parts/s", to, "copied")


def _trim(town: Kept) -> Iterator[Row]:
    assert isinstance(town.store, SqliteAddress)
    with closing(open_store(f"sqlite:///{town.store.path}")) as store:
        before = _rows(town.store.path)
        gone = PARTS / _seconds(lambda: _trim_all(store))
    yield Row("trimmed into hourly sums", gone, "parts/s", None, "")
    yield Row("used of the file afterwards", _rows(town.store.path) / 1e6, "MB", before / 1e6, "before")


def _trim_all(store: LastingStore) -> None:
    while store.trim(END, now=END + DAY).more:
        pass


def _rows(path: Path) -> int:
    """Bytes of a SQLite file that hold something."""
    with closing(sqlite3.connect(path)) as database:
        pages, free, size = (
            database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)


def _bare_copy(path: Path, to: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    descriptor = os.open(to, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _kept(folder: Path) -> Kept:
    folder.mkdir()
    return Kept(
        registry=str(folder / "registry.db"),
        ledger=folder / "history.ledger.db",
        forecasts=folder / "history.ledger.forecasts.db",
        signing_key=folder / "signing.key",
        store=SqliteAddress(folder / "history.db"),
    )


def _fill(kept: Kept, counters: int) -> None:
    assert isinstance(kept.store, SqliteAddress)
    open_registry(kept.registry).close()
    Ledger(kept.ledger).close()
    with closing(open_store(f"sqlite:///{kept.store.path}")) as store:
        for number in range(counters):
            channel = Channel(f"c{number:03}", "line1", "pedestrian")
            for day in range(DAYS):
                first = START + day * DAY
                store.write(
                    [flow(first + n * STEP, in_=(n * 7 + day) % 90, out=n % 50, channel=channel) for n in range(288)]
                )


def _seconds(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin


def _quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""
