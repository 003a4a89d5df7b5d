"""What the registry's database holds: entries with their versions, one by one and all at one moment.

In come connections, out come values. Versions are for who changes what he saw: another number, another entry.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, literal, select, union_all

from cloud_api.registry.kinds import key_of, kind_of, name_of
from cloud_api.registry.places import Closure, Counter, Device, Entry, Gateway, Installation, Space, Zone
from cloud_api.registry.registry import Registry
from cloud_api.registry.tables import ENTRIES

Value = TypeVar("Value", bound=Entry)
EntryName = tuple[str, str]
"""Kind and key of an entry."""


class View(NamedTuple):
    """The registry at one moment, with the versions to be named by who changes what he saw."""

    registry: Registry
    versions: Mapping[EntryName, int]

    def version_of(self, entry: Entry) -> int:
        """The version of an entry with this one's key; 0 where there is none."""
        return self.versions.get((kind_of(entry), key_of(entry)), 0)


class Versioned(Struct, Generic[Value], frozen=True):
    """An entry, and the version to be named by who changes it."""

    entry: Value
    version: int


def find(connection: Connection, kind: type[Value], key: str) -> Versioned[Value] | None:
    table = ENTRIES[name_of(kind)]
    row = connection.execute(select(table.c.body, table.c.version).where(table.c.key == key)).first()
    return None if row is None else Versioned(msgspec.convert(row.body, kind), row.version)


class Row(NamedTuple):
    """An entry as its table holds it."""

    kind: str
    key: str
    version: int
    body: Any


def all_rows(connection: Connection) -> list[Row]:
    """All entries, those of a kind in the order in which they were added: one statement, one moment."""
    columns = (
        select(literal(kind).label("kind"), table.c.key, table.c.version, table.c.body, table.c.number)
        for kind, table in ENTRIES.items()
    )
    return [Row(*row[:4]) for row in connection.execute(union_all(*columns).order_by("number"))]


def registry_of(rows: Sequence[Row]) -> Registry:
    def all_of(kind: type[Value]) -> list[Value]:
        return [msgspec.convert(row.body, kind) for row in rows if row.kind == name_of(kind)]

    return Registry(
        zones=all_of(Zone),
        spaces=all_of(Space),
        counters=all_of(Counter),
        gateways=all_of(Gateway),
        devices=all_of(Device),
        installations=all_of(Installation),
        closures=all_of(Closure),
    )
