"""The town's peers and the gateway's links: what a simulated sensor sends over a link is what the gateway hears."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby, islice
from pathlib import Path

from edge.config import GatewayConfig, load, parse
from edge.drivers.links.base import Link as GatewayLink
from edge.drivers.links.ble import BleConfig, BleLink
from edge.drivers.links.chirpstack import ChirpStackConfig, ChirpStackLink
from edge.drivers.links.rak3172 import Rak3172Config, Rak3172Link
from edge.drivers.links.serial_port import SerialConfig, SerialLink
from edge.messages import DeviceSettings
from edge.readings import DeviceAddress, Frame
from firmware_sim.links.bluez import Bluez, PrivateBus
from firmware_sim.links.chirpstack import ChirpStackPeer
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from firmware_sim.live import Peer
from firmware_sim.peers import by_bluetooth, by_network_server, in_the_air, on_the_wire
from firmware_sim.saint_aubin import saint_aubin
from firmware_sim.sensors import Span, Uplink, uplinks
from firmware_sim.town import Link, Ports
from tests.arrivals import Collected, Ticks, running
from tests.broker import Mosquitto
from tests.bus import bus

__all__ = ["bus"]

TOWN = saint_aubin(11)
FRIDAY = datetime(2026, 11, 20, 16, tzinfo=UTC)
DATA = Path("/var/lib/passerelle")
PATIENCE_S = 60


class Directory:
    """The gateway's knowledge of the town's devices, as its configuration file tells it."""

    def __init__(self, config: GatewayConfig) -> None:
        self._settings = {device.address: device for device in config.device}

    def settings(self, device: DeviceAddress) -> DeviceSettings | None:
        return self._settings.get(device)

    def last_counter(self, device: DeviceAddress) -> int | None:  # noqa: ARG002 - the interface's
        return None


def configuration(*, broker: tuple[str, int] = ("127.0.0.1", 1), serial: str = "-", modem: str = "-") -> GatewayConfig:
    return parse(TOWN.gateway_toml(Ports(broker=broker, serial=serial, modem=modem), DATA), Path("gateway.toml"))


def said(link: Link, number: int) -> list[Uplink]:
    return list(islice(uplinks(Span(TOWN, FRIDAY, FRIDAY + timedelta(days=1)), frozenset({link})), number))


Message = tuple[str, bytes, int | None, int | None]
"""Device, payload, port, counter."""


def told(sent: Sequence[Uplink]) -> list[Message]:
    return _distinct((each.device.address, each.payload, each.port, each.counter) for each in sent)


def understood(frames: Sequence[Frame]) -> list[Message]:
    return _distinct((frame.device, frame.payload, frame.port, frame.counter) for frame in frames)


def _distinct(messages: Iterable[Message]) -> list[Message]:
    """Without the same message twice in a row: a radar repeats itself."""
    return [message for message, _ in groupby(messages)]


async def heard(link: GatewayLink, peer: Peer, sent: Sequence[Uplink]) -> list[Frame]:
    """The frames that the link makes of what the peer sends, each sent once the one before was heard."""
    async with running(link) as collected:
        async with asyncio.timeout(PATIENCE_S):
            await link.opened.wait()
        for number, uplink in enumerate(sent, start=1):
            await peer(uplink)
            await collected.until(partial(_has_heard, number=len(told(sent[:number]))))
            collected.arrivals[-1].acknowledge()
        return collected.frames


def _has_heard(collected: Collected, number: int) -> bool:
    return len(understood(collected.frames)) >= number


def test_a_lora_modem_hears_the_street() -> None:
    async def scenario() -> None:
        modem = ModemPeer()
        modem.start()
        config = configuration(modem=modem.path)
        section = next(each for each in config.link if isinstance(each, Rak3172Config))
        sent = said(Link.LORA, 30)
        frames = await heard(Rak3172Link(section, Ticks(), Directory(config)), in_the_air(modem), sent)
        modem.close()
        assert understood(frames) == told(sent)

    asyncio.run(scenario())


def test_a_network_server_passes_on_square_and_streets(mosquitto: Mosquitto) -> None:
    async def scenario() -> None:
        config = configuration(broker=(mosquitto.host, mosquitto.port))
        section = next(each for each in config.link if isinstance(each, ChirpStackConfig))
        server = await asyncio.to_thread(ChirpStackPeer, mosquitto.host, mosquitto.port)
        sent = said(Link.CHIRPSTACK, 30)
        frames = await heard(ChirpStackLink(section, Ticks()), by_network_server(server), sent)
        server.close()
        assert understood(frames) == told(sent)
        assert {frame.network_time for frame in frames} == {uplink.at for uplink in sent}

    asyncio.run(scenario())


def test_a_serial_port_hears_the_radar() -> None:
    async def scenario() -> None:
        cable = SerialPeer()
        config = configuration(serial=cable.path)
        section = next(each for each in config.link if isinstance(each, SerialConfig))
        sent = said(Link.SERIAL, 100)
        frames = await heard(SerialLink(section, Ticks()), on_the_wire(cable), sent)
        cable.close()
        assert understood(frames) == told(sent)

    asyncio.run(scenario())


def test_bluetooth_hears_the_lane_and_the_delivery_bays(bus: PrivateBus) -> None:
    async def scenario() -> None:
        bluez = Bluez()
        await bluez.start(bus.address)
        config = configuration()
        section = next(each for each in config.link if isinstance(each, BleConfig))
        sent = said(Link.BLE, 30)
        frames = await heard(BleLink(section, Ticks(), Directory(config)), by_bluetooth(bluez), sent)
        await bluez.stop()
        assert understood(frames) == told(sent)

    asyncio.run(scenario())


def test_the_command_makes_ports_and_files_and_ends_when_told(mosquitto: Mosquitto, tmp_path: Path) -> None:
    broker = f"mqtt://{mosquitto.host}:{mosquitto.port}"
    with _simulate("--broker", broker, "--folder", str(tmp_path)) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        config = load(tmp_path / "gateway.toml")
        assert (tmp_path / "gateway.toml").stat().st_mode & 0o077 == 0
        assert (tmp_path / "places.toml").exists()
        assert (tmp_path / "radar").is_symlink()
        assert (tmp_path / "modem").is_symlink()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
    assert lines[0].startswith("Saint-Aubin-sur-Passerelle: 27 sensors")
    assert {device.address for device in config.device} == {device.address for device in saint_aubin(1).devices()}
    assert not (tmp_path / "radar").exists()


def test_a_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    with _simulate("--broker", "mqtt://127.0.0.1:1", "--folder", str(tmp_path)) as process:
        _, error = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert error.startswith("the town ended: no broker at 127.0.0.1:1")


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with _simulate("--broker", "http://127.0.0.1", "--folder", str(tmp_path)) as process:
        _, error = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert "mqtt://HOST[:PORT] expected" in error


def _simulate(*options: str) -> "subprocess.Popen[str]":
    command = (sys.executable, "-c", "import passerelle; passerelle.main()", "simulate", *options)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
