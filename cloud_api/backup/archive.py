"""The archive of a backup: a ZIP with a manifest, written beside its place and moved there whole, read with suspicion.

In come files, out comes one archive with mode 0600; or the other way round, after every sum was verified. A file that
is none of ours, or is damaged, ends in one `BackupError` that says which part of it.
"""

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

import msgspec
from msgspec import Struct

from cloud_api.new_files import open_new

FORMAT: Final = 1
"""The layout of archives that this program writes; it refuses newer ones by name."""
MANIFEST: Final = "manifest.json"
BLOCK: Final = 1 << 20
"""Bytes held at a time."""
LONGEST_MANIFEST: Final = 16 << 20
FAST: Final = 1
"""zlib's level: pages of SQLite shrink to a third with it, and to little less with more."""

Progress = Callable[[str, int, int], None]
"""Told of what is under way, how much of it is done, and how much there is."""


class BackupError(Exception):
    """A backup that cannot be taken or restored: what is wrong, and what to do."""


class Kind(StrEnum):
    """What a member of an archive is."""

    REGISTRY = "registry"
    LEDGER = "ledger"
    FORECASTS = "forecasts"
    SIGNING_KEY = "signing_key"
    SQLITE_STORE = "sqlite_store"
    INFLUX_1 = "influx_1"
    INFLUX_2 = "influx_2"


class Member(Struct, frozen=True, kw_only=True):
    """One file in the archive."""

    name: str
    kind: Kind
    bytes: int
    sha256: str


class RegistryPart(Struct, frozen=True, kw_only=True):
    """What the registry was when it was read."""

    version: str
    """Of its tables: the migration that made them."""
    revision: int
    """How many changes it had seen."""
    rows: int


class Manifest(Struct, frozen=True, kw_only=True):
    """What an archive holds, and of when."""

    format: int
    passerelle: str
    """The version of the program that wrote it."""
    began: datetime
    """All that ingest had answered for by then is in it."""
    ended: datetime
    registry: RegistryPart
    store: str
    """Where history was kept, without a password."""
    database: str = ""
    """The name of InfluxDB's database."""
    members: tuple[Member, ...] = ()

    def of(self, kind: Kind) -> list[Member]:
        """The members of a kind."""
        return [member for member in self.members if member.kind is kind]


class Packed(Struct, frozen=True):
    """A file to be put into an archive."""

    name: str
    kind: Kind
    path: Path


def write_archive(file: Path, parts: Sequence[Packed], manifest: Manifest, progress: Progress) -> Manifest:
    """Write parts and manifest to a file that is not there yet; the manifest as written. Raises `OSError`."""
    with open_new(file) as written:
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=FAST) as archive:
            members = tuple(_put(archive, part, progress) for part in parts)
            whole = msgspec.structs.replace(manifest, members=members)
            archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(whole), indent=1))
        written.flush()
        os.fsync(written.fileno())
    return whole


def _put(archive: zipfile.ZipFile, part: Packed, progress: Progress) -> Member:
    with part.path.open("rb") as source, archive.open(part.name, "w", force_zip64=True) as target:
        digest, length = _copy(source, target, part.path.stat().st_size, part.name, progress)
    return Member(name=part.name, kind=part.kind, bytes=length, sha256=digest)


class Archive:
    """An archive that is open; every member was held against the manifest's sums."""

    def __init__(self, file: Path, opened: zipfile.ZipFile, manifest: Manifest) -> None:
        self.manifest = manifest
        self._file = file
        self._zip = opened

    def verify(self, progress: Progress) -> None:
        """Read all members once and compare them with the manifest. Raises `BackupError`."""
        for member in self.manifest.members:
            try:
                with _damage(self._file, member.name), self._zip.open(member.name) as source:
                    digest, length = _copy(source, None, member.bytes, member.name, progress)
            except OSError as error:
                raise BackupError(f"{self._file}: {member.name} cannot be read: {error.strerror}") from error
            if (digest, length) != (member.sha256, member.bytes):
                raise BackupError(f"{self._file}: {member.name} is not what the manifest says: the file is damaged")

    def extract(self, member: Member, target: Path, progress: Progress) -> None:
        """Write one member to a new file with mode 0600, durably. Raises `BackupError` or `OSError`."""
        with (
            open_new(target) as out,
            _damage(self._file, member.name),
            self._zip.open(member.name) as source,
        ):
            digest, _ = _copy(source, out, member.bytes, member.name, progress)
            out.flush()
            os.fsync(out.fileno())
        if digest != member.sha256:
            raise BackupError(f"{self._file}: {member.name} changed while it was read")

    @contextmanager
    def reading(self, member: Member) -> Iterator[IO[bytes]]:
        """One member's bytes. Raises `BackupError`."""
        with _damage(self._file, member.name), self._zip.open(member.name) as source:
            yield source


@contextmanager
def open_archive(file: Path) -> Iterator[Archive]:
    """An archive of ours for the length of a `with`. Raises `BackupError`."""
    try:
        opened = zipfile.ZipFile(file)
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {error.strerror}") from error
    except (*_DAMAGES, struct.error) as error:
        raise BackupError(f"{file} is no backup, or was cut short: {error}") from error
    with opened:
        yield Archive(file, opened, _manifest(file, opened))


def _manifest(file: Path, opened: zipfile.ZipFile) -> Manifest:
    try:
        info = opened.getinfo(MANIFEST)
    except KeyError:
        raise BackupError(f"{file} is a ZIP archive without {MANIFEST}: no backup of Passerelle's") from None
    if info.file_size > LONGEST_MANIFEST:
        raise BackupError(f"{file}: its {MANIFEST} is {info.file_size} bytes long: no backup of Passerelle's")
    try:
        with _damage(file, MANIFEST):
            text = opened.read(MANIFEST)
        layout = msgspec.json.decode(text, type=_Layout).format
        if layout > FORMAT:
            raise BackupError(f"{file} was written by a newer Passerelle (format {layout}): upgrade this program")
        manifest = msgspec.json.decode(text, type=Manifest)
    except OSError as error:
        raise BackupError(f"{file}: {MANIFEST} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise BackupError(f"{file}: its {MANIFEST} cannot be understood: {error}") from error
    _check_names(file, opened, manifest)
    return manifest


class _Layout(Struct):
    format: int


def _check_names(file: Path, opened: zipfile.ZipFile, manifest: Manifest) -> None:
    """Names are written to disk under a folder of ours, so none may lead out of it."""
    there = set(opened.namelist())
    for member in manifest.members:
        if member.name not in there:
            raise BackupError(f"{file}: {member.name} is missing: the file is damaged")
        if member.name.startswith("/") or ".." in member.name.split("/"):
            raise BackupError(f"{file}: {member.name!r} is no name of a backup's")


_DAMAGES: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What `zipfile` makes of a byte that changed: it takes it for another method, a cipher, a newer format."""


@contextmanager
def _damage(file: Path, name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGES as error:
        raise BackupError(f"{file}: {name} is damaged: {error}") from error


def _copy(source: IO[bytes], target: IO[bytes] | None, total: int, name: str, progress: Progress) -> tuple[str, int]:
    digest, done = sha256(), 0
    while block := source.read(BLOCK):
        digest.update(block)
        done += len(block)
        if target is not None:
            target.write(block)
        progress(name, done, total)
    return digest.hexdigest(), done
