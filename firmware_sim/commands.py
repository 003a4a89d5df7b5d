"""The command `passerelle simulate`: Saint-Aubin's sensors, live, for a gateway that somebody runs beside it.

In come a broker and a folder, out come serial ports, a Bluetooth adapter, ChirpStack's documents, and the two files
that make a gateway and an API know the town. Mistakes end it with exit status 2, what fails at run time with 1.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Annotated
from urllib.parse import urlsplit

import typer

from firmware_sim.clock import ScaledClock
from firmware_sim.links.bluez import Bluez, BusError, PrivateBus, start_private_bus
from firmware_sim.links.chirpstack import ChirpStackPeer
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from firmware_sim.live import Peer, run_town
from firmware_sim.peers import by_bluetooth, by_network_server, in_the_air, on_the_wire
from firmware_sim.saint_aubin import saint_aubin
from firmware_sim.town import Link, Ports, Town

FAILED, MISUSED = 1, 2
MQTT_PORT = 1883
OWNER_ONLY = 0o600
GATEWAY_FILE, PLACES_FILE = "gateway.toml", "places.toml"


def simulate(
    broker: Annotated[str, typer.Option(help="Broker for ChirpStack's documents: mqtt://HOST[:PORT], without TLS.")],
    folder: Annotated[Path, typer.Option(help="Where ports and files appear.")] = Path("saint-aubin"),
    seed: Annotated[int, typer.Option(help="Which town: addresses, keys, and who walks and parks when.", min=0)] = 1,
) -> None:
    """Run simulated sensors that speak real bytes over real links, until interrupted.

    The folder gets `gateway.toml` (it holds keys) and `places.toml`, and the serial ports `radar` and `modem`. Without
    `dbus-daemon` there is no Bluetooth, and no trace of it in the gateway's file.

    Examples:

        passerelle simulate --broker mqtt://127.0.0.1

        passerelle simulate --broker mqtt://127.0.0.1:1884 --folder /tmp/town --seed 7
    """
    address = _parse_broker(broker)
    failures: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(_simulate(saint_aubin(seed), folder.absolute(), address))
    except* (OSError, BusError) as group:
        failures.extend(str(error) for error in group.exceptions)
    if failures:
        raise _failed(f"the town ended: {failures[0]}", FAILED)


async def _simulate(town: Town, folder: Path, broker: tuple[str, int]) -> None:
    stop = _told_to_stop()
    with ExitStack() as stack:
        server = stack.enter_context(closing(await asyncio.to_thread(_connected, *broker)))
        radar = stack.enter_context(closing(SerialPeer(folder / "radar")))
        modem = stack.enter_context(closing(ModemPeer(folder / "modem")))
        bus = stack.enter_context(_private_bus())
        modem.start()
        peers = {
            Link.CHIRPSTACK: by_network_server(server),
            Link.SERIAL: on_the_wire(radar),
            Link.LORA: in_the_air(modem),
        }
        _write_files(town, folder, Ports(broker=broker, serial=radar.path, modem=modem.path, ble=bus is not None))
        _announce(town, folder, bus)
        async with _bluetooth(bus) as bluetooth:
            await run_town(town, ScaledClock(), peers | bluetooth, stop)


def _connected(host: str, port: int) -> ChirpStackPeer:
    try:
        return ChirpStackPeer(host, port)
    except (OSError, TimeoutError) as error:
        raise ConnectionError(
            f"no broker at {host}:{port} ({error}); start one, or name another in --broker"
        ) from error


def _told_to_stop() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


@contextmanager
def _private_bus() -> Iterator[PrivateBus | None]:
    """A message bus for the Bluetooth stand-in; None where there is no `dbus-daemon`."""
    if which("dbus-daemon") is None:
        yield None
        return
    with TemporaryDirectory(prefix="passerelle-") as folder:
        bus = start_private_bus(Path(folder))
        try:
            yield bus
        finally:
            bus.stop()


@asynccontextmanager
async def _bluetooth(bus: PrivateBus | None) -> AsyncIterator[dict[Link, Peer]]:
    """The peer for Bluetooth, if there is a bus."""
    if bus is None:
        yield {}
        return
    bluez = Bluez()
    await bluez.start(bus.address)
    try:
        yield {Link.BLE: by_bluetooth(bluez)}
    finally:
        await bluez.stop()


def _write_files(town: Town, folder: Path, ports: Ports) -> None:
    gateway = folder / GATEWAY_FILE
    gateway.touch(mode=OWNER_ONLY)
    gateway.chmod(OWNER_ONLY)
    gateway.write_text(town.gateway_toml(ports, folder / "gateway"))
    (folder / PLACES_FILE).write_text(town.places_toml())


def _announce(town: Town, folder: Path, bus: PrivateBus | None) -> None:
    environment = "" if bus is None else f"DBUS_SYSTEM_BUS_ADDRESS={bus.address} "
    typer.echo(f"{town.name}: {len(list(town.devices()))} sensors (Ctrl-C stops them)")
    typer.echo(f"  radar         {folder / 'radar'}")
    typer.echo(f"  LoRa modem    {folder / 'modem'}")
    typer.echo(f"  Bluetooth     {'left out: dbus-daemon is not installed' if bus is None else bus.address}")
    typer.echo(f"  the gateway   {environment}passerelle edge --config {folder / GATEWAY_FILE}")
    typer.echo(f"  its places    passerelle places import {folder / PLACES_FILE} --registry registry.db")
    typer.echo("  the API       passerelle api --registry registry.db --store sqlite:///town.db --broker …")


def _parse_broker(url: str) -> tuple[str, int]:
    expected = f"--broker {url!r}: mqtt://HOST[:PORT] expected"
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or not parts.hostname or parts.username or parts.path.strip("/"):
        raise _failed(expected, MISUSED)
    try:
        return parts.hostname, parts.port or MQTT_PORT
    except ValueError as error:
        raise _failed(f"{expected}: {error}", MISUSED) from error


def _failed(message: str, status: int) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(status)
