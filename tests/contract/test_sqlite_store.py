"""What the SQLite store does when it is killed, crowded, or given a file that is older, newer or none of ours."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from cloud_api.stores import durable_sqlite, open_store, sqlite
from cloud_api.stores.base import Channel, StoreError
from cloud_api.stores.sqlite import SqliteStore
from cloud_api.stores.sqlite_rows import FLAG_BITS
from cloud_api.stores.sqlite_schema import MIGRATIONS
from edge.messages import Flag
from tests.history import CHANNEL, DAY, MIDNIGHT, OTHER_EPOCH, correction, day, flow, space, summed

FIXTURES = Path(__file__).parents[1] / "fixtures"
OLD_VERSIONS = sorted(FIXTURES.glob("store-v*.sql"))

WRITE_UNTIL_KILLED = """
import sys
from itertools import count
from cloud_api.stores import open_store
from tests.history import flow

store = open_store(sys.argv[1])
for part in count():
    store.write([flow(part=part, in_=1, out=1)])
    print(part, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(file)) as opened:
        yield opened


def ask(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def test_what_was_committed_survives_a_kill(file: Path) -> None:
    command = [sys.executable, "-c", WRITE_UNTIL_KILLED, f"sqlite:///{file}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(50)]
        writer.kill()
        told += [int(line) for line in writer.stdout]

    with closing(SqliteStore(file)) as store:
        (hour,) = store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY)

    assert hour.parts >= len(told)
    assert hour.in_ == hour.out == hour.parts
    assert ask(file, "PRAGMA integrity_check") == [("ok",)]


def test_the_rollup_is_the_sum_of_the_parts(store: SqliteStore, file: Path) -> None:
    store.write([*day(), *day(Channel("other", "line1")), flow(part=1, epoch=OTHER_EPOCH)])
    store.write(day())

    rollup = ask(file, "SELECT channel, start, in_, out, covered_s, parts FROM hour")

    assert rollup == ask(
        file,
        "SELECT channel, start / 3600 * 3600, sum(in_), sum(out), sum(covered_s), count(*) FROM part GROUP BY 1, 2",
    )


def test_a_commit_is_on_the_disk_before_it_is_told(store: SqliteStore) -> None:
    (mode,) = store._writer.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = store._writer.execute("PRAGMA synchronous").fetchone()

    assert (mode, synchronous) == ("wal", 2)


def test_a_long_reading_does_not_hold_up_the_writer(store: SqliteStore, file: Path) -> None:
    store.write([flow()])
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM hour").fetchall()

        store.write([flow(part=1)])

        assert reader.execute("SELECT parts FROM hour").fetchall() == [(1,)]
    assert [hour.parts for hour in store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY)] == [2]


def test_a_long_write_does_not_hold_up_readers(store: SqliteStore, file: Path) -> None:
    store.write([flow()])
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")

        assert store.channels() == [CHANNEL]


def test_a_file_locked_by_another_is_a_store_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_sqlite, "BUSY_TIMEOUT_S", 0)
    with closing(SqliteStore(file)) as store, closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"history\.db: database is locked"):
            store.write([flow()])
        with pytest.raises(StoreError):
            store.ready()

        other.execute("ROLLBACK")
        store.write([flow()])

        assert store.channels() == [CHANNEL]


def test_a_write_that_fails_half_way_leaves_nothing(store: SqliteStore, file: Path) -> None:
    ask(file, "CREATE TRIGGER full BEFORE INSERT ON state BEGIN SELECT raise(ABORT, 'disk full'); END")

    with pytest.raises(StoreError, match="disk full"):
        store.write([flow(), space()])

    assert store.channels() == []
    assert ask(file, "SELECT * FROM part") == []


def test_two_stores_on_one_file_count_a_fact_once(store: SqliteStore, file: Path) -> None:
    with closing(SqliteStore(file)) as second, ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda writer: writer.write(day()), [store, second]))

    assert store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY) == summed(day())


def test_a_closed_store_says_so(file: Path) -> None:
    store = SqliteStore(file)
    store.close()

    with pytest.raises(StoreError):
        store.write([flow()])


def test_every_flag_has_a_bit_of_its_own() -> None:
    assert set(FLAG_BITS) == set(Flag)
    assert sorted(FLAG_BITS.values()) == [1 << index for index in range(len(Flag))]


def test_every_old_version_has_a_fixture() -> None:
    assert [path.name for path in OLD_VERSIONS] == [
        f"store-v{version}.sql" for version in range(1, len(MIGRATIONS) + 1)
    ]


@pytest.mark.parametrize("old", OLD_VERSIONS, ids=lambda path: path.stem)
def test_a_file_of_an_old_version_opens_with_all_it_held(old: Path, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(old.read_text(encoding="utf-8"))
    known = [
        flow(in_=41, out=12, flags=(Flag.RESET, Flag.SPLIT)),
        flow(in_=1, out=0, part=1, covered_s=0, flags=(Flag.LATE,)),
        flow(in_=7, out=None, channel=Channel("90b1", "entrance")),
    ]
    new = flow(in_=1000, out=1000, part=2, covered_s=0)

    with closing(open_store(f"sqlite:///{file}")) as store:
        store.write([*known, new])

        assert store.hours(store.channels(), MIDNIGHT, MIDNIGHT + DAY) == summed([*known, new])
        assert store.last_states() == [space(since=MIDNIGHT)]
        held = store.corrections("halles", MIDNIGHT, MIDNIGHT + DAY)
        assert held == ([] if old.stem == "store-v1" else [correction()])
    assert ask(file, "PRAGMA user_version") == [(len(MIGRATIONS),)]


def test_a_migration_that_fails_leaves_the_file_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(SqliteStore(file)) as store:
        store.write([flow()])
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE next (a INTEGER)", "CREATE nonsense")))
        with pytest.raises(StoreError, match="nonsense"):
            SqliteStore(file)

    with closing(SqliteStore(file)) as store:
        assert store.channels() == [CHANNEL]
    assert ask(file, "SELECT name FROM sqlite_schema WHERE name = 'next'") == []


def test_a_file_of_a_newer_version_is_left_alone(file: Path) -> None:
    ask(file, "PRAGMA user_version = 99")

    with pytest.raises(StoreError, match="newer Passerelle"):
        SqliteStore(file)


def test_a_file_that_is_no_database_is_a_store_error(file: Path) -> None:
    file.write_bytes(b"counts,in,a,spreadsheet\n" * 200)

    with pytest.raises(StoreError, match="not a database"):
        SqliteStore(file)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        SqliteStore(tmp_path / "nowhere" / "history.db")
