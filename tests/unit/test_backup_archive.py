"""An archive is what was put into it, or is told to be damaged, whichever of its bytes changed."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.backup.archive import BackupError, Kind, Manifest, Packed, RegistryPart, open_archive, write_archive

NOW = datetime(2026, 11, 27, tzinfo=UTC)
CONTENTS = {"ledger.db": b"hello " * 50, "store.db": bytes(range(256)) * 2}


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small archive."""
    folder = tmp_path_factory.mktemp("archive")
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    parts = [
        Packed("ledger.db", Kind.LEDGER, folder / "ledger.db"),
        Packed("store.db", Kind.SQLITE_STORE, folder / "store.db"),
    ]
    part = RegistryPart(version="0001", revision=1, rows=1)
    manifest = Manifest(format=1, passerelle="0", began=NOW, ended=NOW, registry=part, store="sqlite:///history.db")
    write_archive(folder / "a.zip", parts, manifest, quiet)
    return (folder / "a.zip").read_bytes()


def read(file: Path) -> dict[str, bytes]:
    """What is restored of an archive."""
    with open_archive(file) as archive:
        archive.verify(quiet)
        for member in archive.manifest.members:
            archive.extract(member, file.with_name(member.name), quiet)
        return {member.name: file.with_name(member.name).read_bytes() for member in archive.manifest.members}


def told_or_whole(damaged: bytes) -> bool:
    """Whether an archive is told to be damaged; what it holds is right where it is not."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.zip"
        file.write_bytes(damaged)
        try:
            found = read(file)
        except BackupError as error:
            return str(file) in str(error)
    assert found == CONTENTS
    return False


@given(st.data())
def test_a_changed_byte_is_told_or_changes_nothing(whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(min_value=0, max_value=len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at] ^= data.draw(st.integers(min_value=1, max_value=255))

    told_or_whole(bytes(damaged))


@given(st.data())
def test_an_archive_cut_short_is_told(whole: bytes, data: st.DataObject) -> None:
    length = data.draw(st.integers(min_value=0, max_value=len(whole) - 1))

    assert told_or_whole(whole[:length])
