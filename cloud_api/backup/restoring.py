"""Puts a backup back: every sum verified first, all parts made ready beside their places, then moved there together.

In come an archive and the places where the API will look, out come a registry, a store and the ledger as they were.
What goes wrong before the last step leaves everything as it was.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from cloud_api.backup.archive import Archive, BackupError, Kind, Manifest, Progress, open_archive
from cloud_api.backup.influx_tools import dropping, is_there, restore_influx, tool_of
from cloud_api.backup.registry_rows import holds_registry, load_registry
from cloud_api.backup.snapshots import check_sound, close_out_others, is_empty
from cloud_api.backup.taking import Kept, sync_folder
from cloud_api.registry.database import parse_registry_url
from cloud_api.registry.errors import RegistryError
from cloud_api.stores.address import InfluxAddress, SqliteAddress
from cloud_api.stores.base import StoreError

ASIDE: Final = ".before-restore"
"""What is added to the name of a file that a restored one takes the place of."""


class _Ready(Struct, frozen=True):
    """A file that waits beside its place."""

    kind: Kind
    path: Path
    place: Path
    held_something: bool


def restore_backup(file: Path, kept: Kept, *, replace: bool, progress: Progress) -> Manifest:
    """Restore an archive; what it held. `replace`: files that hold something are set aside, else they are refused.

    A database in PostgreSQL or InfluxDB is never replaced: an empty one is expected. Raises `BackupError`,
    `ConfigError`, `RegistryError` or `StoreError`.
    """
    with _failures_in_words(file), open_archive(file) as archive:
        _check_fits(archive.manifest, kept)
        archive.verify(progress)
        _check_room(kept, archive.manifest, replace=replace)
        with ExitStack() as stack:
            files = _make_files_ready(archive, kept, stack, progress)
            _check_can_be_moved(files)
            _fill_databases(archive, kept, stack, progress)
            for each in files:
                _move(each)
        return archive.manifest


def _check_fits(manifest: Manifest, kept: Kept) -> None:
    influx = [kind for kind in (Kind.INFLUX_1, Kind.INFLUX_2) if manifest.of(kind)]
    if isinstance(kept.store, SqliteAddress) and influx:
        raise BackupError(
            f"the backup's history is InfluxDB's ({manifest.store}): name an InfluxDB as --store; "
            "`passerelle store copy` brings it to SQLite afterwards"
        )
    if isinstance(kept.store, InfluxAddress):
        if not influx:
            raise BackupError(
                f"the backup's history is no InfluxDB's ({manifest.store}): name sqlite:///FILE as --store; "
                "`passerelle store copy` brings it to InfluxDB afterwards"
            )
        if tool_of(kept.store) is not influx[0]:
            raise BackupError(f"{kept.store} is of another generation of InfluxDB than the backup")
    if isinstance(kept.store, SqliteAddress) and not manifest.of(Kind.SQLITE_STORE):
        raise BackupError("the backup was taken without history: restore it with --without-store")


def _check_room(kept: Kept, manifest: Manifest, *, replace: bool) -> None:
    if isinstance(kept.store, InfluxAddress) and is_there(kept.store):
        raise BackupError(f"{kept.store} is there already: delete it if nothing is in it, or name another")
    url = parse_registry_url(kept.registry)
    if url.host is not None and holds_registry(kept.registry):
        raise BackupError("--registry: the database holds a registry already: name an empty one")
    for kind, place in _places(kept, manifest).items():
        if not place.parent.is_dir():
            raise BackupError(f"there is no folder {place.parent} to restore {place.name} into")
        if _is_free(kind, place):
            continue
        if not replace:
            raise BackupError(f"{place} holds something already: name another place, or say --replace to set it aside")
        if _aside(place).exists():
            raise BackupError(f"{_aside(place)} is there from an earlier restore: move it away first")


def _is_free(kind: Kind, place: Path) -> bool:
    if kind is Kind.SIGNING_KEY or not place.exists():
        return not place.exists()
    return not holds_registry(str(place)) if kind is Kind.REGISTRY else is_empty(place)


def _aside(place: Path) -> Path:
    return place.with_name(place.name + ASIDE)


def _places(kept: Kept, manifest: Manifest) -> dict[Kind, Path]:
    """Where each file of the backup goes."""
    places = {Kind.LEDGER: kept.ledger, Kind.FORECASTS: kept.forecasts, Kind.SIGNING_KEY: kept.signing_key}
    if isinstance(kept.store, SqliteAddress):
        places[Kind.SQLITE_STORE] = kept.store.path
    url = parse_registry_url(kept.registry)
    if url.host is None:
        places[Kind.REGISTRY] = Path(str(url.database))
    return {kind: place for kind, place in places.items() if manifest.of(kind)}


def _make_files_ready(archive: Archive, kept: Kept, stack: ExitStack, progress: Progress) -> list[_Ready]:
    ready = []
    for kind, place in _places(kept, archive.manifest).items():
        folder = tempfile.TemporaryDirectory(prefix=".passerelle-restore-", dir=place.parent)
        path = Path(stack.enter_context(folder)) / place.name
        (member,) = archive.manifest.of(kind)
        if kind is Kind.REGISTRY:
            with archive.reading(member) as lines:
                load_registry(str(path), lines, archive.manifest.registry)
            path.chmod(0o600)
        else:
            archive.extract(member, path, progress)
        if kind is not Kind.SIGNING_KEY:
            check_sound(path, member.name)
        ready.append(_Ready(kind, path, place, not _is_free(kind, place)))
    return ready


def _check_can_be_moved(files: list[_Ready]) -> None:
    for each in files:
        if each.place.exists() and each.kind is not Kind.SIGNING_KEY:
            close_out_others(each.place)


def _fill_databases(archive: Archive, kept: Kept, stack: ExitStack, progress: Progress) -> None:
    """InfluxDB first: what its tool did can be undone, what PostgreSQL committed can not."""
    manifest = archive.manifest
    with ExitStack() as undo:
        if isinstance(kept.store, InfluxAddress):
            kind = Kind.INFLUX_1 if manifest.of(Kind.INFLUX_1) else Kind.INFLUX_2
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="passerelle-restore-")))
            for member in manifest.of(kind):
                archive.extract(member, folder / Path(member.name).name, progress)
            undo.push(dropping(kept.store, kind))
            restore_influx(kept.store, kept.rpc, kind, folder, manifest.database)
        if parse_registry_url(kept.registry).host is not None:
            (member,) = manifest.of(Kind.REGISTRY)
            with archive.reading(member) as lines:
                load_registry(kept.registry, lines, manifest.registry)
        undo.pop_all()


def _move(each: _Ready) -> None:
    if each.held_something:
        each.place.rename(_aside(each.place))
    each.path.rename(each.place)
    sync_folder(each.place.parent)


@contextmanager
def _failures_in_words(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupError(
            f"nothing is restored from {file}: {error.filename or ''} {error.strerror or error}"
        ) from error
    except (RegistryError, StoreError) as error:
        raise BackupError(f"nothing is restored from {file}: {error}") from error
