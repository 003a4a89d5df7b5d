"""What the town tells in other tongues over HTTP."""

import csv
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from cloud_api.app import create_app
from cloud_api.registry import Registry, Space, Zone
from cloud_api.registry.places import Audience, Capacity, Counting, ZoneKind
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from tests.broker import Mosquitto, running_mosquitto
from tests.history import flow
from tests.town import HERE, LINE, REGISTRY, Clock, kept, serving

TOWN = Registry(
    zones=[
        *REGISTRY.zones.values(),
        Zone(
            id="halles",
            name="Halles",
            position=HERE,
            kind=ZoneKind.OFF_STREET,
            counting=Counting.NONE,
            capacity=Capacity(public=80, pmr=4),
        ),
    ],
    spaces=[*REGISTRY.spaces, Space(id="g2", zone="gare", audience=Audience.PMR, position=HERE)],
    counters=list(REGISTRY.counters.values()),
    installations=REGISTRY.installations,
)

NOON = datetime(2026, 10, 30, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A town of which no sensor has said anything: on a broker of its own, for others retain what theirs said."""
    folder: Path = tmp_path_factory.mktemp("tongues")
    with (
        running_mosquitto(tmp_path_factory.mktemp("broker")) as broker,
        closing(open_store(f"sqlite:///{folder}/history.db")) as store,
        closing(kept(TOWN, folder)) as registry,
        serving(create_app(_settings(broker, folder), store=store, registry=registry, clock=Clock())) as address,
        httpx.Client(base_url=address) as opened,
    ):
        store.write([flow(NOON + n * timedelta(minutes=5), in_=1, out=2, channel=LINE) for n in range(12)])
        yield opened


def _settings(broker: Mosquitto, folder: Path) -> Settings:
    address = Broker(host=broker.host, port=broker.port)
    return Settings(broker=address, ledger=folder / "ledger.db", town="Saint-Aubin", worker="tongues")


def test_parkapi_lists_the_town_and_its_lots(client: httpx.Client) -> None:
    (city,) = client.get("/parkapi/v1/").json()["cities"].values()

    lots = client.get(f"/parkapi/v1/{city}").json()["lots"]

    assert city == "saint-aubin"
    assert [lot["id"] for lot in lots] == ["marche", "gare", "halles"]
    assert {lot["state"] for lot in lots} == {"nodata"}


def test_parkapi_knows_no_other_town(client: httpx.Client) -> None:
    assert client.get("/parkapi/v1/nulle-part").status_code == 404


@pytest.mark.parametrize(("kind", "count"), [("OnStreetParking", 2), ("OffStreetParking", 1), ("CrowdFlowObserved", 1)])
def test_ngsi_ld_tells_entities_of_one_type(client: httpx.Client, kind: str, count: int) -> None:
    answer = client.get("/ngsi-ld/v1/entities", params={"type": kind})

    assert answer.headers["content-type"] == "application/ld+json"
    assert answer.headers["ngsild-results-count"] == str(count)
    assert [entity["type"] for entity in answer.json()] == [kind] * count


def test_ngsi_ld_tells_a_page_of_entities(client: httpx.Client) -> None:
    answer = client.get("/ngsi-ld/v1/entities?type=OnStreetParking&limit=1&offset=1&options=keyValues")

    (entity,) = answer.json()
    assert (entity["name"], answer.headers["ngsild-results-count"]) == ("Gare", "2")


@pytest.mark.parametrize(
    "wrong", ["type=Bicycle", "limit=5", "type=ParkingSpot&limit=0", "type=ParkingSpot&limit=1001"]
)
def test_ngsi_ld_refuses_what_it_cannot_answer(client: httpx.Client, wrong: str) -> None:
    assert client.get(f"/ngsi-ld/v1/entities?{wrong}").status_code == 422


def test_ngsi_ld_tells_the_spaces_that_have_a_position(client: httpx.Client) -> None:
    (spot,) = client.get("/ngsi-ld/v1/entities?type=ParkingSpot&options=keyValues").json()

    assert (spot["name"], spot["status"], spot["audience"]) == ("g2", "unknown", "pmr")


def test_a_map_gets_every_zone_as_a_feature(client: httpx.Client) -> None:
    answer = client.get("/v1/parking/zones.geojson")

    assert answer.headers["content-type"] == "application/geo+json"
    assert [feature["id"] for feature in answer.json()["features"]] == ["marche", "gare", "halles"]


def test_open_data_has_a_record_and_a_line_for_every_zone(client: httpx.Client) -> None:
    records, lines = client.get("/opendata/parking/zones.json"), client.get("/opendata/parking/zones.csv")

    assert [record["id"] for record in records.json()] == ["marche", "gare", "halles"]
    assert lines.headers["content-type"] == "text/csv; charset=utf-8"
    assert [line.partition(",")[0] for line in lines.text.splitlines()] == ["id", "marche", "gare", "halles"]


@pytest.mark.parametrize("name", ["parking-status", "parking-table"])
def test_datex2_tells_every_zone(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/datex2/v2/{name}.xml")

    assert answer.headers["content-type"] == "application/xml"
    assert {zone for zone in ("marche", "gare", "halles") if f'id="{zone}"' in answer.text} == set(TOWN.zones)


def test_comptage_names_the_counter_and_its_two_channels(client: httpx.Client) -> None:
    sites, channels = (client.get(f"/opendata/comptage/{name}.csv") for name in ("site", "channel"))

    assert first_column(sites) == ["site_id", "rue-haute"]
    assert first_column(channels) == ["channel_id", "rue-haute-in", "rue-haute-out"]


def test_comptage_tells_every_hour_of_the_period_in_pieces_that_make_one_file(client: httpx.Client) -> None:
    answer = client.get("/opendata/comptage/measure.csv?from=2026-10-19&to=2026-11-03")

    lines = list(csv.DictReader(answer.text.splitlines()))
    known = [(line["channel_id"], line["start_datetime"], line["count"]) for line in lines if line["count"]]
    assert len(lines) == 2 * (15 * 24 + 1)
    assert (lines[0]["start_datetime"], lines[-1]["end_datetime"]) == ("2026-10-18T22:00:00Z", "2026-11-02T23:00:00Z")
    assert known == [
        ("rue-haute-in", "2026-10-30T12:00:00Z", "12"),
        ("rue-haute-out", "2026-10-30T12:00:00Z", "24"),
    ]


@pytest.mark.parametrize(
    "period", ["from=2026-10-19", "from=2026-01-01&to=2026-06-01", "from=2026-02-01&to=2026-01-01"]
)
def test_comptage_tells_at_most_a_quarter_at_once(client: httpx.Client, period: str) -> None:
    assert client.get(f"/opendata/comptage/measure.csv?{period}").status_code == 422


def first_column(answer: httpx.Response) -> list[str]:
    return [line.partition(",")[0] for line in answer.text.splitlines()]


PREPARED = (
    "/parkapi/v1/",
    "/parkapi/v1/saint-aubin",
    "/ngsi-ld/v1/entities?type=OnStreetParking",
    "/ngsi-ld/v1/entities?type=CrowdFlowObserved",
    "/datex2/v2/parking-status.xml",
    "/datex2/v2/parking-table.xml",
    "/v1/parking/zones.geojson",
    "/opendata/parking/zones.json",
    "/opendata/parking/zones.csv",
    "/opendata/comptage/site.csv",
    "/opendata/comptage/channel.csv",
)


@pytest.mark.parametrize("path", PREPARED)
def test_who_has_it_already_is_told_so_and_nothing_more(client: httpx.Client, path: str) -> None:
    first = client.get(path)

    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=10"


@pytest.mark.parametrize("path", PREPARED)
@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_who_reads_it_compressed_gets_the_same_under_a_tag_of_its_own(
    client: httpx.Client, path: str, coding: str
) -> None:
    plain = client.get(path, headers={"Accept-Encoding": "identity"})

    packed = client.get(path, headers={"Accept-Encoding": coding})

    assert packed.headers["content-encoding"] == coding
    assert packed.content == plain.content
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]


def test_a_page_of_ngsi_ld_says_how_many_there_are_also_to_who_has_it(client: httpx.Client) -> None:
    path = "/ngsi-ld/v1/entities?type=OnStreetParking&limit=1"
    etag = client.get(path).headers["etag"]

    assert client.get(path, headers={"If-None-Match": etag}).headers["ngsild-results-count"] == "2"
