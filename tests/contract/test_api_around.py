"""Parking around a point and space by space, over HTTP."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud_api.app import Api, create_app
from cloud_api.registry import Installation, Position, Registry, Space, Zone
from cloud_api.registry.places import Audience
from cloud_api.routes import spaces
from cloud_api.settings import Settings
from cloud_api.stores import open_store
from cloud_api.stores.base import StoredSpace
from edge.messages import SpaceState
from tests.town import NOW, START, Clock, kept

MARKET = Position(lat=47.2137, lon=-1.5562)
STATION = Position(lat=47.2173, lon=-1.5420)
TOWN = Registry(
    zones=[
        Zone(id="marche", name="Place du Marché", position=MARKET),
        Zone(id="gare", name="Gare", position=STATION),
    ],
    spaces=[
        Space(id="m1", zone="marche", position=MARKET),
        Space(id="m2", zone="marche", audience=Audience.PMR),
        Space(id="g1", zone="gare", position=STATION),
    ],
    installations=[Installation(place=place, device=place, channel="1", start=START) for place in ("m1", "m2", "g1")],
)
Json = dict[str, Any]
"""An answer as a caller reads it."""


@dataclass(frozen=True, slots=True)
class Client:
    """Asks an API in this process, without a broker and without a socket."""

    api: Api

    def get(self, path: str, **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.api), base_url="http://town") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Asks the town, shared by tests that only look."""
    with town_in(tmp_path_factory.mktemp("around")) as it:
        yield it


@pytest.fixture
def own_client(tmp_path: Path) -> Iterator[Client]:
    """Asks the town of this test alone, in which things change."""
    with town_in(tmp_path) as it:
        yield it


@contextmanager
def town_in(folder: Path) -> Iterator[Client]:
    """The town: only the badge holders' bay is free at the market, and the space at the station is."""
    with closing(open_store(f"sqlite:///{folder}/history.db")) as store:
        settings = Settings(ledger=folder / "ledger.db")
        api = create_app(settings, store=store, registry=kept(TOWN, folder), clock=Clock())
        live, feed = api.services.live, api.services.feed
        states = [SpaceState(device=each, channel="1", occupied=each == "m1", at=NOW) for each in ("m1", "m2", "g1")]
        feed.touch(live.remember([StoredSpace(gateway="gw", state=state) for state in states], NOW))
        feed.look(NOW)
        yield Client(api)


def zones(client: Client, query: str) -> list[Json]:
    answer = client.get(f"/v1/parking/nearby?lat={MARKET.lat}&lon={MARKET.lon}{query}")
    found: list[Json] = answer.raise_for_status().json()["data"]["zones"]
    return found


def found_spaces(client: Client, query: str) -> list[tuple[str, str, str]]:
    told = client.get(f"/v1/parking/spaces?{query}").raise_for_status().json()["data"]["spaces"]
    return [(each["id"], each["zone"], each["status"]) for each in told]


def test_a_driver_without_a_badge_is_sent_to_the_station_and_one_with_a_badge_to_the_market(client: Client) -> None:
    public, badge = zones(client, "&radius=2000"), zones(client, "&radius=2000&audience=pmr")

    assert [(each["id"], each["free"]) for each in public] == [("gare", 1), ("marche", 0)]
    assert [(each["id"], each["free"], each["walk_min"]) for each in badge] == [("marche", 1, 0)]


def test_without_a_radius_it_is_five_hundred_metres(client: Client) -> None:
    assert [each["id"] for each in zones(client, "")] == ["marche"]


def test_spaces_of_a_zone_come_with_their_audience_and_their_state(client: Client) -> None:
    assert found_spaces(client, "zone=marche") == [("m1", "marche", "occupied"), ("m2", "marche", "free")]


def test_spaces_in_a_box_are_those_whose_position_is_known_to_lie_in_it(client: Client) -> None:
    assert found_spaces(client, "bbox=-1.56,47.21,-1.54,47.22") == [
        ("m1", "marche", "occupied"),
        ("g1", "gare", "free"),
    ]
    assert found_spaces(client, "bbox=-1.56,47.21,-1.55,47.22") == [("m1", "marche", "occupied")]
    assert found_spaces(client, "zone=gare&bbox=-1.56,47.21,-1.55,47.22") == []


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("nearby?lat=91&lon=0", 422, "lat"),
        ("nearby?lat=nan&lon=0", 422, "lat"),
        ("nearby?lat=47&lon=180.1", 422, "lon"),
        ("nearby?lon=0", 422, "lat"),
        ("nearby?lat=47&lon=0&radius=5001", 422, "radius"),
        ("nearby?lat=47&lon=0&radius=0", 422, "radius"),
        ("nearby?lat=47&lon=0&audience=everyone", 422, "audience"),
        ("spaces", 422, "zone"),
        ("spaces?bbox=1,2,3", 422, "bbox"),
        ("spaces?bbox=1,2,3,4,5", 422, "bbox"),
        ("spaces?bbox=a,b,c,d", 422, "bbox"),
        ("spaces?bbox=nan,0,1,1", 422, "bbox"),
        ("spaces?bbox=2,0,1,1", 422, "bbox"),
        ("spaces?bbox=0,0,1,91", 422, "bbox"),
        ("spaces?bbox=" + "1" * 101, 422, "bbox"),
        ("spaces?zone=" + "z" * 64, 422, "zone"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(client: Client, query: str, status: int, field: str) -> None:
    answer = client.get(f"/v1/parking/{query}")

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "path", ["zones/marche", f"nearby?lat={MARKET.lat}&lon={MARKET.lon}", "spaces?bbox=-1.56,47.21,-1.54,47.22"]
)
def test_what_did_not_change_is_not_sent_again_and_what_did_is(own_client: Client, path: str) -> None:
    first = own_client.get(f"/v1/parking/{path}", **{"Accept-Encoding": "br"})
    has_it = {"Accept-Encoding": "br", "If-None-Match": first.headers["etag"]}
    again = own_client.get(f"/v1/parking/{path}", **has_it)

    services = own_client.api.services
    state = SpaceState(device="m1", channel="1", occupied=False, at=NOW + timedelta(seconds=1))
    services.feed.touch(services.live.remember([StoredSpace(gateway="gw", state=state)], NOW))
    services.feed.look(NOW + timedelta(seconds=1))
    changed = own_client.get(f"/v1/parking/{path}", **has_it)

    assert (first.status_code, first.headers["content-encoding"]) == (200, "br")
    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert changed.json() != first.json()


def test_spaces_of_a_zone_that_is_not_there_are_not_found(client: Client) -> None:
    answer = client.get("/v1/parking/spaces?zone=nowhere")

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:passerelle:problem:unknown-zone")


def test_a_box_with_too_many_spaces_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "MOST_SPACES", 1)

    assert client.get("/v1/parking/spaces?bbox=-2,47,-1,48").status_code == 422
