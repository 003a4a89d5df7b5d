"""Stores and registries that are there already. Whoever mistypes an address is told so, and makes no second one there.

`open_store` and `open_registry` make what is missing: they are for those that are to.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from cloud_api.backup.influx_tools import is_there
from cloud_api.registry.database import connect, parse_registry_url, reading, table_version
from cloud_api.registry.store import RegistryStore, open_registry
from cloud_api.settings import ConfigError
from cloud_api.stores import open_store
from cloud_api.stores.address import InfluxAddress, SqliteAddress, parse_store_url
from cloud_api.stores.lasting import LastingStore

MAKES_A_REGISTRY: Final = "passerelle places import FILE --registry"
MAKES_A_STORE: Final = "passerelle store init"


def existing_registry(address: str) -> RegistryStore:
    """The registry that was made at an address before, brought to the newest version where needed.

    Raises `ConfigError` where there is none, and `RegistryError`.
    """
    url = parse_registry_url(address)
    where = url.render_as_string(hide_password=True) if url.host else str(url.database)
    made = f"`{MAKES_A_REGISTRY} {where}` makes a new one"
    if not url.host and not Path(where).is_file():
        raise ConfigError(f"--registry {where}: there is no such file; {made}")
    if not _has_tables(address):
        raise ConfigError(f"--registry {where}: holds no registry; {made}")
    return open_registry(address)


def require_store(url: str) -> None:
    """Raise `ConfigError` where there is no such store, `StoreUrlError` or `StoreError`."""
    address = parse_store_url(url)
    match address:
        case SqliteAddress(path):
            where, known = f"sqlite:///{path}", path.is_file()
        case InfluxAddress():
            where, known = str(address), is_there(address)
    if not known:
        raise ConfigError(f"there is no store {where}; `{MAKES_A_STORE} {where}` makes a new one")


@contextmanager
def existing_store(url: str) -> Iterator[LastingStore]:
    """A store that is there, for the length of a `with`. Raises as `require_store` does."""
    require_store(url)
    with closing(open_store(url)) as opened:
        opened.ready()
        yield opened


def _has_tables(address: str) -> bool:
    engine = connect(address)
    try:
        with reading(engine) as connection:
            return table_version(connection) is not None
    finally:
        engine.dispose()
