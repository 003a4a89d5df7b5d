"""`passerelle backup` and `passerelle restore`: all of it comes back, or nothing is touched."""

import json
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest

from cloud_api.backup.archive import MANIFEST, Kind, open_archive
from cloud_api.backup.snapshots import Pages, snapshot
from cloud_api.backup.taking import LEDGER
from cloud_api.forecast.archive import Archive
from cloud_api.ledger import Ledger
from cloud_api.registry.backups import LastBackup
from cloud_api.registry.store import open_registry
from cloud_api.stores.base import RefusedFactError
from cloud_api.stores.sqlite import SqliteStore
from tests.backed_up_town import NOW, everything, registry_before, rows_of, run, store_of
from tests.backed_up_town import archive as archive
from tests.backed_up_town import machine as machine
from tests.backed_up_town import town as town
from tests.history import CHANNEL, DAY, HOUR, MIDNIGHT, correction, day, flow, space, summed
from tests.town import until


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
