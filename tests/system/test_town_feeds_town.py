"""One town's Passerelle reads another's, in every tongue that both speak: real servers, a real broker, real polling."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from cloud_api.app import create_app
from cloud_api.feeds.settings import LotFeed, Tongue
from cloud_api.registry import Closure, Registry, Zone
from cloud_api.registry.places import Capacity, Counting, FeedSource
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from tests.broker import Mosquitto
from tests.loopback import HTTP
from tests.town import HERE, NOW, REGISTRY, Clock, gateway, kept, serving, until

TONGUES = {
    Tongue.PARKAPI_V1: "/parkapi/v1/saint-aubin",
    Tongue.NGSI: "/ngsi-ld/v1/entities?type=OnStreetParking",
    Tongue.DATEX2: "/datex2/v2/parking-status.xml",
    Tongue.LILLE: "/opendata/parking/zones.json",
}
QUAI = Zone(id="quai", name="Quai", position=HERE, counting=Counting.NONE, capacity=Capacity(public=10))
TELLING = Registry(
    zones=[*REGISTRY.zones.values(), QUAI],
    spaces=REGISTRY.spaces,
    counters=list(REGISTRY.counters.values()),
    installations=REGISTRY.installations,
    closures=[Closure(id="flood", place="quai", start=NOW - timedelta(days=1), reason="inondation")],
)


def name_of(zone: str, tongue: Tongue) -> str:
    return f"urn:ngsi-ld:OnStreetParking:saint-aubin:{zone}" if tongue is Tongue.NGSI else zone


def reading(zone: str, tongue: Tongue) -> Zone:
    source = FeedSource(name=tongue.value, id=name_of(zone, tongue))
    return Zone(id=f"{zone}-{tongue}", name=zone, position=HERE, counting=Counting.FEED, feed=source)


@contextmanager
def served(town: Registry, broker: Mosquitto, folder: Path, *feeds: LotFeed) -> Iterator[str]:
    """A town's API, for the length of a `with`: its address."""
    folder.mkdir()
    settings = Settings(
        broker=Broker(host=broker.host, port=broker.port),
        ledger=folder / "ledger.db",
        worker=folder.name,
        town="Saint-Aubin",
    )
    with ExitStack() as opened:
        store = opened.enter_context(closing(open_store(f"sqlite:///{folder}/history.db")))
        registry = opened.enter_context(closing(kept(town, folder)))
        api = create_app(settings, store=store, registry=registry, clock=Clock(), feeds=feeds)
        yield opened.enter_context(serving(api))


def zones(address: str) -> dict[str, dict[str, Any]]:
    answer = HTTP.get(f"{address}/v1/parking/zones").json()
    return {zone["id"]: zone for zone in answer["data"]["zones"]}


def test_a_town_that_reads_another_in_any_tongue_knows_what_that_one_knows(
    own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    town = Registry(zones=[reading(zone, tongue) for tongue in TONGUES for zone in TELLING.zones])

    with served(TELLING, own_mosquitto, tmp_path / "telling") as told_at, gateway(own_mosquitto) as edge:
        feeds = [
            LotFeed(name=tongue.value, operator="Saint-Aubin", tongue=tongue, url=told_at + path, period_s=0.05)
            for tongue, path in TONGUES.items()
        ]
        edge.publish(edge.status(), edge.space(1, "d1", occupied=False), edge.space(2, "d2", occupied=True))
        with served(town, own_mosquitto, tmp_path / "reading", *feeds) as address:
            until(lambda: frees(address, "marche") == {1})
            known = zones(address)
            edge.publish(edge.space(3, "d1", occupied=True))
            until(lambda: frees(address, "marche") == {0})

    for tongue in TONGUES:
        marche, gare, quai = (known[f"{zone}-{tongue}"] for zone in ("marche", "gare", "quai"))
        assert (marche["capacity"], marche["free"], marche["trust"]) == (3, 1, "fresh"), tongue
        assert marche["source"] == "Saint-Aubin"
        assert (gare["free"], gare["trust"]) == (None, "unknown"), tongue
        assert (quai["free"], quai["trust"]) == (None, "closed"), tongue


def frees(address: str, zone: str) -> set[int | None]:
    """How many are free in a zone, by whatever tongue."""
    known = zones(address)
    return {known[f"{zone}-{tongue}"]["free"] for tongue in TONGUES}
