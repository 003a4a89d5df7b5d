"""NGSI-LD and NGSIv2 entities of FIWARE's parking models, normalised or simplified, one or a list.

`OffStreetParking` and `OnStreetParking` are lots. `ParkingSpot` are counted together for the site that they name.
The models' `availableSpotNumber` includes reserved spaces: figures are for all audiences.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from cloud_api.feeds.json_values import Json, Object, count, decoded, members, number, required, text
from cloud_api.feeds.lots import (
    FeedError,
    Lot,
    LotState,
    Reading,
    Refusal,
    RefusedLotError,
    gather,
    moment,
    position,
)
from cloud_api.registry import Position

LOTS: Final = {"OffStreetParking", "OnStreetParking"}
SPOT: Final = "ParkingSpot"
STATES: Final = {
    "open": LotState.OPEN,
    "spacesAvailable": LotState.OPEN,
    "almostFull": LotState.OPEN,
    "almostEmpty": LotState.OPEN,
    "full": LotState.FULL,
    "fullAtEntrance": LotState.FULL,
    "closed": LotState.CLOSED,
    "closedAbnormal": LotState.CLOSED,
}
"""Other words of the model's `status` say nothing of whether one can park."""
TIMES: Final = ("occupancyModified", "observationDateTime", "dateObserved", "dateModified")
"""Where an entity may say as of when it is, the closest to the figures first."""


def read(body: bytes) -> Reading:
    """The lots among the entities. Raises `FeedError`."""
    document = decoded(body)
    entities: list[Json] = document if isinstance(document, list) else [document]
    if not all(isinstance(each, dict) for each in entities):
        raise FeedError("document", "an entity or a list of entities")
    reading = gather(_statements(entities))
    return Reading(lots=reading.lots, refused=(*reading.refused, *_strangers(entities)))


def _statements(entities: list[Json]) -> Iterator[tuple[str, Callable[[], Lot]]]:
    spots: dict[str, list[Object]] = defaultdict(list)
    for index, entity in enumerate(entities):
        attributes = members(entity)
        if text(attributes.get("type")) in LOTS:
            yield f"[{index}]", partial(_lot, attributes)
        elif text(attributes.get("type")) == SPOT:
            spots[_site(attributes)].append(attributes)
    for site, of_site in spots.items():
        yield site, partial(_lot_of_spots, site, of_site)


def _strangers(entities: list[Json]) -> tuple[Refusal, ...]:
    kinds = {str(members(each).get("type")) for each in entities} - LOTS - {SPOT}
    expected = ", ".join(sorted(LOTS | {SPOT}))
    return tuple(Refusal(id=kind[:80], reason=f"{expected} expected") for kind in sorted(kinds))


def _lot(entity: Object) -> Lot:
    return Lot(
        id=required(text(entity.get("id")), "id"),
        name=text(_value(entity.get("name"))),
        position=_position(_value(entity.get("location"))),
        capacity=count(_value(entity.get("totalSpotNumber")), "totalSpotNumber"),
        free=count(_value(entity.get("availableSpotNumber")), "availableSpotNumber"),
        state=_state(_value(entity.get("status"))),
        at=None if (at := _time(entity, "availableSpotNumber")) is None else moment(at),
    )


def _lot_of_spots(site: str, spots: list[Object]) -> Lot:
    said = [text(_value(each.get("status"))) for each in spots]
    times = [moment(at) for each in spots if (at := _time(each, "status")) is not None]
    in_use = [each for each in said if each != "closed"]
    known = [each for each in in_use if each in {"free", "occupied"}]
    return Lot(
        id=site,
        position=_position(_value(spots[0].get("location"))),
        capacity=len(in_use),
        free=known.count("free") if known else None,
        state=None if in_use else LotState.CLOSED,
        at=max(times, default=None),
    )


def _site(spot: Object) -> str:
    named = (text(_value(spot.get(name))) for name in ("refParkingSite", "refParkingGroup"))
    return next((each for each in named if each), str(spot.get("id", "")))


def _value(attribute: Json) -> Json:
    """An attribute's bare value: simplified, normalised, a relationship, or a typed literal."""
    if not isinstance(attribute, dict):
        return attribute
    for key in ("value", "object", "@value"):
        if key in attribute:
            return _value(attribute[key])
    return attribute


def _time(entity: Object, attribute: str) -> str | None:
    measured = entity.get(attribute)
    if isinstance(measured, dict):
        metadata = measured.get("metadata")
        stamp = metadata.get("timestamp") or metadata.get("TimeInstant") if isinstance(metadata, dict) else None
        own = text(_value(measured.get("observedAt"))) or text(_value(stamp))
        if own is not None:
            return own
    told = (text(_value(entity.get(name))) for name in TIMES)
    return next((each for each in told if each), None)


def _state(status: Json) -> LotState | None:
    words = status if isinstance(status, list) else [status]
    known = [STATES[each] for each in words if isinstance(each, str) and each in STATES]
    for strongest in (LotState.CLOSED, LotState.FULL, LotState.OPEN):
        if strongest in known:
            return strongest
    return None


def _position(location: Json) -> Position | None:
    """A point, or the middle of the box around a shape."""
    if not isinstance(location, dict):
        return None
    points = list(_points(location.get("coordinates"), depth=0))
    if not points:
        return None
    longitudes, latitudes = [lon for lon, _ in points], [lat for _, lat in points]
    return position((min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2)


def _points(coordinates: Json, depth: int) -> Iterator[tuple[float, float]]:
    if not isinstance(coordinates, list) or depth > 4:
        raise RefusedLotError("location; the coordinates of a GeoJSON geometry expected")
    if coordinates and not isinstance(coordinates[0], list):
        lon, lat = (number(each, "location") for each in (*coordinates, None, None)[:2])
        if lon is None or lat is None:
            raise RefusedLotError("location; longitude and latitude expected")
        yield lon, lat
        return
    for each in coordinates:
        yield from _points(each, depth + 1)
