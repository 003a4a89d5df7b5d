"""NGSI-LD entities against the JSON schemas of FIWARE's models."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from msgspec import structs

from cloud_api import examples
from cloud_api.feeds import ngsi
from cloud_api.flows import HourlyFlows
from cloud_api.formats import ngsi_ld
from cloud_api.formats.picture import Picture
from cloud_api.registry import Counter, Installation, Zone
from cloud_api.registry.geometry import LineString
from cloud_api.registry.places import Audience, Counting, ZoneKind
from cloud_api.trust import Trust
from cloud_api.zones import SpaceStatus, SpaceView
from tests.pictures import HERE, NOW, SILENT, TOWN, closed, picture, pictures, shared, unknown, zone
from tests.standards import assert_fits_fiware, sample

STREET = Zone(id="quai", name="Quai", position=HERE)
COUNTER = Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie")


def as_read(entity: ngsi_ld.Entity) -> dict[str, Any]:
    """The simplified entity as its reader gets it."""
    (only,) = json.loads(ngsi_ld.write([ngsi_ld.simplified(entity)]))
    assert isinstance(only, dict)
    return only


def space(status: SpaceStatus = SpaceStatus.FREE, **more: Any) -> SpaceView:
    view = SpaceView(
        id="quai-1",
        audience=Audience.PMR,
        position=HERE,
        status=status,
        trust=Trust.FRESH,
        cause=None,
        measured_at=NOW,
        since=NOW,
    )
    return structs.replace(view, **more)


def flows(in_: int | None = 182, out: int | None = 147, trust: Trust = Trust.FRESH) -> HourlyFlows:
    """A counter's last hour."""
    hour = structs.replace(examples.HOURLY.hours[0], in_=in_, out=out, trust=trust)
    return structs.replace(examples.HOURLY, hours=(hour,), end=hour.start + timedelta(hours=1))


@given(pictures())
def test_every_zone_fits_the_schema_of_its_model(town: Picture) -> None:
    for each in town.zones:
        assert_fits_fiware(as_read(ngsi_ld.parking(TOWN, each)))


def test_a_street_is_told_with_its_line_and_how_it_is_counted() -> None:
    line = LineString(coordinates=((-1.55, 47.21), (-1.56, 47.22)))
    told = as_read(ngsi_ld.parking(TOWN, zone(geometry=line, counting=Counting.SPACES)))

    assert_fits_fiware(told)
    assert told["id"] == "urn:ngsi-ld:OnStreetParking:saint-aubin:marche"
    assert told["location"] == {"type": "LineString", "coordinates": [[-1.55, 47.21], [-1.56, 47.22]]}
    assert told["occupancyDetectionType"] == ["singleSpaceDetection"]
    assert (told["totalSpotNumber"], told["availableSpotNumber"], told["occupiedSpotNumber"]) == (10, 4, 6)


def test_a_zone_says_for_whom_it_has_spaces() -> None:
    kept = {"pmr": 1, "delivery": 2}

    assert as_read(ngsi_ld.parking(TOWN, shared(zone(), **kept)))["category"] == ["forDisabled", "forLoadUnload"]
    off_street = as_read(ngsi_ld.parking(TOWN, shared(zone(kind=ZoneKind.OFF_STREET), **kept)))
    assert off_street["category"] == ["forDisabled"]


def test_a_figure_is_told_with_the_time_of_its_news() -> None:
    told = ngsi_ld.parking(TOWN, zone())["availableSpotNumber"]

    assert told == {"type": "Property", "value": 4, "observedAt": datetime(2026, 11, 21, 10, 4, tzinfo=UTC)}


def test_what_nobody_knows_is_left_out_and_said_why() -> None:
    told = as_read(ngsi_ld.parking(TOWN, unknown(kind=ZoneKind.OFF_STREET)))

    assert told.keys().isdisjoint({"availableSpotNumber", "occupiedSpotNumber", "status", "occupancyModified"})
    assert (told["trust"], told["trustCause"]) == ("stale", {"fr": SILENT.fr, "en": SILENT.en})


def test_a_closed_zone_is_closed_with_its_spaces_out_of_service() -> None:
    told = as_read(ngsi_ld.parking(TOWN, closed(kind=ZoneKind.OFF_STREET)))

    assert (told["status"], told["outOfServiceSlotNumber"], "availableSpotNumber" in told) == (["closed"], 12, False)
    assert_fits_fiware(told)


@pytest.mark.parametrize("status", SpaceStatus)
def test_a_space_fits_its_schema_in_every_state(status: SpaceStatus) -> None:
    entity = ngsi_ld.spot(TOWN, STREET, space(status))

    assert entity is not None
    told = as_read(entity)
    assert_fits_fiware(told)
    assert (told["status"], told["category"]) == (status.value, ["onStreet"])
    assert told["refParkingSite"] == "urn:ngsi-ld:OnStreetParking:saint-aubin:quai"


def test_a_space_that_nobody_has_placed_is_not_told() -> None:
    assert ngsi_ld.spot(TOWN, STREET, space(position=None)) is None


def test_the_spaces_of_a_zone_are_counted_together_by_our_own_reader() -> None:
    states = [SpaceStatus.FREE, SpaceStatus.OCCUPIED, SpaceStatus.UNKNOWN, SpaceStatus.CLOSED]
    spots = [ngsi_ld.spot(TOWN, STREET, space(status, id=f"quai-{n}")) for n, status in enumerate(states)]

    (lot,) = ngsi.read(ngsi_ld.write([each for each in spots if each is not None])).lots

    assert (lot.id, lot.capacity, lot.free, lot.at) == ("urn:ngsi-ld:OnStreetParking:saint-aubin:quai", 3, 1, NOW)


def test_an_hour_of_people_fits_its_schema_and_says_who_goes_where() -> None:
    told = as_read(ngsi_ld.crowd(TOWN, COUNTER, flows()))

    assert_fits_fiware(told)
    assert (told["peopleCount"], told["peopleCountTowards"], told["peopleCountAway"]) == (329, 182, 147)
    assert (told["dateObservedFrom"], told["dateObservedTo"]) == (
        "2026-11-21T09:00:00+01:00",
        "2026-11-21T10:00:00+01:00",
    )
    assert told["description"] == "towards: vers la gare; away: vers la mairie"
    assert told["coverage"] == 0.9167


def test_an_hour_of_nobody_is_0_and_an_hour_nobody_measured_has_no_count() -> None:
    assert as_read(ngsi_ld.crowd(TOWN, COUNTER, flows(0, 0)))["peopleCount"] == 0
    unmeasured = as_read(ngsi_ld.crowd(TOWN, COUNTER, flows(None, None, Trust.UNKNOWN)))
    assert unmeasured.keys().isdisjoint({"peopleCount", "peopleCountTowards", "peopleCountAway"})
    assert_fits_fiware(unmeasured)


def test_who_counts_one_direction_does_not_know_how_many_there_were() -> None:
    told = as_read(ngsi_ld.crowd(TOWN, COUNTER, flows(182, None)))

    assert (told["peopleCountTowards"], "peopleCount" in told) == (182, False)


def test_an_hour_that_cannot_be_so_is_told_without_its_counts() -> None:
    told = as_read(ngsi_ld.crowd(TOWN, COUNTER, flows(90_000, 1, Trust.IMPLAUSIBLE)))

    assert ("peopleCountTowards" in told, told["trust"]) == (False, "implausible")


@pytest.mark.parametrize(("mode", "people"), [("pedestrian", True), ("", True), ("bicycle", False), ("vehicle", False)])
def test_bicycles_and_vehicles_are_no_crowd(mode: str, people: bool) -> None:
    serving = Installation(place="rue-haute", device="d1", channel="line1", mode=mode, start=NOW)

    assert ngsi_ld.is_crowd([serving]) is people


def test_the_published_examples_have_the_attributes_that_we_tell() -> None:
    published = sample("fiware_OffStreetParking_example.jsonld")
    if published is None:
        return

    told = ngsi_ld.parking(TOWN, zone(kind=ZoneKind.OFF_STREET))
    theirs = json.loads(published)

    assert told["@context"] == theirs["@context"]
    for name in ("name", "location", "totalSpotNumber", "availableSpotNumber", "occupiedSpotNumber"):
        assert told[name].keys() <= theirs[name].keys() | {"observedAt"}
        assert told[name]["type"] == theirs[name]["type"]


def test_a_town_without_zones_is_an_empty_list() -> None:
    assert ngsi_ld.write([ngsi_ld.parking(TOWN, each) for each in picture().zones]) == b"[]"
