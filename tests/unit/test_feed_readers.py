"""Others' car parks in each tongue: bytes in, what the operator says out, and nothing that cannot be."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.feeds import datex2, ngsi, opendatasoft, parkapi_v1, parkapi_v3
from cloud_api.feeds.lots import FeedError, Lot, LotState, Reader, Reading, Tendency, impossible
from cloud_api.registry import Position

NANTES = opendatasoft.reader(opendatasoft.NANTES)
LILLE = opendatasoft.reader(opendatasoft.LILLE)
READERS: dict[str, Reader] = {
    "parkapi-v1": parkapi_v1.read,
    "parkapi-v3": parkapi_v3.read,
    "ngsi": ngsi.read,
    "datex2": datex2.read,
    "nantes": NANTES,
    "lille": LILLE,
}
STANDARDS = Path(__file__).parents[2].parent / "shared" / "standards"
DATEX = """<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<payloadPublication xsi:type="GenericPublication"><genericPublicationExtension><parkingStatusPublication>{}
</parkingStatusPublication></genericPublicationExtension></payloadPublication></d2LogicalModel>"""


def only(reading: Reading) -> Lot:
    assert reading.refused == ()
    (lot,) = reading.lots
    return lot


def sample(name: str) -> bytes | None:
    """A sample that operators publish, where this checkout has them beside it."""
    file = STANDARDS / name
    return file.read_bytes() if file.exists() else None


def written(document: object) -> bytes:
    return json.dumps(document).encode()


def parkapi(**lot: object) -> bytes:
    return written({"last_updated": "2026-11-27T10:00:00", "lots": [{"id": "altmarkt", **lot}]})


def datex(record: str) -> bytes:
    return DATEX.format(f"<parkingRecordStatus>{record}</parkingRecordStatus>").encode()


def test_parkapi_v1_tells_lots_as_of_its_own_clock_in_utc() -> None:
    body = parkapi(name="Altmarkt", coords={"lat": 51.05, "lng": 13.74}, total=400, free=235, state="open")

    assert only(parkapi_v1.read(body)) == Lot(
        id="altmarkt",
        name="Altmarkt",
        position=Position(lat=51.05, lon=13.74),
        capacity=400,
        free=235,
        state=LotState.OPEN,
        at=datetime(2026, 11, 27, 10, tzinfo=UTC),
    )


def test_a_lot_without_data_has_no_free_figure_even_when_one_is_written() -> None:
    lot = only(parkapi_v1.read(parkapi(total=400, free=0, state="nodata")))

    assert (lot.free, lot.state, lot.capacity) == (None, None, 400)


def test_parkapi_v3_prefers_the_capacity_of_the_moment() -> None:
    site = {
        "original_uid": "p1",
        "lat": "48.1",
        "lon": "9.2",
        "capacity": 100,
        "realtime_capacity": 90,
        "realtime_free_capacity": 12,
        "realtime_opening_status": "OPEN",
        "realtime_data_updated_at": "2026-11-27T11:00:00+01:00",
    }

    lot = only(parkapi_v3.read(written({"items": [site], "total_count": 1})))

    assert (lot.capacity, lot.free, lot.at) == (90, 12, datetime(2026, 11, 27, 10, tzinfo=UTC))
    assert lot.position == Position(lat=48.1, lon=9.2)


def test_a_page_that_is_not_all_says_what_is_missing() -> None:
    reading = parkapi_v3.read(written({"items": [{"original_uid": "p1"}], "total_count": 3}))

    assert [each.id for each in reading.lots] == ["p1"]
    assert "1 of 3" in reading.refused[0].reason


def test_ngsi_ld_tells_when_the_figure_was_observed() -> None:
    entity = {
        "id": "urn:ngsi-ld:OffStreetParking:p1",
        "type": "OffStreetParking",
        "name": {"type": "Property", "value": "Trindade"},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [-8.6, 41.15]}},
        "totalSpotNumber": {"type": "Property", "value": 414},
        "availableSpotNumber": {"type": "Property", "value": 132, "observedAt": "2026-11-27T10:00:00Z"},
        "status": {"type": "Property", "value": ["open", "almostFull"]},
    }

    assert only(ngsi.read(written(entity))) == Lot(
        id="urn:ngsi-ld:OffStreetParking:p1",
        name="Trindade",
        position=Position(lat=41.15, lon=-8.6),
        capacity=414,
        free=132,
        state=LotState.OPEN,
        at=datetime(2026, 11, 27, 10, tzinfo=UTC),
    )


def test_spots_are_counted_together_for_their_site() -> None:
    spots = [
        {"id": f"s{index}", "type": "ParkingSpot", "status": status, "refParkingSite": "place"}
        for index, status in enumerate(["free", "occupied", "unknown", "closed"])
    ]

    lot = only(ngsi.read(written(spots)))

    assert (lot.id, lot.capacity, lot.free) == ("place", 3, 1)


def test_entities_of_other_models_are_named() -> None:
    reading = ngsi.read(written([{"id": "x", "type": "WeatherObserved"}]))

    assert reading.lots == ()
    assert reading.refused[0].id == "WeatherObserved"


def test_datex_tells_free_and_where_it_is_going() -> None:
    body = datex(
        """<parkingRecordReference id="1035[P+R]" targetClass="ParkingRecord" version="1"/>
        <parkingStatusOriginTime>2026-11-27T11:00:00.5461534+01:00</parkingStatusOriginTime>
        <parkingOccupancy><parkingNumberOfSpacesOverride>313</parkingNumberOfSpacesOverride>
        <parkingNumberOfOccupiedSpaces>98</parkingNumberOfOccupiedSpaces>
        <parkingOccupancyTrend>increasingSlowly</parkingOccupancyTrend></parkingOccupancy>
        <parkingSiteOpeningStatus>open</parkingSiteOpeningStatus><parkingSiteStatus>full</parkingSiteStatus>"""
    )

    assert only(datex2.read(body)) == Lot(
        id="1035[P+R]",
        capacity=313,
        free=215,
        state=LotState.FULL,
        at=datetime(2026, 11, 27, 10, 0, 0, 546153, tzinfo=UTC),
        tendency=Tendency.FILLING,
    )


def test_datex_of_version_3_is_read_alike() -> None:
    body = b"""<d2:payload xmlns:d2="http://datex2.eu/schema/3/d2Payload" xmlns="http://datex2.eu/schema/3/parking"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="ParkingStatusPublication"><parkingRecordStatus>
    <parkingRecordReference id="p1"/><parkingSiteOpeningStatus>closed</parkingSiteOpeningStatus></parkingRecordStatus>
    </d2:payload>"""

    assert only(datex2.read(body)) == Lot(id="p1", state=LotState.CLOSED)


@pytest.mark.parametrize(
    ("free", "status", "state", "told"),
    [
        (132, 5, LotState.OPEN, 132),
        (10, 5, LotState.FULL, 10),
        (132, 1, LotState.CLOSED, 132),
        (132, 0, None, None),
    ],
)
def test_nantes_says_full_at_its_threshold_and_nothing_when_out_of_order(
    free: int, status: int, state: LotState | None, told: int | None
) -> None:
    record = {"grp_identifiant": "001", "grp_disponible": free, "grp_exploitation": 356, "grp_complet": 10}

    lot = only(NANTES(written({"total_count": 1, "results": [{**record, "grp_statut": status}]})))

    assert (lot.state, lot.free) == (state, told)


def test_lille_keeps_silent_with_a_point() -> None:
    lot = only(LILLE(written([{"id": "VAQ0003", "etat": ".", "dispo": 0, "max": 1000}])))

    assert (lot.state, lot.free) == (None, None)


@pytest.mark.parametrize(
    "place",
    [
        [47.2, -1.5],
        {"lat": 47.2, "lon": -1.5},
        {"type": "Point", "coordinates": [-1.5, 47.2]},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [-1.5, 47.2]}},
    ],
)
def test_every_way_a_portal_writes_a_place_is_understood(place: object) -> None:
    lot = only(NANTES(written([{"grp_identifiant": "001", "location": place}])))

    assert lot.position == Position(lat=47.2, lon=-1.5)


def test_the_first_version_of_the_portal_wraps_its_fields() -> None:
    body = written({"nhits": 1, "records": [{"recordid": "f2", "fields": {"id": "A", "dispo": 3, "max": 9}}]})

    assert only(LILLE(body)).free == 3


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"free": 401, "total": 400}, "free 401 > capacity 400"),
        ({"free": -1, "total": 400}, "free -1"),
        ({"free": 1, "total": -5}, "capacity -5"),
        ({"free": "beaucoup"}, "free 'beaucoup'; a number"),
        ({"free": 1.5}, "free 1.5; a whole number"),
        ({"free": True}, "free 'True'; a number"),
        ({"free": 1e300}, "free '1e+300'; a number"),
        ({"state": "ouvert"}, "state 'ouvert'; one of open"),
        ({"coords": {"lat": 91, "lng": 0}}, "position 91.0"),
        ({"id": " "}, "id ' '"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_the_rest_goes_on(wrong: dict[str, object], reason: str) -> None:
    body = written({"lots": [{"id": "wrong", **wrong}, {"id": "right", "free": 1, "total": 2}]})

    reading = parkapi_v1.read(body)

    assert [lot.id for lot in reading.lots] == ["right"]
    (refused,) = reading.refused
    assert reason in refused.reason


def test_a_name_told_twice_is_believed_once() -> None:
    reading = parkapi_v1.read(written({"lots": [{"id": "a", "free": 1}, {"id": "a", "free": 2}]}))

    assert [(lot.id, lot.free) for lot in reading.lots] == [("a", 1)]
    assert "twice" in reading.refused[0].reason


@pytest.mark.parametrize(
    ("read", "body", "message"),
    [
        (parkapi_v1.read, b"<html>", "document: JSON"),
        (parkapi_v1.read, b"[]", "document: an object with `lots`"),
        (parkapi_v1.read, b'{"lots": {}}', "lots: a list"),
        (parkapi_v1.read, b'{"lots": [], "last_updated": "hier"}', "last_updated: a time"),
        (parkapi_v3.read, b"{}", "items: a list"),
        (ngsi.read, b"[1]", "document: an entity"),
        (NANTES, b"3", "document: records"),
        (datex2.read, b"<a>\n<b></a>", "line 2: XML"),
        (datex2.read, b"<a/>", "document: a parkingStatusPublication"),
        (datex2.read, b'<!DOCTYPE a [<!ENTITY x "x">]><a>&x;</a>', "without a document type"),
        (datex2.read, b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "without a document type"),
        (parkapi_v1.read, b"[" * 100_000, "document: JSON"),
    ],
)
def test_what_is_not_the_tongue_is_one_error_with_place_and_expectation(
    read: Callable[[bytes], Reading], body: bytes, message: str
) -> None:
    with pytest.raises(FeedError, match=message):
        read(body)


KEYS = [
    "lots",
    "items",
    "results",
    "records",
    "fields",
    "id",
    "type",
    "free",
    "total",
    "state",
    "coords",
    "lat",
    "lng",
    "location",
    "coordinates",
    "status",
    "original_uid",
    "realtime_free_capacity",
    "grp_identifiant",
    "grp_disponible",
    "grp_exploitation",
    "grp_statut",
]
ANY_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["OffStreetParking", "ParkingSpot"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("tongue", READERS)
@given(document=ANY_JSON)
def test_whatever_json_comes_only_figures_that_can_be_come_out(tongue: str, document: object) -> None:
    with suppress(FeedError):
        for lot in READERS[tongue](written(document)).lots:
            assert impossible(lot, lot.capacity) is None


@pytest.mark.parametrize(
    ("tongue", "name", "free"),
    [
        ("datex2", "datex2_parkingStatus_small.xml", {"1035[P+R Bondorf]": 215}),
        (
            "ngsi",
            "fiware_OffStreetParking_example.jsonld",
            {"urn:ngsi-ld:OffStreetParking:porto-ParkingLot-23889": 132},
        ),
        ("ngsi", "fiware_OnStreetParking_example.json", {"santander:daoiz_velarde_1_5": 3}),
        ("ngsi", "fiware_ParkingSpot_example.json", {"santander:daoiz_velarde_1_5": 1}),
        ("ngsi", "montpellier_ngsiv2.json", {"urn:ngsi-ld:parking:001": 133}),
        ("lille", "lille_records.json", {"RBX0007": 24, "TCG0001": 67, "VAQ0003": None}),
        ("nantes", "nantes_record.json", {"001": 132}),
    ],
)
def test_what_operators_publish_is_read(tongue: str, name: str, free: dict[str, int | None]) -> None:
    body = sample(name)
    if body is None:
        return

    reading = READERS[tongue](body)

    assert {lot.id: lot.free for lot in reading.lots} == free
    assert reading.refused == ()
    assert all(lot.at is not None for lot in reading.lots if "ParkingSpot" not in name)
