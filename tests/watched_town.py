"""A town with something wrong, watched by its API: one gateway has a queue, one never came, sensors are silent."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from cloud_api.app import create_app
from cloud_api.registry import Gateway, Registry
from cloud_api.registry.store import RegistryStore
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from edge.messages import LinkHealth, Status
from tests.broker import Mosquitto
from tests.loopback import HTTP
from tests.town import NOW, REGISTRY, Clock, PublishingGateway, gateway, kept, serving, until

GATEWAYS = Registry(gateways=[Gateway(name="gw-halles", label="Les halles"), Gateway(name="gw-gare", label="Gare")])
LINKS = (
    LinkHealth(name="lora", kind="chirpstack", state="up", frames=12, refused={"too_short": 1}),
    LinkHealth(name="ble", kind="ble", state="down: no adapter"),
)


def status_of(edge: PublishingGateway) -> Status:
    """What `gw-halles` says of itself."""
    return replace(
        edge.status(),
        at=NOW,
        version="1.4.0",
        clock="trusted",
        queued=7,
        disk_free_bytes=22_000_000_000,
        disk_size_bytes=31_000_000_000,
        links=LINKS,
        counters={"heard": 3},
    )


@dataclass(frozen=True, slots=True)
class WatchedTown:
    """Where it is served, and a key that opens its status."""

    address: str
    key: str
    reporter: str
    """A key that opens reports alone."""
    registry: RegistryStore
    gateway: PublishingGateway
    """`gw-halles`, as the broker sees it."""

    def metrics(self) -> str:
        """What Prometheus reads."""
        return HTTP.get(f"{self.address}/metrics").text


@contextmanager
def watched_town(broker: Mosquitto, folder: Path) -> Iterator[WatchedTown]:
    """The town for the length of a `with`: one space heard now, the other sensors never."""
    registry = kept(REGISTRY, folder)
    registry.merge(GATEWAYS.entries, by="test", at=NOW)
    _, key = registry.keys.create("operator", [Scope.PROVISION], by="test", at=NOW)
    _, reporter = registry.keys.create("office", [Scope.REPORT], by="test", at=NOW)
    settings = Settings(
        broker=Broker(host=broker.host, port=broker.port),
        ledger=folder / "town.ledger.db",
        store_file=folder / "history.db",
        worker=folder.name,
        title="Saint-Aubin-sur-Cisse",
    )
    with (
        closing(open_store(f"sqlite:///{folder}/history.db")) as store,
        serving(create_app(settings, store=store, registry=registry, clock=Clock())) as address,
        gateway(broker) as edge,
    ):
        edge.publish(
            status_of(edge),
            edge.space(1, "d1", occupied=True),
        )
        town = WatchedTown(address, key, reporter, registry, edge)
        until(lambda: HTTP.get(f"{address}/readyz").is_success)
        until(lambda: 'passerelle_gateway_queued_messages{gateway="gw-halles"} 7.0' in town.metrics())
        until(lambda: 'trust="fresh"' in town.metrics())
        until(lambda: "\npasserelle_backup_timestamp_seconds" in town.metrics())
        yield town
