"""Takes a backup while the platform runs: each part as of one moment, in an order that loses nothing between them.

In come the addresses of what the API keeps, out comes one archive. The ledger is copied before the store: a fact that
leaves the quarantine for the store meanwhile is then in both, where its key counts it once, and never in neither.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from cloud_api.backup.archive import (
    FORMAT,
    BackupError,
    Kind,
    Manifest,
    Packed,
    Progress,
    RegistryPart,
    write_archive,
)
from cloud_api.backup.influx_tools import DEFAULT_RPC, backup_influx, tool_of
from cloud_api.backup.registry_rows import dump_registry
from cloud_api.backup.snapshots import snapshot
from cloud_api.registry.database import parse_registry_url
from cloud_api.stores.address import InfluxAddress, SqliteAddress

REGISTRY: Final = "registry.jsonl"
LEDGER: Final = "ledger.db"
FORECASTS: Final = "forecasts.db"
SIGNING_KEY: Final = "signing.key"
STORE: Final = "store.db"
INFLUX: Final = "influx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where an API keeps what it keeps: what is backed up, and what is restored."""

    registry: str
    ledger: Path
    forecasts: Path
    signing_key: Path
    store: SqliteAddress | InfluxAddress | None
    """None leaves history out."""
    rpc: str = DEFAULT_RPC
    """Where an InfluxDB 1.x server listens for its backup tool."""


def take_backup(kept: Kept, to: Path, *, clock: Callable[[], datetime], progress: Progress) -> Manifest:
    """Write the archive, whole or not at all; what is in it.

    Raises `BackupError`, `ConfigError`, `RegistryError` or `StoreError`. Needs room for the store twice beside `to`.
    """
    if to.exists():
        raise BackupError(f"{to} is there already: a backup is never written over another")
    _check_there(kept)
    with _no_room_in_words(to), tempfile.TemporaryDirectory(prefix=".passerelle-backup-", dir=to.parent) as name:
        folder = Path(name)
        began = clock()
        registry = dump_registry(kept.registry, folder / REGISTRY)
        parts = [Packed(REGISTRY, Kind.REGISTRY, folder / REGISTRY), *_files(kept, folder, progress)]
        manifest = write_archive(folder / "archive", parts, _manifest(kept, registry, began, clock()), progress)
        (folder / "archive").rename(to)
        sync_folder(to.parent)
    return manifest


def _files(kept: Kept, folder: Path, progress: Progress) -> Iterator[Packed]:
    for name, kind, path in ((LEDGER, Kind.LEDGER, kept.ledger), (FORECASTS, Kind.FORECASTS, kept.forecasts)):
        if path.is_file():
            snapshot(path, folder / name, partial(progress, name))
            yield Packed(name, kind, folder / name)
    if kept.signing_key.is_file():
        yield Packed(SIGNING_KEY, Kind.SIGNING_KEY, kept.signing_key)
    match kept.store:
        case SqliteAddress(path):
            snapshot(path, folder / STORE, partial(progress, STORE))
            yield Packed(STORE, Kind.SQLITE_STORE, folder / STORE)
        case InfluxAddress():
            yield from _influx_files(kept.store, kept.rpc, folder / INFLUX)


def _influx_files(address: InfluxAddress, rpc: str, folder: Path) -> Iterator[Packed]:
    kind = tool_of(address)
    folder.mkdir()
    backup_influx(address, rpc, kind, folder)
    for path in sorted(folder.iterdir()):
        yield Packed(f"{INFLUX}/{path.name}", kind, path)


def _manifest(kept: Kept, registry: RegistryPart, began: datetime, ended: datetime) -> Manifest:
    return Manifest(
        format=FORMAT,
        passerelle=version("passerelle"),
        began=began,
        ended=ended,
        registry=registry,
        store=_named(kept.store),
        database=kept.store.database if isinstance(kept.store, InfluxAddress) else "",
    )


def _named(store: SqliteAddress | InfluxAddress | None) -> str:
    match store:
        case SqliteAddress(path):
            return f"sqlite:///{path}"
        case InfluxAddress():
            return str(store)
    return "left out"


def _check_there(kept: Kept) -> None:
    """A file that is not there would be made by opening it, and an empty backup look like a good one."""
    url = parse_registry_url(kept.registry)
    if url.host is None and not Path(str(url.database)).is_file():
        raise BackupError(f"--registry: there is no file {url.database}")
    if isinstance(kept.store, SqliteAddress) and not kept.store.path.is_file():
        raise BackupError(f"--store: there is no file {kept.store.path}")


@contextmanager
def _no_room_in_words(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupError(f"{to} cannot be written: {error.strerror or error}") from error


def sync_folder(folder: Path) -> None:
    """Let names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
