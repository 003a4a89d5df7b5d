"""What is closed at a moment: by a closure, or because its opening hours say so. Pure.

In come the closures in force at that moment and a zone; out comes for it, and for each of its spaces, the closure that
holds. Out of hours is a closure too, from the last closing to the next opening.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, State, validate

from cloud_api.registry import Audience, Closure, Registry, Zone
from cloud_api.trust import Cause

REMEMBERED: Final = 4096
COUNTRY: Final = "FR"
"""Whose public holidays `PH` means."""
LOOK_BACK: Final = timedelta(days=8)
"""How far back the last closing is looked for."""
BY_HOURS: Final = "opening_hours"
"""The source of a closure that nobody ordered."""
MINUTE: Final = timedelta(minutes=1)

Closures = Mapping[str, Closure]
"""By zone and space, the closure that holds at one moment."""


def closed_in(in_force: Closures, registry: Registry, zone: Zone, at: datetime, tz: ZoneInfo) -> Closures:
    """What of a zone is closed at that moment; `in_force` is `Registry.closures_at` of it.

    The spaces of a zone that is shut are shut with it. A bay for deliveries is shut to nobody out of its hours: they
    say when it is kept for them. What is closed by order is so until the order ends.
    """
    spaces = registry.spaces_of(zone.id)
    shut = _shut(zone.id, zone.opening_hours, at, tz)
    closed = {} if shut is None else dict.fromkeys((zone.id, *(space.id for space in spaces)), shut)
    for space in spaces:
        hours = None if space.audience is Audience.DELIVERY else space.opening_hours
        its_own = _shut(space.id, hours, at, tz)
        if its_own is not None:
            closed.setdefault(space.id, its_own)
    return closed | {place: in_force[place] for place in (zone.id, *(each.id for each in spaces)) if place in in_force}


def why_closed(closure: Closure) -> Cause:
    """What holds, in words."""
    if closure.source == BY_HOURS:
        return Cause(f"fermé : horaires {closure.reason}", f"closed: opening hours {closure.reason}")
    return Cause(f"fermé : {closure.reason}", f"closed: {closure.reason}")


def _shut(place: str, text: str | None, at: datetime, tz: ZoneInfo) -> Closure | None:
    period = None if text is None else _shut_period(text, at.replace(second=0, microsecond=0), tz)
    if text is None or period is None:
        return None
    start, end = period
    return Closure(id=BY_HOURS, place=place, start=start, end=end, reason=text, source=BY_HOURS)


@lru_cache(REMEMBERED)
def _shut_period(text: str, minute: datetime, tz: ZoneInfo) -> tuple[datetime, datetime | None] | None:
    """Since when and until when it is shut then, UTC; None while it is open. The end is None where it never opens."""
    hours = _parsed(text, tz)
    local = minute.astimezone(tz)
    if hours is None or not hours.is_closed(local):
        return None
    *_, (start, _, state, _) = hours.intervals(local - LOOK_BACK, local + MINUTE)
    end = hours.next_change(local)
    since = start if state is State.CLOSED else local
    return since.astimezone(UTC), None if end is None else end.astimezone(UTC)


@lru_cache(REMEMBERED)
def _parsed(text: str, tz: ZoneInfo) -> OpeningHours | None:
    """None for a text that is none of OpenStreetMap's: the registry may hold it from before it was checked."""
    return OpeningHours(text, country=COUNTRY, timezone=tz) if validate(text) else None
