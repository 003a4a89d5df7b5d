"""What is out of service in a zone now, why, and until when. Pure.

In come a zone's closures, one for each space where an order closes many; out comes one line for each reason and period.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct, field

from cloud_api.opening import Closures
from cloud_api.registry import Closure, Registry, Zone
from cloud_api.registry.places import Audience, Counting

NO_END: Final = datetime.max.replace(tzinfo=UTC)


class ClosedView(Struct, frozen=True, kw_only=True):
    """Why spaces are out of service now, and until when."""

    spaces: int
    """How many of the zone's spaces for cars; in a zone that has none, of its spaces for two wheels."""
    reason: str
    """In the town's words."""
    start: datetime = field(name="from")
    """UTC."""
    until: datetime | None
    """UTC; null until further notice."""
    source: str
    """Who says so: `manual`, the feed that it was read from, or `opening_hours`, whose text the reason is then."""


def closed_views(registry: Registry, zone: Zone, capacity: int, closures: Closures) -> tuple[ClosedView, ...]:
    """The closures that hold in a zone of so many spaces, the one that ends first at the front."""
    if not closures:
        return ()
    if zone.counting is not Counting.SPACES:
        whole = closures.get(zone.id)
        return () if whole is None else (_view(whole, capacity),)
    spaces = registry.spaces_of(zone.id)
    for_cars = [space for space in spaces if space.audience is not Audience.TWO_WHEELS] or spaces
    found = Counter(_merged(closures[space.id]) for space in for_cars if space.id in closures)
    views = [_view(closure, count) for closure, count in found.items()]
    return tuple(sorted(views, key=lambda view: (view.until or NO_END, view.start, view.reason)))


def _merged(closure: Closure) -> Closure:
    """The same for all spaces that one order closes."""
    return Closure(
        id="-", place="-", start=closure.start, end=closure.end, reason=closure.reason, source=closure.source
    )


def _view(closure: Closure, spaces: int) -> ClosedView:
    return ClosedView(
        spaces=spaces, reason=closure.reason, start=closure.start, until=closure.until, source=closure.source
    )
