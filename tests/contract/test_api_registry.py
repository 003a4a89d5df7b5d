"""What changes in the registry reaches the running API, without a restart, over a real broker and HTTP."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from cloud_api.app import create_app
from cloud_api.registry import Closure, Installation, Space, Zone
from cloud_api.registry.store import RegistryStore
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from tests.broker import Mosquitto
from tests.postgres import postgres as postgres
from tests.town import HERE, NOW, PATIENCE_S, REGISTRY, START, Clock, PublishingGateway, gateway, kept, serving, until

GARDEN = Zone(id="jardin", name="Jardin", position=HERE)
BAY = Space(id="j1", zone="jardin")
SENSOR = Installation(place="j1", device="d9", channel="1", start=START)


@dataclass(frozen=True)
class Town:
    """A running API and what it is told by."""

    registry: RegistryStore
    client: httpx.Client
    gateway: PublishingGateway

    def zone(self, name: str) -> dict[str, Any]:
        """A zone with its spaces; empty when there is none."""
        answer = self.client.get(f"/v1/parking/zones/{name}")
        return dict(answer.json()["data"]) if answer.is_success else {}


@pytest.fixture
def town(own_mosquitto: Mosquitto, tmp_path: Path) -> Iterator[Town]:
    registry = kept(REGISTRY, tmp_path)
    settings = Settings(broker=Broker(host=own_mosquitto.host, port=own_mosquitto.port), ledger=tmp_path / "ledger.db")
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store, gateway(own_mosquitto) as sender:
        sender.publish(sender.status())
        api = create_app(settings, store=store, registry=registry, clock=Clock())
        with serving(api) as address, httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
            until(lambda: client.get("/readyz").is_success)
            yield Town(registry, client, sender)
    registry.close()


@pytest.mark.parametrize("town", ["sqlite", "postgres"], indirect=True)
def test_a_sensor_that_spoke_before_it_was_adopted_shows_at_once(town: Town) -> None:
    town.gateway.publish(town.gateway.space(1, "d9", occupied=True), town.gateway.health(2, "d9"))
    until(lambda: 1 in town.gateway.confirmed())

    town.registry.merge([GARDEN, BAY, SENSOR], by="test", at=NOW)

    until(lambda: town.zone("jardin").get("occupied") == 1)


def test_what_is_known_of_the_sensors_that_stay_is_kept(town: Town) -> None:
    town.gateway.publish(town.gateway.space(1, "d1", occupied=False))
    until(lambda: town.zone("marche")["free"] == 1)

    town.registry.merge([GARDEN, BAY], by="test", at=NOW)

    until(lambda: bool(town.zone("jardin")))
    assert town.zone("marche")["free"] == 1
    assert town.zone("jardin")["free"] is None


def test_a_closure_takes_its_bay_out_of_service_and_its_end_brings_it_back(town: Town) -> None:
    works = Closure(
        id="works", place="m1", start=NOW - timedelta(hours=1), end=NOW + timedelta(days=1), reason="travaux de voirie"
    )

    town.registry.add(works, by="test", at=NOW)
    until(lambda: town.zone("marche")["closed"] == 1)
    (told,) = town.zone("marche")["closures"]
    assert told["reason"] == "travaux de voirie"
    assert told["until"] == "2026-11-23T10:30:00Z"
    page = town.client.get("/").text.replace("\N{NO-BREAK SPACE}", " ")
    assert "1 place fermée jusqu’au 23/11/2026 à 11 h 30 : travaux de voirie" in page
    town.registry.end_closure("works", end=NOW, by="test", at=NOW)

    until(lambda: town.zone("marche")["closed"] == 0)


def test_a_zone_that_is_removed_is_gone_and_listeners_get_a_fresh_snapshot(town: Town) -> None:
    town.registry.merge([GARDEN], by="test", at=NOW)
    until(lambda: bool(town.zone("jardin")))

    with town.client.stream("GET", "/v1/parking/stream") as stream:
        lines = stream.iter_lines()
        assert any('"jardin"' in line for line in lines if line.startswith("data: "))
        town.registry.remove(GARDEN, seen=1, by="test", at=NOW)
        following = next(line for line in lines if line == "event: snapshot")
        assert following
        assert '"jardin"' not in next(lines)

    assert town.client.get("/v1/parking/zones/jardin").status_code == 404
    assert [zone["id"] for zone in town.client.get("/v1/parking/zones").json()["data"]["zones"]] == ["marche", "gare"]


def test_a_new_counter_is_on_the_page_at_once(town: Town) -> None:
    assert "Rue Basse" not in town.client.get("/").text

    street = replace(REGISTRY.counters["rue-haute"], id="rue-basse", name="Rue Basse")
    town.registry.add(street, by="test", at=NOW)

    until(lambda: "Rue Basse" in town.client.get("/").text)


def test_the_revision_in_use_is_among_the_figures(town: Town) -> None:
    town.registry.merge([GARDEN], by="test", at=NOW)

    until(lambda: "passerelle_registry_revision 2.0" in town.client.get("/metrics").text)
