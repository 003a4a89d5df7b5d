"""DATEX II 2.3, as national access points take it: `ParkingStatusPublication` and `ParkingTablePublication`.

Both are level B extensions in a `GenericPublication`, their elements in the order of `DATEXIISchema_2_2_3.xsd`. The
status names zones by reference; names and places stand in the table. What is not known is left out, and `parkingFault`
says so.
"""

import re
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from cloud_api.feeds.lots import Tendency
from cloud_api.formats.picture import Picture, Town, ZoneNow
from cloud_api.registry.places import Counting, ZoneKind
from cloud_api.trust import Trust

MEDIA_TYPE: Final = "application/xml"
NAMESPACE: Final = "http://datex2.eu/schema/2/2_0"
SCHEMA_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
COUNTRY: Final = "fr"
LANGUAGE: Final = "fr"
FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""

SITE_TYPES: Final = {ZoneKind.ON_STREET: "onStreetParking", ZoneKind.OFF_STREET: "offStreetParking"}
DETECTION: Final = {
    Counting.SPACES: "singleSpaceDetection",
    Counting.ENTRANCES: "balancing",
    Counting.NONE: "none",
    Counting.FEED: "unknown",
}
FAULTS: Final = {
    Trust.STALE: "noParkingInformationAvailable",
    Trust.UNKNOWN: "noParkingInformationAvailable",
    Trust.FROZEN: "erroneousOccupancyInformation",
    Trust.IMPLAUSIBLE: "erroneousOccupancyInformation",
    Trust.FAULTY: "erroneousOccupancyInformation",
}
TRENDS: Final = {Tendency.FILLING: "increasing", Tendency.STEADY: "stable", Tendency.EMPTYING: "decreasing"}
"""Of the occupancy."""


def write_status(picture: Picture) -> bytes:
    """How many spaces are free in each zone."""
    root, extension = _publication(picture, "ParkingStatusPublication")
    if picture.zones:
        publication = SubElement(extension, "parkingStatusPublication")
        _reference(publication, "parkingTableReference", "ParkingTable", picture.town.id, picture)
        for zone in picture.zones:
            _status(publication, zone, picture)
    return _document(root)


def write_table(picture: Picture) -> bytes:
    """Where each zone is, and what it is."""
    root, extension = _publication(picture, "ParkingTablePublication")
    if picture.zones:
        publication = SubElement(extension, "parkingTablePublication")
        table = SubElement(publication, "parkingTable", _version(picture.town.id, picture))
        _words(table, "parkingTableName", picture.town.name)
        _time(table, "parkingTableVersionTime", picture.as_of)
        for zone in picture.zones:
            _record(table, zone, picture)
    return _document(root)


def _publication(picture: Picture, name: str) -> tuple[Element, Element]:
    """The root, and where the publication itself goes."""
    root = Element("d2LogicalModel", {"xmlns": NAMESPACE, "xmlns:xsi": SCHEMA_INSTANCE, "modelBaseVersion": "2"})
    _identify(SubElement(SubElement(root, "exchange"), "supplierIdentification"), picture.town)
    payload = SubElement(root, "payloadPublication", {"xsi:type": "GenericPublication", "lang": LANGUAGE})
    _time(payload, "publicationTime", picture.as_of)
    _identify(SubElement(payload, "publicationCreator"), picture.town)
    _text(payload, "genericPublicationName", name)
    return root, SubElement(payload, "genericPublicationExtension")


def _identify(element: Element, town: Town) -> None:
    _text(element, "country", COUNTRY)
    _text(element, "nationalIdentifier", town.name)


def _status(parent: Element, zone: ZoneNow, picture: Picture) -> None:
    now = zone.now
    record = SubElement(parent, "parkingRecordStatus", {"xsi:type": "ParkingSiteStatus"})
    _reference(record, "parkingRecordReference", "ParkingRecord", zone.place.id, picture)
    _time(record, "parkingStatusOriginTime", now.measured_at if zone.is_known and now.measured_at else picture.as_of)
    if now.cause is not None:
        _words(record, "parkingStatusDescription", now.cause.fr, en=now.cause.en)
    if not zone.is_known and now.trust in FAULTS:
        _text(record, "parkingFault", FAULTS[now.trust])
    _occupancy(SubElement(record, "parkingOccupancy"), zone)
    _text(record, "parkingSiteStatus", _site_status(zone))
    if now.trust is Trust.CLOSED:
        _text(record, "parkingSiteOpeningStatus", "closed")


def _occupancy(element: Element, zone: ZoneNow) -> None:
    now = zone.now
    _count(element, "parkingNumberOfSpacesOverride", now.capacity or None)
    _count(element, "parkingNumberOfVacantSpaces", now.free)
    _count(element, "parkingNumberOfOccupiedSpaces", now.occupied)
    if now.free is not None and now.occupied is not None and now.free + now.occupied == now.capacity:
        _text(element, "parkingOccupancy", f"{100 * now.occupied / now.capacity:.1f}")

    if now.trend is not None:
        _text(element, "parkingOccupancyTrend", TRENDS[now.trend.direction])


def _site_status(zone: ZoneNow) -> str:
    if zone.now.free is None:
        return "unknown"
    return "spacesAvailable" if zone.now.free else "full"


def _record(table: Element, zone: ZoneNow, picture: Picture) -> None:
    place = zone.place
    record = SubElement(table, "parkingRecord", {"xsi:type": "UrbanParkingSite", **_version(place.id, picture)})
    _words(record, "parkingName", place.name)
    if place.info is not None:
        _words(record, "parkingDescription", place.info)
    _time(record, "parkingRecordVersionTime", picture.as_of)
    _count(record, "parkingNumberOfSpaces", zone.now.capacity or None)
    if zone.now.audiences:
        _count(record, "parkingPrincipalNumberOfSpaces", zone.public.capacity)
    if place.url is not None:
        _text(record, "urlLinkAddress", place.url)
    _text(record, "parkingOccupanyDetectionType", DETECTION[place.counting])
    if zone.operator is not None:
        _words(_contact(record, "operator", zone, picture), "contactOrganisationName", zone.operator)
    _location(record, zone)
    if place.address is not None:
        _words(_contact(record, "parkingSiteAddress", zone, picture), "contactDetailsAddress", place.address)
    _text(record, "urbanParkingSiteType", SITE_TYPES[place.kind])


def _location(record: Element, zone: ZoneNow) -> None:
    location = SubElement(record, "parkingLocation", {"xsi:type": "Point"})
    coordinates = SubElement(SubElement(location, "pointByCoordinates"), "pointCoordinates")
    _text(coordinates, "latitude", str(zone.place.position.lat))
    _text(coordinates, "longitude", str(zone.place.position.lon))


def _contact(record: Element, role: str, zone: ZoneNow, picture: Picture) -> Element:
    attributes = {"xsi:type": "ContactDetails", **_version(f"{zone.place.id}-{role}", picture)}
    return SubElement(record, role, attributes)


def _reference(parent: Element, name: str, target: str, id_: str, picture: Picture) -> None:
    SubElement(parent, name, {"targetClass": target, **_version(id_, picture)})


def _version(id_: str, picture: Picture) -> dict[str, str]:
    return {"id": id_, "version": str(picture.revision)}


def _words(parent: Element, name: str, text: str, en: str | None = None) -> None:
    values = SubElement(SubElement(parent, name), "values")
    for language, words in {LANGUAGE: text, "en": en}.items():
        if words is not None:
            SubElement(values, "value", {"lang": language}).text = FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", words)


def _time(parent: Element, name: str, instant: datetime) -> None:
    _text(parent, name, instant.isoformat())


def _count(parent: Element, name: str, number: int | None) -> None:
    if number is not None:
        _text(parent, name, str(number))


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def _document(root: Element) -> bytes:
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document
