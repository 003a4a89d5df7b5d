"""Which backup was made last: a line of the audit trail, so that every process of a town knows of it."""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct, to_builtins
from sqlalchemy import Engine, insert, select

from cloud_api.registry.database import connect, reading, writing
from cloud_api.registry.tables import AUDIT

KIND: Final = "backup"
LAST: Final = select(AUDIT.c.after).where(AUDIT.c.kind == KIND).order_by(AUDIT.c.number.desc()).limit(1)


class LastBackup(Struct, frozen=True, kw_only=True):
    """A backup that was written to its end."""

    at: datetime
    """When it began, UTC: what came later is not in it."""
    file: str
    """Its name, without its folder."""
    size_bytes: int
    store: str
    """Whose history is in it; `left out` where none is."""


def note_backup(address: str, made: LastBackup, *, by: str) -> None:
    """Tell a registry, of whatever version, that a backup of it was made. Blocks.

    Raises `ConfigError` or `RegistryError`.
    """
    told: dict[str, Any] = to_builtins(made)
    line = {"at": made.at, "who": by, "kind": KIND, "key": made.file, "before": None, "after": told}
    engine = connect(address)
    try:
        with writing(engine) as connection:
            connection.execute(insert(AUDIT).values(line))
    finally:
        engine.dispose()


class BackupTrail:
    """The backups in the registry's database. Methods block and raise `RegistryError`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def last(self) -> LastBackup | None:
        """The last one; None where none was made."""
        with reading(self._engine) as connection:
            found: dict[str, Any] | None = connection.execute(LAST).scalar()
        return None if found is None else LastBackup(**{**found, "at": datetime.fromisoformat(found["at"])})
