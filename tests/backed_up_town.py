"""A town whose files are backed up and restored: a folder with all that an API keeps, an empty machine, an archive.

Import the fixtures `town`, `machine` and `archive` in a test module."""

import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from cloud_api.backup.registry_rows import dump_registry
from cloud_api.backup_commands import app
from cloud_api.forecast.archive import Archive, Observed
from cloud_api.ledger import Ledger
from cloud_api.registry.database import open_database
from cloud_api.registry.places import Closure
from cloud_api.registry.store import RegistryStore, open_registry
from cloud_api.registry.tables import PHOTO, RADIO_KEYS
from cloud_api.scopes import Scope
from cloud_api.stores.base import RefusedFactError
from cloud_api.stores.sqlite import SqliteStore
from tests.history import DAY, HOUR, correction, day, flow, space
from tests.town import REGISTRY

NOW = datetime(2026, 11, 27, 2, tzinfo=UTC)
WORKS = Closure(id="works-1", place="m1", start=NOW, end=NOW + HOUR, reason="travaux")


def run(*words: str) -> Result:
    """`passerelle WORDS`, of backup and restore."""
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
    """The address of its history."""
    return f"sqlite:///{folder}/history.db"


@pytest.fixture
def archive(town: Path, tmp_path: Path) -> Path:
    """A backup of the town."""
    file = tmp_path / "town.zip"
    shutil.copy(town / "registry.db", registry_before(town))
    taken = run("backup", "--to", str(file), "--store", store_of(town))
    assert taken.exit_code == 0, taken.output
    return file


def registry_before(town: Path) -> Path:
    """The town's registry as it was when it was backed up: since then it knows of the backup."""
    return town.with_name("registry-before.db")


def everything(registry: RegistryStore) -> tuple[object, ...]:
    """What a registry says of itself."""
    kept = registry.snapshot()
    return (registry.revision(), list(kept.entries), registry.keys.all(), registry.trail(limit=1000))


def rows_of(registry: Path) -> bytes:
    """Every row of every table."""
    dump = registry.with_name("rows")
    dump_registry(str(registry), dump)
    rows = dump.read_bytes()
    dump.unlink()
    return rows
