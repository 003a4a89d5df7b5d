"""DATEX II 2.3 documents, as national access points check them."""

from xml.etree.ElementTree import Element

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from cloud_api.feeds.lots import Tendency
from cloud_api.formats import datex2
from cloud_api.formats.picture import Picture, ZoneNow
from cloud_api.registry.places import Counting, ZoneKind
from cloud_api.trend import Trend
from cloud_api.trust import Trust
from tests.pictures import SILENT, closed, picture, pictures, shared, unknown, zone
from tests.standards import sample

STATUS_ORDER = [
    "parkingRecordReference",
    "parkingStatusOriginTime",
    "parkingStatusDescription",
    "parkingFault",
    "parkingOccupancy",
    "parkingSiteStatus",
    "parkingSiteOpeningStatus",
]
"""Of `ParkingSiteStatus` in `DATEXIISchema_2_2_3.xsd`, what we tell of it."""
RECORD_ORDER = [
    "parkingName",
    "parkingDescription",
    "parkingRecordVersionTime",
    "parkingNumberOfSpaces",
    "parkingPrincipalNumberOfSpaces",
    "urlLinkAddress",
    "parkingOccupanyDetectionType",
    "operator",
    "parkingLocation",
    "parkingSiteAddress",
    "urbanParkingSiteType",
]
"""Of `UrbanParkingSite`."""


def bare(element: Element) -> str:
    return element.tag.removeprefix(f"{{{datex2.NAMESPACE}}}")


def paths(element: Element, above: str = "") -> set[str]:
    """The names of all elements, each with those above it."""
    path = f"{above}/{bare(element)}"
    return {path}.union(*(paths(child, path) for child in element))


def children(body: bytes, name: str) -> list[dict[str, Element]]:
    root = ElementTree.fromstring(body)
    return [{bare(child): child for child in each} for each in root.iter(f"{{{datex2.NAMESPACE}}}{name}")]


def status(each: ZoneNow) -> dict[str, Element]:
    (record,) = children(datex2.write_status(picture(each)), "parkingRecordStatus")
    return record


def figures(each: ZoneNow) -> dict[str, str | None]:
    return {bare(figure): figure.text for figure in status(each)["parkingOccupancy"]}


@given(pictures())
def test_elements_stand_in_the_order_of_the_schema(town: Picture) -> None:
    for order, records in (
        (STATUS_ORDER, children(datex2.write_status(town), "parkingRecordStatus")),
        (RECORD_ORDER, children(datex2.write_table(town), "parkingRecord")),
    ):
        assert len(records) == len(town.zones)
        for record in records:
            assert list(record) == [name for name in order if name in record]


def test_a_status_is_built_like_the_published_sample() -> None:
    published = sample("datex2_parkingStatus_small.xml")
    if published is None:
        return

    theirs = ElementTree.fromstring(published)
    ours = ElementTree.fromstring(datex2.write_status(picture(zone())))

    assert paths(theirs) <= paths(ours)
    assert ours.get("modelBaseVersion") == theirs.get("modelBaseVersion")


def test_a_known_zone_has_its_figures_and_the_time_of_its_news() -> None:
    record = status(zone())

    assert figures(zone()) == {
        "parkingNumberOfSpacesOverride": "10",
        "parkingNumberOfVacantSpaces": "4",
        "parkingNumberOfOccupiedSpaces": "6",
        "parkingOccupancy": "60.0",
    }
    assert record["parkingStatusOriginTime"].text == "2026-11-21T10:04:00+00:00"
    assert record["parkingSiteStatus"].text == "spacesAvailable"


@pytest.mark.parametrize(
    ("trust", "fault"),
    [
        (Trust.STALE, "noParkingInformationAvailable"),
        (Trust.UNKNOWN, "noParkingInformationAvailable"),
        (Trust.FROZEN, "erroneousOccupancyInformation"),
        (Trust.IMPLAUSIBLE, "erroneousOccupancyInformation"),
        (Trust.FAULTY, "erroneousOccupancyInformation"),
    ],
)
def test_what_nobody_knows_is_left_out_and_a_fault_says_so(trust: Trust, fault: str) -> None:
    doubtful = unknown()
    doubtful = structs.replace(doubtful, now=structs.replace(doubtful.now, trust=trust))
    record = status(doubtful)

    assert figures(doubtful) == {"parkingNumberOfSpacesOverride": "12"}
    assert (record["parkingFault"].text, record["parkingSiteStatus"].text) == (fault, "unknown")
    assert [value.text for value in record["parkingStatusDescription"].iter() if value.text] == [SILENT.fr, SILENT.en]


def test_a_closed_zone_is_closed_and_not_full() -> None:
    record = status(closed())

    assert record["parkingSiteOpeningStatus"].text == "closed"
    assert record["parkingSiteStatus"].text == "unknown"
    assert "parkingFault" not in record
    assert figures(closed()) == {"parkingNumberOfSpacesOverride": "12"}


@pytest.mark.parametrize(
    ("tendency", "word"),
    [(Tendency.FILLING, "increasing"), (Tendency.STEADY, "stable"), (Tendency.EMPTYING, "decreasing")],
)
def test_the_trend_is_that_of_the_occupancy(tendency: Tendency, word: str) -> None:
    it = zone()
    it = structs.replace(it, now=structs.replace(it.now, trend=Trend(direction=tendency, free_per_hour=-8)))

    assert figures(it)["parkingOccupancyTrend"] == word


def test_the_table_tells_how_many_spaces_are_kept_for_nobody() -> None:
    halles = shared(zone(free=30, occupied=70), pmr=10)
    (record,) = children(datex2.write_table(picture(halles)), "parkingRecord")

    assert (record["parkingNumberOfSpaces"].text, record["parkingPrincipalNumberOfSpaces"].text) == ("100", "90")


def test_a_full_zone_is_full() -> None:
    assert status(zone(free=0, occupied=9))["parkingSiteStatus"].text == "full"


def test_the_table_says_where_a_zone_is_and_what_the_status_refers_to() -> None:
    halles = zone("halles", kind=ZoneKind.OFF_STREET, counting=Counting.ENTRANCES, operator="Effia & Cie")
    (record,) = children(datex2.write_table(picture(halles)), "parkingRecord")
    (table,) = children(datex2.write_table(picture(halles)), "parkingTable")
    reference = status(halles)["parkingRecordReference"]

    assert {**table["parkingRecord"].attrib} == {
        f"{{{datex2.SCHEMA_INSTANCE}}}type": "UrbanParkingSite",
        "id": reference.attrib["id"],
        "version": reference.attrib["version"],
    }
    assert record["urbanParkingSiteType"].text == "offStreetParking"
    assert record["parkingOccupanyDetectionType"].text == "balancing"
    assert [each.text for each in record["parkingLocation"].iter() if each.text] == ["47.2137", "-1.5562"]
    assert [each.text for each in record["operator"].iter() if each.text] == ["Effia & Cie"]


@given(st.text(min_size=1, max_size=50))
def test_whatever_a_zone_is_called_the_document_is_xml(name: str) -> None:
    named = zone(info=name, operator=name)
    (record,) = children(datex2.write_table(picture(named)), "parkingRecord")

    assert record["parkingDescription"] is not None


def test_a_town_without_zones_has_no_publication_for_the_schema_wants_a_record_in_it() -> None:
    assert b"<genericPublicationExtension />" in datex2.write_status(picture())
    assert b"<genericPublicationExtension />" in datex2.write_table(picture())
