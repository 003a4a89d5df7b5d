"""What will be closed when a driver arrives, in words. Pure."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from cloud_api.opening import BY_HOURS, Closures, closed_in
from cloud_api.registry import Closure, Registry, Zone
from cloud_api.trust import Cause

Closed = Mapping[str, Cause]
"""By zone and space, why it is closed at one moment."""


def closed_then(in_force: Closures, registry: Registry, zone: Zone, at: datetime, tz: ZoneInfo) -> Closed:
    """What of a zone is closed at that moment; a zone is named when all of it is."""
    return {place: _why(closure) for place, closure in closed_in(in_force, registry, zone, at, tz).items()}


def _why(closure: Closure) -> Cause:
    if closure.source == BY_HOURS:
        return Cause(
            f"fermé à cette heure : horaires {closure.reason}", f"closed at that time: opening hours {closure.reason}"
        )
    return Cause(f"fermé à cette heure : {closure.reason}", f"closed at that time: {closure.reason}")
