"""Where to park around a point, for one audience: what surely has a space first, each group by how far one walks.

In come zones as they are now; out come those within a radius. Pure. Nobody here knows the streets: a walk is taken for
1.3 times the way of a bird, which is what towns' streets add on average, at 4.8 km/h.
"""

from collections.abc import Iterable
from math import asin, ceil, cos, radians, sin, sqrt
from typing import Final

from msgspec.structs import asdict

from cloud_api.counts import AudienceCounts, Counts
from cloud_api.registry import Position
from cloud_api.registry.places import Audience
from cloud_api.trust import Trust
from cloud_api.zones import ZoneView

EARTH_RADIUS_M: Final = 6_371_009.0
DETOUR: Final = 1.3
"""A walk through streets, as a multiple of the straight line."""
METRES_PER_MINUTE: Final = 80.0


class NearbyZone(AudienceCounts, frozen=True, kw_only=True):
    """A zone near a point, as one audience finds it."""

    id: str
    name: str
    position: Position
    source: str | None
    """Who says so, where it is not the town itself."""
    distance_m: int
    """In a straight line to where one drives, metres."""
    walk_m: int
    """The walk, estimated: 1.3 times as far."""
    walk_min: int
    """The same in minutes, at 4.8 km/h, rounded up."""


def nearby(zones: Iterable[ZoneView], here: Position, audience: Audience, radius_m: float) -> list[NearbyZone]:
    """The zones within a straight line of `radius_m` that have spaces for an audience.

    First those that can be trusted to have one free, then those of which that is not known, then the full and the
    closed; in each group the nearest first.
    """
    found = [
        _near(zone, counts, away_m)
        for zone in zones
        if (counts := zone.of(audience)) is not None and (away_m := metres(here, zone.position)) <= radius_m
    ]
    return sorted(found, key=lambda each: (hope(each), each.distance_m, each.id))


def metres(one: Position, other: Position) -> float:
    """The straight line between two points, metres (haversine)."""
    lat, other_lat = radians(one.lat), radians(other.lat)
    across = sin((other_lat - lat) / 2) ** 2
    along = sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(across + cos(lat) * cos(other_lat) * along)))


def walk_minutes(away_m: float) -> int:
    """How long one walks to what is so far away in a straight line, rounded up."""
    return ceil(DETOUR * away_m / METRES_PER_MINUTE)


def hope(counts: Counts) -> int:
    """0 where a space is known to be free, 1 where one may be, 2 where none is."""
    if counts.trust is Trust.CLOSED or (counts.free == 0 and not counts.unknown):
        return 2
    return 0 if counts.trust is Trust.FRESH and counts.free else 1


def _near(zone: ZoneView, counts: AudienceCounts, away_m: float) -> NearbyZone:
    return NearbyZone(
        **asdict(counts),
        id=zone.id,
        name=zone.name,
        position=zone.position,
        source=zone.source,
        distance_m=round(away_m),
        walk_m=round(DETOUR * away_m),
        walk_min=walk_minutes(away_m),
    )
