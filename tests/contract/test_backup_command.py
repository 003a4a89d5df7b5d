"""`passerelle backup` and `passerelle restore`: all of it comes back, or nothing is touched."""

import json
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import MetaData, insert
from typer.testing import CliRunner, Result

from cloud_api.backup.archive import MANIFEST, Kind, open_archive
from cloud_api.backup.registry_rows import dump_registry
from cloud_api.backup.snapshots import Pages, snapshot
from cloud_api.backup.taking import LEDGER
from cloud_api.backup_commands import app
from cloud_api.forecast.archive import Archive, Observed
from cloud_api.ledger import Ledger
from cloud_api.registry.backups import LastBackup
from cloud_api.registry.database import open_database
from cloud_api.registry.keys import digest_of
from cloud_api.registry.places import Closure
from cloud_api.registry.store import RegistryStore, open_registry
from cloud_api.registry.tables import METADATA, PHOTO, RADIO_KEYS
from cloud_api.scopes import Scope
from cloud_api.stores import open_store
from cloud_api.stores.base import RefusedFactError
from cloud_api.stores.sqlite import SqliteStore
from tests.history import CHANNEL, DAY, HOUR, MIDNIGHT, correction, day, flow, space, summed
from tests.influx import InfluxServer
from tests.influx import influx as influx
from tests.postgres import PostgresServer
from tests.postgres import postgres as postgres
from tests.stores import fresh_name
from tests.town import REGISTRY, until

NOW = datetime(2026, 11, 27, 2, tzinfo=UTC)
WORKS = Closure(id="works-1", place="m1", start=NOW, end=NOW + HOUR, reason="travaux")
FIXTURES = Path(__file__).parents[1] / "fixtures"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def fill_registry(address: str) -> str:
    """A town with a closure, a key that opens and one that was revoked: the text of the first."""
    with closing(open_registry(address)) as registry:
        registry.merge([*REGISTRY.entries, WORKS], by="test", at=NOW)
        _, secret = registry.keys.create("office", [Scope.REPORT], by="test", at=NOW, expires_at=NOW + DAY)
        lost, _ = registry.keys.create("lost phone", [Scope.PROVISION], by="test", at=NOW)
        registry.keys.revoke(lost.id, by="test", at=NOW + HOUR)
        registry.keys.used({lost.id: NOW})
    engine = open_database(address)
    with engine.begin() as connection:
        connection.execute(insert(RADIO_KEYS).values(address="d1", body={"key": "00" * 16}))
        connection.execute(
            insert(PHOTO).values(
                id="p1", place="m1", device="d1", at=NOW, who="test", media_type="image/jpeg", body=bytes(range(256))
            )
        )
    engine.dispose()
    return secret


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A folder with all that an API keeps."""
    folder = tmp_path / "town"
    folder.mkdir()
    fill_registry(str(folder / "registry.db"))
    (folder / "signing.key").write_text("a key")
    with closing(SqliteStore(folder / "history.db")) as store:
        store.write([*day(), space()])
        store.correct([correction()])
    with closing(Ledger(folder / "history.ledger.db")) as ledger:
        ledger.quarantine([RefusedFactError(flow(part=9), "field type conflict")], NOW)
    with closing(Archive(folder / "history.ledger.forecasts.db")) as forecasts:
        forecasts.note(10, [Observed(zone="marche", quarter=10, spaces=4, free=1)], [], [])
    return folder


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Another machine: a folder with nothing in it."""
    folder = tmp_path / "after-the-fire"
    folder.mkdir()
    return folder


def store_of(folder: Path) -> str:
    return f"sqlite:///{folder}/history.db"


@pytest.fixture
def archive(town: Path, tmp_path: Path) -> Path:
    file = tmp_path / "town.zip"
    shutil.copy(town / "registry.db", registry_before(town))
    taken = run("backup", "--to", str(file), "--store", store_of(town))
    assert taken.exit_code == 0, taken.output
    return file


def registry_before(town: Path) -> Path:
    """The town's registry as it was when it was backed up: since then it knows of the backup."""
    return town.with_name("registry-before.db")


def everything(registry: RegistryStore) -> tuple[object, ...]:
    kept = registry.snapshot()
    return (registry.revision(), list(kept.entries), registry.keys.all(), registry.trail(limit=1000))


def rows_of(registry: Path) -> bytes:
    """Every row of every table."""
    dump = registry.with_name("rows")
    dump_registry(str(registry), dump)
    rows = dump.read_bytes()
    dump.unlink()
    return rows


def test_the_town_knows_which_backup_was_made_last(town: Path, archive: Path) -> None:
    with closing(open_registry(str(town / "registry.db"))) as registry:
        revision, last = registry.revision(), registry.backups.last()
    with closing(open_registry(str(registry_before(town)))) as registry:
        assert (registry.revision(), registry.backups.last()) == (revision, None)
    with open_archive(archive) as opened:
        assert last == LastBackup(
            at=opened.manifest.began,
            file=archive.name,
            size_bytes=archive.stat().st_size,
            store=opened.manifest.store,
        )


def test_all_that_the_api_keeps_comes_back_on_an_empty_machine(town: Path, archive: Path, machine: Path) -> None:
    restored = run("restore", str(archive), "--store", store_of(machine))

    assert restored.exit_code == 0, restored.output
    assert sorted(path.name for path in machine.iterdir()) == sorted(
        ["registry.db", "history.db", "history.ledger.db", "history.ledger.forecasts.db", "signing.key"]
    )
    with (
        closing(open_registry(str(registry_before(town)))) as before,
        closing(open_registry(str(machine / "registry.db"))) as after,
    ):
        assert everything(after) == everything(before)
    assert rows_of(machine / "registry.db") == rows_of(registry_before(town))
    assert (machine / "signing.key").read_text() == "a key"
    with closing(SqliteStore(machine / "history.db")) as store:
        assert store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY) == summed(day())
        assert store.last_states() == [space()]
        assert store.corrections("halles", MIDNIGHT, MIDNIGHT + DAY) == [correction()]
    with closing(Ledger(machine / "history.ledger.db")) as ledger:
        assert [each.fact for each in ledger.refused()] == [flow(part=9)]
    with closing(Archive(machine / "history.ledger.forecasts.db")) as forecasts:
        assert forecasts.series("marche", 10, 11).share.tolist() == [0.75]


def test_a_backup_is_one_private_file_that_says_what_is_in_it(town: Path, tmp_path: Path) -> None:
    taken = run("backup", "--to", str(tmp_path), "--store", store_of(town))

    (file,) = tmp_path.glob("passerelle-*.zip")
    assert str(file) in taken.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    with open_archive(file) as opened:
        manifest = opened.manifest
    assert {member.kind for member in manifest.members} == {
        Kind.REGISTRY,
        Kind.LEDGER,
        Kind.FORECASTS,
        Kind.SIGNING_KEY,
        Kind.SQLITE_STORE,
    }
    assert manifest.began <= manifest.ended
    assert manifest.registry.revision == 1
    for member in manifest.members:
        assert f"{member.name} " in taken.stdout
        assert member.sha256 in taken.stdout


def test_a_backup_while_ingest_writes_holds_all_that_was_answered_for_when_it_began(
    town: Path, machine: Path, tmp_path: Path
) -> None:
    stop, answered, refused = Event(), list[int](), list[int]()

    def ingest() -> None:
        with (
            closing(SqliteStore(town / "history.db")) as store,
            closing(Ledger(town / "history.ledger.db")) as ledger,
        ):
            for part in count(1):
                if stop.is_set():
                    return
                if part % 10:
                    store.write([flow(part=part, in_=1, out=0, covered_s=0)])
                    answered.append(part)
                else:
                    ledger.quarantine([RefusedFactError(flow(part=part), "full")], NOW)
                    refused.append(part)

    thread = Thread(target=ingest)
    thread.start()
    try:
        until(lambda: len(answered) >= 50)
        before, held_before = len(answered), len(refused)
        taken = run("backup", "--to", str(tmp_path / "busy.zip"), "--store", store_of(town))
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join()
    assert taken.exit_code == 0, taken.output
    assert run("restore", str(tmp_path / "busy.zip"), "--store", store_of(machine)).exit_code == 0

    with closing(SqliteStore(machine / "history.db")) as store:
        counted = store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + HOUR)[0].parts - 12
        assert before <= counted <= len(answered)
        for part in answered[:counted]:
            store.write([flow(part=part, in_=1, out=0, covered_s=0)])
        assert store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + HOUR)[0].parts - 12 == counted
    with closing(Ledger(machine / "history.ledger.db")) as ledger:
        assert len(ledger.refused()) - 1 >= held_before
    with closing(sqlite3.connect(machine / "history.db")) as database:
        assert (
            database.execute("SELECT sum(parts) FROM hour").fetchall()
            == database.execute("SELECT count(*) FROM part").fetchall()
        )


def test_a_fact_that_leaves_the_quarantine_meanwhile_is_never_in_neither(
    town: Path, machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is released between the two copies, at the worst moment there is."""

    def released_after_the_ledger(source: Path, target: Path, progress: Pages) -> None:
        snapshot(source, target, progress)
        if target.name == LEDGER:
            with closing(SqliteStore(town / "history.db")) as store, closing(Ledger(source)) as ledger:
                store.write([flow(part=9)])
                ledger.release(each.id for each in ledger.refused())

    monkeypatch.setattr("cloud_api.backup.taking.snapshot", released_after_the_ledger)
    assert run("backup", "--to", str(tmp_path / "a.zip"), "--store", store_of(town)).exit_code == 0
    assert run("restore", str(tmp_path / "a.zip"), "--store", store_of(machine)).exit_code == 0

    with (
        closing(SqliteStore(machine / "history.db")) as store,
        closing(Ledger(machine / "history.ledger.db")) as ledger,
    ):
        store.write([each.fact for each in ledger.refused()])
        assert store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + HOUR)[0].parts == 13


def test_what_is_there_is_not_overwritten_unless_one_says_so(archive: Path, machine: Path) -> None:
    assert run("restore", str(archive), "--store", store_of(machine)).exit_code == 0
    with closing(SqliteStore(machine / "history.db")) as store:
        store.write([flow(part=1)])

    refused = run("restore", str(archive), "--store", store_of(machine))
    replaced = run("restore", str(archive), "--store", store_of(machine), "--replace")

    assert (refused.exit_code, "holds something already" in refused.stderr) == (1, True)
    assert replaced.exit_code == 0, replaced.output
    with (
        closing(SqliteStore(machine / "history.db")) as now,
        closing(SqliteStore(machine / "history.db.before-restore")) as before,
    ):
        assert now.hours([CHANNEL], MIDNIGHT, MIDNIGHT + HOUR)[0].parts == 12
        assert before.hours([CHANNEL], MIDNIGHT, MIDNIGHT + HOUR)[0].parts == 13
    again = run("restore", str(archive), "--store", store_of(machine), "--replace")
    assert (again.exit_code, "from an earlier restore" in again.stderr) == (1, True)


def test_files_of_an_api_that_runs_are_not_replaced(archive: Path, town: Path) -> None:
    with closing(SqliteStore(town / "history.db")) as running:
        refused = run("restore", str(archive), "--store", store_of(town), "--replace")

        assert (refused.exit_code, "stop the API first" in refused.stderr) == (1, True)
        assert running.channels() == [CHANNEL]
    assert not list(town.glob("*.before-restore"))


def test_an_empty_store_that_an_api_made_is_no_hindrance(archive: Path, machine: Path) -> None:
    SqliteStore(machine / "history.db").close()
    Ledger(machine / "history.ledger.db").close()
    open_registry(str(machine / "registry.db")).close()

    restored = run("restore", str(archive), "--store", store_of(machine))

    assert restored.exit_code == 0, restored.output
    assert not list(machine.glob("*.before-restore"))


@pytest.fixture(params=["cut short", "bytes changed", "not ours", "another zip", "newer", "manifest lies"])
def unusable(request: pytest.FixtureRequest, archive: Path) -> tuple[Path, str]:
    """A file that must not be restored, and a word of why."""
    match request.param:
        case "cut short":
            archive.write_bytes(archive.read_bytes()[:-1000])
            return archive, "cut short"
        case "bytes changed":
            whole = bytearray(archive.read_bytes())
            struck = whole.index(b"store.db") + 200
            whole[struck : struck + 64] = bytes(64)
            archive.write_bytes(whole)
            return archive, "damaged"
        case "not ours":
            archive.write_text("facts;in;out\n" * 100)
            return archive, "no backup"
        case "another zip":
            with zipfile.ZipFile(archive, "w") as other:
                other.writestr("holiday.jpg", b"sea")
            return archive, "no backup of Passerelle's"
        case "newer":
            rewrite(archive, {"format": 2})
            return archive, "newer Passerelle"
        case _:
            rewrite(archive, {"members": [{"name": "store.db", "kind": "sqlite_store", "bytes": 3, "sha256": "0"}]})
            return archive, "damaged"


def rewrite(archive: Path, changes: dict[str, object]) -> None:
    """The same archive with another manifest."""
    old = archive.with_suffix(".old")
    shutil.move(archive, old)
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(archive, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            target.writestr(name, json.dumps({**json.loads(text), **changes}) if name == MANIFEST else text)


def test_a_file_that_cannot_be_trusted_is_named_and_nothing_is_restored(
    unusable: tuple[Path, str], machine: Path
) -> None:
    file, why = unusable

    refused = run("restore", str(file), "--store", store_of(machine))

    assert refused.exit_code == 1
    assert str(file) in refused.stderr
    assert why in refused.stderr
    assert list(machine.iterdir()) == []


def test_a_backup_of_something_that_is_not_there_is_none(tmp_path: Path, town: Path, archive: Path) -> None:
    nowhere = run("backup", "--to", str(tmp_path / "b.zip"), "--store", f"sqlite:///{tmp_path}/nowhere.db")
    again = run("backup", "--to", str(archive), "--store", store_of(town))
    full = run("backup", "--to", str(tmp_path / "no" / "folder" / "b.zip"), "--store", store_of(town))

    assert (nowhere.exit_code, "there is no file" in nowhere.stderr) == (1, True)
    assert (again.exit_code, "never written over" in again.stderr) == (1, True)
    assert (full.exit_code, "cannot be written" in full.stderr) == (1, True)
    assert not (tmp_path / "registry.db").exists()


def test_a_registry_goes_to_postgresql_and_back(
    archive: Path, town: Path, machine: Path, postgres: PostgresServer, tmp_path: Path
) -> None:
    address = postgres.url(postgres.new_database())
    moved = run("restore", str(archive), "--store", store_of(machine), "--registry", address)
    assert moved.exit_code == 0, moved.output
    with (
        closing(open_registry(str(registry_before(town)))) as before,
        closing(open_registry(address)) as after,
    ):
        assert everything(after) == everything(before)
        after.merge([Closure(id="works-2", place="m2", start=NOW, end=NOW, reason="marché")], by="test", at=NOW)
        assert len(after.trail(limit=1000)) == len(before.trail(limit=1000)) + 1

    refused = run("restore", str(archive), "--store", store_of(machine), "--registry", address, "--replace")
    assert (refused.exit_code, "holds a registry already" in refused.stderr) == (1, True)

    assert (
        dump_registry(address, tmp_path / "rows").rows
        == dump_registry(str(registry_before(town)), tmp_path / "r").rows + 2
    )
    file, back = tmp_path / "back.zip", tmp_path / "back"
    back.mkdir()
    with closing(open_registry(address)) as here:
        moved_on = everything(here)
    assert run("backup", "--to", str(file), "--store", store_of(machine), "--registry", address).exit_code == 0
    assert run("restore", str(file), "--store", store_of(back)).exit_code == 0
    with closing(open_registry(str(back / "registry.db"))) as there:
        assert everything(there) == moved_on


def test_every_table_of_the_registry_is_backed_up(tmp_path: Path) -> None:
    engine = open_database(str(tmp_path / "registry.db"))
    made = MetaData()
    made.reflect(engine)
    engine.dispose()

    assert set(METADATA.tables) == set(made.tables) - {"alembic_version"}


def test_a_registry_of_an_older_version_is_restored_as_it_was_and_then_brought_up_to_date(
    town: Path, machine: Path, tmp_path: Path
) -> None:
    (town / "registry.db").unlink()
    with closing(sqlite3.connect(town / "registry.db")) as old:
        old.executescript((FIXTURES / "registry-0001.sql").read_text(encoding="utf-8"))
    shutil.copy(town / "registry.db", registry_before(town))
    assert run("backup", "--to", str(tmp_path / "old.zip"), "--store", store_of(town)).exit_code == 0

    restored = run("restore", str(tmp_path / "old.zip"), "--store", store_of(machine))

    assert restored.exit_code == 0, restored.output
    with (
        closing(open_registry(str(registry_before(town)))) as before,
        closing(open_registry(str(machine / "registry.db"))) as after,
    ):
        assert everything(after) == everything(before)


def test_a_key_still_opens_after_a_restore(tmp_path: Path, machine: Path) -> None:
    folder = tmp_path / "town"
    folder.mkdir()
    secret = fill_registry(str(folder / "registry.db"))
    SqliteStore(folder / "history.db").close()
    run("backup", "--to", str(tmp_path / "k.zip"), "--store", store_of(folder))
    run("restore", str(tmp_path / "k.zip"), "--store", store_of(machine))

    with closing(open_registry(str(machine / "registry.db"))) as registry:
        (good,) = [key for key in registry.keys.all() if key.opens_at(NOW + timedelta(minutes=1)) and not key.used_at]

    assert good.digest == digest_of(secret)
    assert good.label == "office"


@pytest.fixture
def on_influx(influx: InfluxServer) -> str:
    """The town's history on a real InfluxDB instead."""
    url = influx.url(fresh_name())
    with closing(open_store(url)) as store:
        store.write([*day(), space()])
    return url


def test_history_on_influxdb_is_backed_up_and_restored_by_its_own_tool(
    town: Path, machine: Path, tmp_path: Path, influx: InfluxServer, on_influx: str
) -> None:
    file, target = tmp_path / "influx.zip", influx.url(fresh_name())
    rest = ["--registry", str(town / "registry.db"), "--ledger", str(town / "history.ledger.db")]
    there = ["--registry", str(machine / "registry.db"), "--ledger", str(machine / "a.ledger.db")]

    taken = run("backup", "--to", str(file), "--store", on_influx, "--influx-rpc", influx.rpc, *rest)
    restored = run("restore", str(file), "--store", target, "--influx-rpc", influx.rpc, *there)
    again = run("restore", str(file), "--store", target, "--influx-rpc", influx.rpc, "--replace", *there)
    mistaken = run("restore", str(file), "--store", store_of(machine))

    assert taken.exit_code == 0, taken.output
    assert restored.exit_code == 0, restored.output
    with closing(open_store(target)) as store:
        assert store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY) == summed(day())
        assert store.last_states() == [space()]
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)
    assert (mistaken.exit_code, "passerelle store copy" in mistaken.stderr) == (1, True)


def test_a_machine_without_the_servers_tool_is_told_what_to_do(
    town: Path, tmp_path: Path, on_influx: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    rest = ["--registry", str(town / "registry.db"), "--ledger", str(town / "history.ledger.db")]

    taken = run("backup", "--to", str(tmp_path / "i.zip"), "--store", on_influx, *rest)
    without = run("backup", "--to", str(tmp_path / "w.zip"), "--store", on_influx, "--without-store", *rest)

    assert (taken.exit_code, "influxd backup -portable" in taken.stderr) == (1, True)
    assert without.exit_code == 0, without.output
    assert not (tmp_path / "i.zip").exists()
