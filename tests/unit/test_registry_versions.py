"""A registry of every older version opens, and what it knew is still known."""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from cloud_api.registry import Audience, Device
from cloud_api.registry.backups import LAST
from cloud_api.registry.database import open_database
from cloud_api.registry.store import open_registry
from cloud_api.registry.tables import HEAD, METADATA

FIXTURES = Path(__file__).parents[1] / "fixtures"


def test_a_registry_of_version_0001_opens(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    with closing(sqlite3.connect(file)) as old:
        old.executescript((FIXTURES / "registry-0001.sql").read_text(encoding="utf-8"))

    with closing(open_registry(str(file))) as store:
        registry = store.snapshot()
        assert registry.zones["marche"].name == "Place du Marché"
        assert [space.audience for space in registry.spaces] == [Audience.PMR]
        assert store.revision() == 3
        assert [trace.who for trace in store.trail()] == ["Anne"]


def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    engine = open_database(str(tmp_path / "registry.db"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_a_town_that_was_never_backed_up_is_told_without_reading_its_whole_trail(tmp_path: Path) -> None:
    with closing(open_registry(str(tmp_path / "registry.db"))) as registry:
        assert registry.backups.last() is None
    with closing(sqlite3.connect(tmp_path / "registry.db")) as database:
        question = str(LAST.compile(compile_kwargs={"literal_binds": True}))
        (plan,) = database.execute(f"EXPLAIN QUERY PLAN {question}").fetchall()
    assert "USING INDEX audit_kind (kind=?)" in plan[-1]


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    configuration = Config()
    configuration.set_main_option("script_location", "cloud_api.registry:migrations")

    assert ScriptDirectory.from_config(configuration).get_current_head() == HEAD


def test_a_registry_of_version_0002_opens_and_its_devices_have_no_settings_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    with closing(sqlite3.connect(file)) as old:
        old.executescript((FIXTURES / "registry-0002.sql").read_text(encoding="utf-8"))

    with closing(open_registry(str(file))) as store:
        registry = store.snapshot()
        assert registry.devices["0004a30b00ff0001"] == Device(
            address="0004a30b00ff0001", model="parametric-pcr2", gateway="halles"
        )
        assert not registry.gateways["halles"].managed
        assert [key.label for key in store.keys.all()] == ["office"]
        assert store.radio_keys.all() == {}


def test_a_registry_of_version_0003_opens_and_nobody_uses_a_code_of_it_again(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    with closing(sqlite3.connect(file)) as old:
        old.executescript((FIXTURES / "registry-0003.sql").read_text(encoding="utf-8"))

    with closing(open_registry(str(file))) as store:
        (invitation,) = store.invitations.all()
        assert (invitation.user, invitation.machine) == ("halles.1f2e3d4c", None)
