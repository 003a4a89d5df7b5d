"""What a backup brings back of a registry: every table, on either database, of an older version too."""

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from sqlalchemy import MetaData

from cloud_api.backup.registry_rows import dump_registry
from cloud_api.registry.database import open_database
from cloud_api.registry.keys import digest_of
from cloud_api.registry.places import Closure
from cloud_api.registry.store import open_registry
from cloud_api.registry.tables import METADATA
from cloud_api.stores.sqlite import SqliteStore
from tests.backed_up_town import NOW, everything, fill_registry, registry_before, run, store_of
from tests.backed_up_town import archive as archive
from tests.backed_up_town import machine as machine
from tests.backed_up_town import town as town
from tests.postgres import PostgresServer
from tests.postgres import postgres as postgres

FIXTURES = Path(__file__).parents[1] / "fixtures"


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
