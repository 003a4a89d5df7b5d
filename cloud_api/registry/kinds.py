"""The kinds of entries that a registry holds, and what names an entry within its kind. Pure; knows no database."""

from collections.abc import Mapping
from datetime import UTC
from types import MappingProxyType
from typing import Final

from cloud_api.registry.places import Closure, Counter, Device, Entry, Gateway, Installation, Space, Zone

KINDS: Final[Mapping[str, type[Entry]]] = MappingProxyType(
    {
        "zone": Zone,
        "space": Space,
        "counter": Counter,
        "gateway": Gateway,
        "device": Device,
        "installation": Installation,
        "closure": Closure,
    }
)
"""The tables of entries, in the order in which they may refer to each other."""


def name_of(type_: type[object]) -> str:
    """The table of a type of entries."""
    return next(kind for kind, each in KINDS.items() if each == type_)


def kind_of(entry: Entry) -> str:
    """The table of an entry."""
    return name_of(type(entry))


def key_of(entry: Entry) -> str:
    """What names an entry within its table."""
    match entry:
        case Gateway():
            return entry.name
        case Device():
            return entry.address
        case Installation():
            start = entry.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
            return "/".join((entry.device, entry.channel, entry.mode, start))
        case _:
            return entry.id
