"""A town in which every text that somebody outside can choose is meant to do something in who looks at it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from cloud_api.app import create_app
from cloud_api.registry import Closure, Device, Gateway, Registry, Zone
from cloud_api.registry.store import RegistryStore
from cloud_api.reports.calendar import Event
from cloud_api.reports.making import Source
from cloud_api.reports.named_events import body_of
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from edge.messages import Heard, HeardDevice, LinkHealth
from tests.broker import Mosquitto
from tests.history import flow
from tests.town import EPOCH, HERE, LINE, NOW, REGISTRY, Clock, gateway, kept, serving, until

SCRIPT = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"
QUOTED = '" onmouseover="alert(3)" autofocus onfocus="alert(4)'
EVIL = SCRIPT + QUOTED
MARKET = Zone(id="marche", name=EVIL, position=HERE, address=EVIL, info=EVIL)
COUNTER = replace(REGISTRY.counters["rue-haute"], name=EVIL, in_=EVIL)
TOWN = Registry(
    zones=[MARKET, REGISTRY.zones["gare"]],
    spaces=REGISTRY.spaces,
    counters=[COUNTER],
    gateways=[Gateway(name="gw-halles", label=EVIL, managed=True)],
    devices=[Device(address="d1", model="bosch-tps110", gateway="gw-halles", label=EVIL)],
    installations=REGISTRY.installations,
    closures=[Closure(id="works", place="m2", start=NOW - timedelta(days=1), reason=EVIL)],
)
EVENT = Event(name=EVIL, start=NOW.date() - timedelta(days=8), end=NOW.date() - timedelta(days=8), hours="10:00-20:00")


LINK = LinkHealth(name="lora", kind=EVIL, state=EVIL)


@dataclass(frozen=True, slots=True)
class HostileTown:
    """Where it is served, and a key whose holder's name is no better."""

    address: str
    key: str


@contextmanager
def hostile_town(broker: Mosquitto, folder: Path) -> Iterator[HostileTown]:
    """The town for the length of a `with`; its API makes reports."""
    settings = Settings(
        broker=Broker(host=broker.host, port=broker.port),
        ledger=folder / "ledger.db",
        worker=folder.name,
        title=EVIL,
        tiles=None,
    )
    source = Source(store=f"sqlite:///{folder}/history.db", name=EVIL, time_zone="Europe/Paris")
    with (
        closing(open_store(source.store, Clock(NOW - timedelta(days=2)))) as store,
        closing(kept(TOWN, folder)) as registry,
        gateway(broker) as edge,
    ):
        store.write([flow(NOW - timedelta(days=1, minutes=each), channel=LINE) for each in range(0, 600, 5)])
        key = _key(registry)
        api = create_app(settings, store=store, registry=registry, clock=Clock(), reports_from=source)
        with serving(api) as address:
            fault = edge.health(2, "d1")
            edge.publish(
                replace(edge.status(), at=NOW, version=EVIL, clock=EVIL, links=(LINK,)),
                edge.space(1, "d1", occupied=True),
                replace(fault, health=replace(fault.health, fault=EVIL, firmware=EVIL)),
                Heard(
                    gateway=edge.name,
                    epoch=EPOCH,
                    devices=(HeardDevice(device="new", link="lora", at=NOW, hint=EVIL),),
                ),
            )
            services = api.services
            until(lambda: bool(services.gateways.heard) and services.live.health("d1") is not None)
            until(lambda: bool(services.live.gateways))
            yield HostileTown(address, key)


def _key(registry: RegistryStore) -> str:
    registry.office_events.write("0" * 16, body_of(EVENT), seen=0, by=EVIL, at=NOW - timedelta(days=1))
    return registry.keys.create(EVIL, [Scope.PROVISION, Scope.REPORT], by="test", at=NOW)[1]
