"""GeoJSON of zones, as maps read it."""

import json
from typing import Any

from hypothesis import given
from shapely.geometry import shape

from cloud_api.formats import geojson
from cloud_api.formats.picture import Picture
from cloud_api.registry.geometry import Polygon
from tests.pictures import HERE, SILENT, picture, pictures, unknown, zone

SQUARE = Polygon(coordinates=(((-1.56, 47.21), (-1.55, 47.21), (-1.55, 47.22), (-1.56, 47.21)),))


def features(town: Picture) -> list[dict[str, Any]]:
    document = json.loads(geojson.write(town))
    assert document["type"] == "FeatureCollection"
    listed: list[dict[str, Any]] = document["features"]
    return listed


@given(pictures())
def test_every_zone_is_a_feature_with_a_sound_geometry_and_its_own_figures(town: Picture) -> None:
    for feature, each in zip(features(town), town.zones, strict=True):
        assert feature["type"] == "Feature"
        assert feature["id"] == each.place.id
        assert shape(feature["geometry"]).is_valid
        assert feature["properties"]["free"] == each.now.free


def test_a_zone_has_its_shape_or_its_point() -> None:
    shaped, pointed = features(picture(zone(geometry=SQUARE), zone("gare")))

    assert shaped["geometry"]["type"] == "Polygon"
    assert shaped["properties"]["position"] == {"lat": HERE.lat, "lon": HERE.lon}
    assert pointed["geometry"] == {"type": "Point", "coordinates": [HERE.lon, HERE.lat]}


def test_what_nobody_knows_is_null_and_said_why() -> None:
    (feature,) = features(picture(unknown()))

    properties = feature["properties"]
    assert (properties["free"], properties["occupied"], properties["unknown"]) == (None, None, 12)
    assert (properties["trust"], properties["cause"]) == ("stale", {"fr": SILENT.fr, "en": SILENT.en})
