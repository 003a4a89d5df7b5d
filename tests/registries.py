"""Registries in files of a test's own, without the migrations that lead to an empty one."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cloud_api.registry.store import RegistryStore, open_registry


def registry_at(file: Path) -> RegistryStore:
    """The registry of a file; an empty one where there was none."""
    if not file.exists():
        file.write_bytes(_empty())
    return open_registry(str(file))


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder, "registry.db")
        open_registry(str(file)).close()
        return file.read_bytes()
