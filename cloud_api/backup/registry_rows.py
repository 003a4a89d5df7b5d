"""The registry as lines of JSON, one row each: the same from SQLite and from PostgreSQL, and into either.

All that is in its tables goes along: places, keys (their digests), people, closures, the audit trail, the revision.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    delete,
    func,
    insert,
    null,
    select,
    text,
)

from cloud_api.backup.archive import BackupError, RegistryPart
from cloud_api.registry.database import connect, migrate, revision, table_version, writing
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.tables import METADATA, REVISION

ROWS_AT_ONCE: Final = 1_000


class Line(Struct, frozen=True):
    """One row of one table; times as ISO 8601, bytes as Base64."""

    table: str
    row: dict[str, Any]


_LINES: Final = msgspec.json.Decoder(Line)


def dump_registry(address: str, target: Path) -> RegistryPart:
    """Write all rows as they are at one moment. Raises `ConfigError` or `RegistryError`.

    Whoever wants to change the registry meanwhile waits: it is small.
    """
    with _connected(address) as engine, writing(engine) as connection, target.open("xb") as out:
        version = table_version(connection)
        if version is None:
            raise RegistryError(f"{engine.url.render_as_string(hide_password=True)} holds no registry")
        migrate(connection)
        count = 0
        for line in _lines(connection):
            out.write(msgspec.json.encode(line) + b"\n")
            count += 1
        at = RegistryPart(version=table_version(connection) or version, revision=revision(connection), rows=count)
        connection.rollback()
    return at


def holds_registry(address: str) -> bool:
    """Whether anything was ever entered in the registry at an address. Raises `ConfigError` or `RegistryError`."""
    with _connected(address) as engine, writing(engine) as connection:
        tables = MetaData()
        tables.reflect(connection)
        found = any(
            connection.execute(select(table).limit(1)).first() is not None
            for table in tables.tables.values()
            if table.name not in {REVISION.name, "alembic_version"}
        )
        connection.rollback()
    return found


def load_registry(address: str, source: IO[bytes], part: RegistryPart) -> None:
    """Fill an empty registry, all or nothing: tables as they were, then the rows, then what newer versions add.

    Raises `BackupError`, `ConfigError` or `RegistryError`.
    """
    with _connected(address) as engine, writing(engine) as connection:
        if table_version(connection) is None:
            migrate(connection, part.version)
        tables = MetaData()
        tables.reflect(connection)
        connection.execute(delete(tables.tables[REVISION.name]))
        rows = _insert(connection, tables, _read(source))
        if rows != part.rows:
            raise BackupError(f"the registry has {rows} rows, its manifest says {part.rows}")
        _go_on_counting(connection, tables)
        migrate(connection)


def _lines(connection: Connection) -> Iterator[Line]:
    for table in METADATA.sorted_tables:
        for row in connection.execute(select(table).order_by(*table.primary_key)).mappings():
            yield Line(str(table.name), {str(name): value for name, value in row.items()})


def _read(source: IO[bytes]) -> Iterator[Line]:
    for number, text_ in enumerate(source, start=1):
        try:
            yield _LINES.decode(text_)
        except msgspec.DecodeError as error:
            raise BackupError(f"the registry's line {number} cannot be understood: {error}") from error


def _insert(connection: Connection, tables: MetaData, lines: Iterable[Line]) -> int:
    count = 0
    for name, group in groupby(lines, lambda line: line.table):
        table = tables.tables.get(name)
        if table is None:
            raise BackupError(f"the registry has a table {name!r} that its version does not know")
        batch: list[dict[str, Any]] = []
        for line in group:
            batch.append(_row(table, line.row))
            if len(batch) == ROWS_AT_ONCE:
                connection.execute(insert(table), batch)
                count, batch = count + len(batch), []
        if batch:
            connection.execute(insert(table), batch)
        count += len(batch)
    return count


def _row(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    unknown = row.keys() - table.columns.keys()
    if unknown:
        raise BackupError(f"the registry's table {table.name!r} has a column {min(unknown)!r} that is not known here")
    return {name: _value(table.columns[name], value) for name, value in row.items()}


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        return null() if isinstance(column.type, JSON) else None
    if isinstance(column.type, DateTime):
        return msgspec.convert(value, datetime).astimezone(UTC)
    if isinstance(column.type, LargeBinary):
        return msgspec.convert(value, bytes)
    return value


def _go_on_counting(connection: Connection, tables: MetaData) -> None:
    """PostgreSQL numbers new rows by a sequence, which rows that bring their number do not move."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.sorted_tables:
        number = table.columns.get("number")
        if number is not None and number.server_default is not None:
            highest = connection.execute(select(func.max(number))).scalar()
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:table, 'number'), :highest)"),
                {"table": table.name, "highest": highest or 1},
            )


@contextmanager
def _connected(address: str) -> Iterator[Engine]:
    engine = connect(address)
    try:
        yield engine
    finally:
        engine.dispose()
