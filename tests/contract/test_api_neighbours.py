"""Others' car parks stand beside the town's own in the API: read over real HTTP, each with its source and trust."""

from contextlib import closing
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
from tests.town import HERE, NOW, Clock, kept, serving, until
from tests.web_operator import Operator, operator


def fed(id_: str, lot: str) -> Zone:
    source = FeedSource(name="effia", id=lot)
    capacity = Capacity(public=90, pmr=10)
    return Zone(id=id_, name=id_, position=HERE, counting=Counting.FEED, feed=source, capacity=capacity)


def closure(place: str) -> Closure:
    return Closure(id="c1", place=place, start=NOW - timedelta(days=1), reason="inondation")


TOWN = Registry(
    zones=[
        Zone(id="marche", name="Place du Marché", position=HERE),
        fed("gare", "gare"),
        fed("quai", "gare"),
        fed("absente", "nulle-part"),
    ],
    closures=[closure("quai")],
)


def zones(address: str) -> dict[str, dict[str, Any]]:
    answer = HTTP.get(f"{address}/v1/parking/zones").json()
    return {zone["id"]: zone for zone in answer["data"]["zones"]}


def test_the_town_s_zones_and_those_of_an_operator_stand_side_by_side(mosquitto: Mosquitto, tmp_path: Path) -> None:
    settings = Settings(
        broker=Broker(host=mosquitto.host, port=mosquitto.port), ledger=tmp_path / "l.db", worker="neighbours"
    )
    with operator() as effia, closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        effia.tell(42)
        feed = LotFeed(name="effia", operator="Effia", tongue=Tongue.PARKAPI_V1, url=effia.address, period_s=0.05)
        api = create_app(settings, store=store, registry=kept(TOWN, tmp_path), clock=Clock(), feeds=[feed])
        with serving(api) as address:
            until(lambda: zones(address)["gare"]["free"] == 42)
            known = zones(address)
            metrics = HTTP.get(f"{address}/metrics").text
            detail = HTTP.get(f"{address}/v1/parking/zones/gare").json()["data"]
            refuse(effia)
            until(lambda: zones(address)["gare"]["trust"] == "implausible")
            implausible = zones(address)["gare"]

    assert [zone["source"] for zone in known.values()] == [None, "Effia", "Effia", "Effia"]
    assert (known["gare"]["capacity"], known["gare"]["occupied"], known["gare"]["trust"]) == (100, 58, "fresh")
    assert detail["free"] == 42
    assert (known["quai"]["trust"], known["quai"]["free"], known["quai"]["closed"]) == ("closed", None, 100)
    assert known["quai"]["cause"]["fr"] == "fermé : inondation"
    assert (known["absente"]["trust"], known["absente"]["free"]) == ("unknown", None)
    assert 'passerelle_feed_lots{feed="effia"} 1.0' in metrics
    assert implausible["free"] is None
    assert "Effia" in implausible["cause"]["en"]


def refuse(effia: Operator) -> None:
    """The operator begins to tell more free spaces than there are."""
    effia.tell(101)
