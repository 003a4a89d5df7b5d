"""Bays out of service for a time: closed, ended, prolonged. Pure.

In come the registry and what is wanted, out comes a `Plan`. A closure is ended, never deleted: what was closed when
stays known.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from cloud_api.provisioning.installing import clock
from cloud_api.provisioning.plan import NotPossibleError, Plan, nearest
from cloud_api.registry import Closure, Registry


def close_places(
    town: Registry, *, places: Iterable[str], reason: str, start: datetime, end: datetime | None = None
) -> Plan:
    """Close zones or spaces from a minute on, all or none; saying it again within the minute changes nothing."""
    begin = start.replace(second=0, microsecond=0)
    known = {*town.zones, *(space.id for space in town.spaces)}
    entries = []
    for place in places:
        if place not in known:
            raise NotPossibleError("unknown-place", "places", nearest=nearest(place, known), place=place)
        name = f"{place}.{begin:%Y%m%dT%H%MZ}"
        entries.append(Closure(id=name, place=place, start=begin, end=end, reason=reason))
    return Plan(tuple(entries), words=tuple(map(in_words, entries)))


def end_closure(known: Closure, end: datetime | None) -> Plan:
    """Let a closure be over at `end`, or never come into force when it begins later; None for until further notice."""
    after = replace(known, end=None if end is None else max(end, known.start))
    return Plan((after,), words=(in_words(after),))


def in_words(each: Closure) -> str:
    """A closure in one line."""
    until = "until further notice" if each.end is None else f"to {clock(each.end)}"
    return f"{each.place} is closed from {clock(each.start)} {until}: {each.reason}"
