"""Places as GeoJSON (RFC 7946): one feature for each zone, space and counter, with its closures among its properties.

In comes text, out comes a `Draft` or one `PlacesError`; a registry goes out as text, one feature a line, in the same
words as TOML's. Gateways, devices and installations are no places: it does not carry them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Final

import msgspec

from cloud_api.registry.files.draft import Draft, Mistake, Origin, PlacesError, Row, draft, plain
from cloud_api.registry.files.json_lines import Lines, Part, elements, members
from cloud_api.registry.geometry import Geometry, Position, middle
from cloud_api.registry.kinds import kind_of
from cloud_api.registry.places import Closure, Counter, Space, Zone
from cloud_api.registry.registry import Registry

PLACES: Final = ("zone", "space", "counter")
"""What `properties.place` may say."""
CARRIES: Final = frozenset({"zone", "space", "counter", "closure"})


def read(text: str, file: Path) -> Draft:
    """What a text says. Raises `PlacesError`."""
    lines = Lines(text)
    try:
        parts = list(_features(text))
        mistakes = [mistake for part in parts for mistake in _mistakes(part, lines)]
        if mistakes:
            raise PlacesError(file, mistakes)
        rows = [row for part in parts for row in _rows(text, part, lines)]
    except JSONDecodeError as error:
        raise PlacesError(file, [Mistake(error.lineno, "", f"no JSON: {error.msg}")]) from error
    except _NoFeaturesError as error:
        raise PlacesError(file, [Mistake(1, "features", str(error))]) from error
    return draft(rows, file)


def write(registry: Registry) -> str:
    """The text that reads as a registry's places and closures."""
    closures: dict[str, list[Closure]] = {}
    for closure in registry.closures:
        closures.setdefault(closure.place, []).append(closure)
    places: Sequence[Zone | Space | Counter] = [
        *registry.zones.values(),
        *registry.spaces,
        *registry.counters.values(),
    ]
    features = (_feature(place, closures.get(place.id, ())) for place in places)
    lines = ",\n".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in features)
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'


class _NoFeaturesError(Exception):
    """What it is instead of a FeatureCollection."""


def _features(text: str) -> Iterator[Part]:
    if not isinstance(json.loads(text), dict):
        raise _NoFeaturesError("a FeatureCollection of RFC 7946 expected")
    top = {part.name: part for part in members(text)}
    if "features" not in top or not isinstance(top["features"].value, list):
        raise _NoFeaturesError("missing; a FeatureCollection of RFC 7946 expected")
    yield from elements(text, top["features"].at)


def _mistakes(feature: Part, lines: Lines) -> Iterator[Mistake]:
    """What keeps a feature from being looked at any further."""
    line = lines.of(feature.at)
    if not isinstance(feature.value, dict) or not isinstance(feature.value.get("properties"), dict):
        yield Mistake(line, "properties", "missing; a Feature with properties expected")
        return
    said = feature.value["properties"].get("place")
    if said not in PLACES:
        yield Mistake(line, "place", f"{said!r}; one of {', '.join(PLACES)} expected")
    outer, inner = feature.value.get("id"), feature.value["properties"].get("id")
    if outer is not None and inner is not None and outer != inner:
        yield Mistake(line, "id", f"{outer!r} and {inner!r}; one name expected")
    shape = feature.value.get("geometry")
    if said != "zone" and shape is not None and not _is_point(shape):
        yield Mistake(line, "geometry", f"a Point expected for a {said}")
    closures = feature.value["properties"].get("closures", [])
    if closures and not (isinstance(closures, list) and all(isinstance(each, dict) for each in closures)):
        yield Mistake(line, "closures", "a list of closures expected")


def _rows(text: str, feature: Part, lines: Lines) -> Iterator[Row]:
    parts = {part.name: part for part in members(text, feature.at)}
    properties = {part.name: part for part in members(text, parts["properties"].at) if part.value is not None}
    fields = {name: lines.of(part.named_at) for name, part in {**parts, **properties}.items()}
    kind = properties["place"].value
    id_ = feature.value.get("id") or feature.value["properties"].get("id")
    values = {name: part.value for name, part in properties.items() if name not in {"place", "id", "closures"}}
    shape = feature.value.get("geometry")
    values |= {"id": id_} if id_ is not None else {}
    values |= _geometry(shape, values) if shape is not None else {}
    origin = Origin(lines.of(feature.at), {"position": fields.get("geometry", 0), **fields})
    yield Row(kind, values, origin)
    if "closures" in properties:
        for index, part in enumerate(elements(text, properties["closures"].at)):
            line = lines.of(part.at)
            inside = {name: f"closures[{index}].{name}" for name in ("id", "from", "to", "reason", "source", "place")}
            yield Row("closure", {**part.value, "place": id_}, Origin(line, names=inside))


def _geometry(shape: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """A point is where the place is; the shape of a zone is its outline, and its middle where the zone is."""
    if _is_point(shape):
        return {"position": _position(shape.get("coordinates"))}
    if "position" in values:
        return {"geometry": shape}
    try:
        return {"geometry": shape, "position": msgspec.to_builtins(middle(msgspec.convert(shape, Geometry)))}
    except msgspec.ValidationError:
        return {"geometry": shape, "position": {"lat": 0, "lon": 0}}


def _is_point(shape: Any) -> bool:
    return isinstance(shape, dict) and shape.get("type") == "Point"


def _position(coordinates: Any) -> Any:
    match coordinates:
        case [lon, lat]:
            return {"lon": lon, "lat": lat}
        case _:
            return coordinates


def _feature(place: Zone | Space | Counter, closures: Sequence[Closure]) -> dict[str, Any]:
    properties = {"place": kind_of(place), **plain(place)}
    properties.pop("id")
    shape = properties.pop("geometry", None)
    if shape is None and place.position is not None:
        shape = _point(place.position)
        properties.pop("position")
    if closures:
        properties["closures"] = [_closure(each) for each in closures]
    return {"type": "Feature", "id": place.id, "geometry": shape, "properties": properties}


def _point(position: Position) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [position.lon, position.lat]}


def _closure(closure: Closure) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(closure)
    return {name: value for name, value in fields.items() if name != "place"}
