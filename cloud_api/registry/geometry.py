"""Where things are, in degrees of WGS 84: positions as we name them, and shapes as GeoJSON writes them (RFC 7946)."""

from collections.abc import Iterator
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
LonLat: TypeAlias = tuple[Longitude, Latitude]
"""GeoJSON's order."""
Ring = Annotated[tuple[LonLat, ...], Meta(min_length=4)]
"""Closed: the last point is the first."""


class Position(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a place is."""

    lat: Latitude
    lon: Longitude


class LineString(Struct, frozen=True, tag=True, tag_field="type"):
    """A line: bays along a street."""

    coordinates: Annotated[tuple[LonLat, ...], Meta(min_length=2)]


class Polygon(Struct, frozen=True, tag=True, tag_field="type"):
    """An area: the outer ring, then its holes."""

    coordinates: Annotated[tuple[Ring, ...], Meta(min_length=1)]


class MultiPolygon(Struct, frozen=True, tag=True, tag_field="type"):
    """Several areas."""

    coordinates: Annotated[tuple[Annotated[tuple[Ring, ...], Meta(min_length=1)], ...], Meta(min_length=1)]


Geometry: TypeAlias = LineString | Polygon | MultiPolygon


def middle(geometry: Geometry) -> Position:
    """The middle of the box around a shape."""
    points = list(_points(geometry))
    longitudes, latitudes = [lon for lon, _ in points], [lat for _, lat in points]
    return Position(lat=(min(latitudes) + max(latitudes)) / 2, lon=(min(longitudes) + max(longitudes)) / 2)


def _points(geometry: Geometry) -> Iterator[LonLat]:
    match geometry:
        case LineString(coordinates):
            yield from coordinates
        case Polygon(coordinates):
            yield from coordinates[0]
        case MultiPolygon(coordinates):
            for polygon in coordinates:
                yield from polygon[0]
