"""What will be closed when a driver arrives: by a closure, or by its opening hours. Pure.

In come the closures in force at that moment and a zone; out comes for it, and for each of its spaces, why it is closed.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, validate

from cloud_api.registry import Closure, Registry, Zone
from cloud_api.trust import Cause

TEXTS_REMEMBERED: Final = 4096
COUNTRY: Final = "FR"
"""Whose public holidays `PH` means."""

Closed = Mapping[str, Cause]
"""By zone and space, why it is closed at one moment."""


def closed_then(closures: Mapping[str, Closure], registry: Registry, zone: Zone, at: datetime, tz: ZoneInfo) -> Closed:
    """What of a zone is closed at that moment; a zone is named when all of it is."""
    places = {zone.id: zone.opening_hours} | {each.id: each.opening_hours for each in registry.spaces_of(zone.id)}
    closed = {place: _by_hours(text) for place, text in places.items() if text is not None and _shut(text, at, tz)}
    return closed | {place: _by_closure(closures[place]) for place in places if place in closures}


def _by_closure(closure: Closure) -> Cause:
    return Cause(f"fermé à cette heure : {closure.reason}", f"closed at that time: {closure.reason}")


def _by_hours(text: str) -> Cause:
    return Cause(f"fermé à cette heure : horaires {text}", f"closed at that time: opening hours {text}")


def _shut(text: str, at: datetime, tz: ZoneInfo) -> bool:
    hours = _parsed(text, tz)
    return hours is not None and hours.is_closed(at.astimezone(tz))


@lru_cache(TEXTS_REMEMBERED)
def _parsed(text: str, tz: ZoneInfo) -> OpeningHours | None:
    """None for a text that is none of OpenStreetMap's: the registry may hold it from before it was checked."""
    return OpeningHours(text, country=COUNTRY, timezone=tz) if validate(text) else None
