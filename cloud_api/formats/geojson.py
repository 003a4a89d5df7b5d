"""GeoJSON (RFC 7946): the zones as features of a map, each with its figures."""

from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct

from cloud_api.counts import AudienceCounts
from cloud_api.formats.picture import Picture, ZoneNow
from cloud_api.registry.geometry import LineString, LonLat, MultiPolygon, Polygon, Position
from cloud_api.registry.places import ZoneKind
from cloud_api.trend import Trend
from cloud_api.trust import Cause, Trust

MEDIA_TYPE: Final = "application/geo+json"


class Point(Struct, frozen=True, tag=True, tag_field="type"):
    """A zone of which no shape is known."""

    coordinates: LonLat


class Properties(Struct, frozen=True, kw_only=True):
    """A zone and its figures; null is what nobody knows."""

    name: str
    kind: ZoneKind
    position: Position
    """Where to drive to."""
    capacity: int
    free: int | None
    occupied: int | None
    unknown: int
    closed: int
    trust: Trust
    cause: Cause | None
    measured_at: datetime | None
    oldest_at: datetime | None
    trend: Trend | None
    audiences: tuple[AudienceCounts, ...]
    """For each audience that has spaces here; the figures above are those of all spaces for cars."""
    operator: str | None
    """Who runs it, or tells of it; null for the town."""
    address: str | None
    opening_hours: str | None
    """OpenStreetMap's syntax; null where it is always open."""
    price: str | None
    height_limit_m: float | None
    url: str | None
    info: str | None


class Feature(Struct, frozen=True, kw_only=True):
    """One zone."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: Point | LineString | Polygon | MultiPolygon
    properties: Properties


class ZonesOnMap(Struct, frozen=True, kw_only=True):
    """All zones."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    last_updated: datetime
    """As of when the figures are, UTC."""
    features: tuple[Feature, ...]


def zones_on_map(picture: Picture) -> ZonesOnMap:
    """All zones as features."""
    return ZonesOnMap(last_updated=picture.as_of, features=tuple(_feature(each) for each in picture.zones))


def write(picture: Picture) -> bytes:
    """All zones as a document."""
    return msgspec.json.encode(zones_on_map(picture))


def _feature(zone: ZoneNow) -> Feature:
    place, now = zone.place, zone.now
    return Feature(
        id=place.id,
        geometry=place.geometry or Point((place.position.lon, place.position.lat)),
        properties=Properties(
            name=place.name,
            kind=place.kind,
            position=place.position,
            capacity=now.capacity,
            free=now.free,
            occupied=now.occupied,
            unknown=now.unknown,
            closed=now.closed,
            trust=now.trust,
            cause=now.cause,
            measured_at=now.measured_at,
            oldest_at=now.oldest_at,
            trend=now.trend,
            audiences=now.audiences,
            operator=zone.operator,
            address=place.address,
            opening_hours=place.opening_hours,
            price=place.price,
            height_limit_m=place.height_limit_m,
            url=place.url,
            info=place.info,
        ),
    )
