"""NGSI-LD entities of FIWARE's smart data models: parking zones, single spaces, and people counted by the hour.

In come values, out come entities, normalised as a broker holds them or simplified (`keyValues`), as the models' JSON
schemas want them. `availableSpotNumber` includes reserved spaces, as the models say. What is not known is left out;
`trust` and `trustCause` (French, English), which no model has, say why.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

from cloud_api.flows import HourlyFlows, LocalHour
from cloud_api.formats.picture import Town, ZoneNow
from cloud_api.registry import Counter, Installation, Zone
from cloud_api.registry.geometry import Geometry, Position
from cloud_api.registry.places import Audience, Counting, ZoneKind
from cloud_api.trust import Cause, Trust
from cloud_api.zones import SpaceView

Attribute: TypeAlias = dict[str, Any]
Entity: TypeAlias = dict[str, Any]
"""As JSON: `id`, `type`, its attributes and `@context`."""

MEDIA_TYPE: Final = "application/ld+json"
MODELS: Final = "https://raw.githubusercontent.com/smart-data-models"
PARKING: Final = [f"{MODELS}/dataModel.Parking/master/context.jsonld"]
TRANSPORTATION: Final = [f"{MODELS}/dataModel.Transportation/master/context.jsonld"]
OTHER_THAN_PEOPLE: Final = {"bicycle", "vehicle"}
"""Modes of counters that are no crowd."""
DETECTION: Final = {
    Counting.SPACES: ["singleSpaceDetection"],
    Counting.ENTRANCES: ["balancing"],
    Counting.NONE: ["none"],
    Counting.FEED: None,
}
CATEGORIES: Final = {
    Audience.PMR: "forDisabled",
    Audience.EV: "forElectricalCharging",
    Audience.DELIVERY: "forLoadUnload",
}
"""Of a zone that has spaces for them; the models have no word for the others."""


class EntityType(StrEnum):
    """The entities that are told."""

    OFF_STREET = "OffStreetParking"
    ON_STREET = "OnStreetParking"
    SPOT = "ParkingSpot"
    CROWD = "CrowdFlowObserved"


TYPE_OF: Final = {ZoneKind.OFF_STREET: EntityType.OFF_STREET, ZoneKind.ON_STREET: EntityType.ON_STREET}


def parking(town: Town, zone: ZoneNow) -> Entity:
    """A zone, as `OffStreetParking` or `OnStreetParking`."""
    place, now = zone.place, zone.now
    return _entity(
        _zone_id(town, place),
        TYPE_OF[place.kind],
        PARKING,
        name=_property(place.name),
        description=_property(place.info),
        category=_property(_categories(zone)),
        address=_property(None if place.address is None else _address(place.address)),
        location=_location(place.position, place.geometry),
        dataProvider=_property(town.name),
        totalSpotNumber=_property(now.capacity or None),
        availableSpotNumber=_property(now.free, now.measured_at),
        occupiedSpotNumber=_property(now.occupied, now.measured_at),
        outOfServiceSlotNumber=_property(now.closed),
        occupancyDetectionType=_property(DETECTION[place.counting]),
        occupancyModified=_time(now.measured_at if now.free is not None else None),
        status=_property(_status(zone)),
        openingHours=_property(place.opening_hours),
        maximumParkingDuration=_property(None if place.max_stay is None else f"PT{place.max_stay.minutes}M"),
        maximumAllowedHeight=_property(place.height_limit_m),
        provider=_property(_organization(zone.operator)),
        **_trust(now.trust, now.cause),
    )


def spot(town: Town, place: Zone, space: SpaceView) -> Entity | None:
    """A single space; None where nobody knows its position, without which the model has none."""
    if space.position is None:
        return None
    return _entity(
        f"urn:ngsi-ld:{EntityType.SPOT}:{town.id}:{space.id}",
        EntityType.SPOT,
        PARKING,
        name=_property(space.id),
        location=_location(space.position),
        status=_property(space.status.value, space.measured_at),
        category=_property(["onStreet" if place.kind is ZoneKind.ON_STREET else "offStreet"]),
        refParkingSite={"type": "Relationship", "object": _zone_id(town, place)},
        audience=_property(space.audience),
        **_trust(space.trust, space.cause),
    )


def crowd(town: Town, place: Counter, flows: HourlyFlows) -> Entity:
    """The last hour of `flows` at a counter; `in` is towards, `out` is away."""
    hour, end = flows.hours[-1], flows.end
    known = hour.trust is not Trust.IMPLAUSIBLE
    return _entity(
        f"urn:ngsi-ld:{EntityType.CROWD}:{town.id}:{place.id}",
        EntityType.CROWD,
        TRANSPORTATION,
        name=_property(place.name),
        description=_property(f"towards: {place.in_}; away: {place.out}"),
        location=_location(place.position),
        dataProvider=_property(town.name),
        dateObserved=_time(end),
        dateObservedFrom=_time(hour.start),
        dateObservedTo=_time(end),
        peopleCount=_property(_both(hour) if known else None, end),
        peopleCountTowards=_property(hour.in_ if known else None, end),
        peopleCountAway=_property(hour.out if known else None, end),
        coverage=_property(hour.coverage),
        **_trust(hour.trust, hour.cause),
    )


def is_crowd(serving: Iterable[Installation]) -> bool:
    """Whether what serves a counter counts people."""
    return not any(each.mode in OTHER_THAN_PEOPLE for each in serving)


def simplified(entity: Entity) -> Entity:
    """The same entity with bare values, as `options=keyValues` asks for them."""
    return {name: _bare(value) for name, value in entity.items()}


def write(entities: Sequence[Entity]) -> bytes:
    """A list of entities as a document."""
    return msgspec.json.encode(entities)


def _entity(id_: str, type_: EntityType, context: list[str], **attributes: Attribute | None) -> Entity:
    known = {name: attribute for name, attribute in attributes.items() if attribute is not None}
    return {"id": id_, "type": type_.value, **known, "@context": context}


def _property(value: object, observed_at: datetime | None = None) -> Attribute | None:
    """A property; None where its value is."""
    if value is None:
        return None
    observed = {} if observed_at is None else {"observedAt": observed_at}
    return {"type": "Property", "value": value, **observed}


def _time(instant: datetime | None) -> Attribute | None:
    return None if instant is None else {"type": "Property", "value": {"@type": "DateTime", "@value": instant}}


def _location(position: Position, geometry: Geometry | None = None) -> Attribute:
    point = {"type": "Point", "coordinates": [position.lon, position.lat]}
    return {"type": "GeoProperty", "value": point if geometry is None else msgspec.to_builtins(geometry)}


def _trust(trust: Trust, cause: Cause | None) -> dict[str, Attribute | None]:
    return {
        "trust": _property(trust.value),
        "trustCause": _property(None if cause is None else msgspec.to_builtins(cause)),
    }


def _zone_id(town: Town, place: Zone) -> str:
    return f"urn:ngsi-ld:{TYPE_OF[place.kind]}:{town.id}:{place.id}"


def _address(text: str) -> dict[str, str]:
    return {"type": "PostalAddress", "streetAddress": text}


def _organization(name: str | None) -> dict[str, str] | None:
    return None if name is None else {"type": "Organization", "name": name}


def _categories(zone: ZoneNow) -> list[str] | None:
    """For whom there are spaces; off the street the model does not know deliveries."""
    told = {*CATEGORIES} - ({Audience.DELIVERY} if zone.place.kind is ZoneKind.OFF_STREET else set())
    return [CATEGORIES[each.audience] for each in zone.now.audiences if each.audience in told] or None


def _status(zone: ZoneNow) -> list[str] | None:
    if zone.now.trust is Trust.CLOSED:
        return ["closed"]
    if zone.now.free is None:
        return None
    return ["spacesAvailable"] if zone.now.free else ["full"]


def _both(hour: LocalHour) -> int | None:
    """Everybody; None where only one direction is counted, or none."""
    return None if hour.in_ is None or hour.out is None else hour.in_ + hour.out


def _bare(attribute: Any) -> Any:
    match attribute:
        case {"type": "Property", "value": {"@type": "DateTime", "@value": instant}}:
            return instant
        case {"type": "Property" | "GeoProperty", "value": value}:
            return value
        case {"type": "Relationship", "object": target}:
            return target
        case _:
            return attribute
