"""How much memory the gateway takes with 50 devices on four links: before the first frame, and after hours of traffic.

The gateway is a program of its own, with an API beside it that stores what it sends. The reference is a bare Python
that has imported the same libraries: what any gateway made of them takes before its first own line.
"""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import msgspec

from firmware_sim.encoders import bosch_tps110
from firmware_sim.links.bluez import Bluez, start_private_bus
from firmware_sim.links.chirpstack import ChirpStackPeer
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from firmware_sim.live import Peer
from firmware_sim.parking import Drivers, Habits
from firmware_sim.peers import by_bluetooth, by_network_server, in_the_air, on_the_wire
from firmware_sim.saint_aubin import SQUARE, saint_aubin
from firmware_sim.sensors import Span, Uplink, uplinks
from firmware_sim.town import TPS110, Bay, Device, Link, ParkingZone, Ports, Town
from tests.bench.programs import beside, running_api, running_gateway, status_mb
from tests.bench.table import Row
from tests.broker import Mosquitto, running_mosquitto
from tests.town import until

DEVICES = 50
HOURS = 6
RADAR_IDLE_MS = 300_000
PATIENCE_S = 60
LIBRARIES = "paho.mqtt.client, serial, bleak, numpy, msgspec"
FAIRGROUND = "champ-de-foire"


@dataclass(frozen=True, slots=True)
class Figures:
    """Megabytes resident, and what went through."""

    idle_mb: float
    after_mb: float
    frames: int


class Space(msgspec.Struct):
    """What is read of a space."""

    measured_at: datetime | None


class Detail(msgspec.Struct):
    """What is read of a zone."""

    spaces: tuple[Space, ...]


class Answer(msgspec.Struct):
    """What is read of the API's answer."""

    data: Detail


def rows() -> Iterator[Row]:
    """The figures of this file."""
    bare, imports = _bare_mb(), "bare Python with paho, pyserial, bleak, numpy, msgspec"
    with TemporaryDirectory() as name:
        figures = asyncio.run(_measure(Path(name)))
    yield Row(f"resident with {DEVICES} devices, before the first frame", figures.idle_mb, "MB", bare, imports)
    traffic = f"  after {HOURS} hours' traffic, {figures.frames:,} frames at full speed"
    yield Row(traffic, figures.after_mb, "MB", bare, imports)


def _bare_mb() -> float:
    code = f"import {LIBRARIES}; print(open('/proc/self/status').read())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return status_mb(done.stdout)


async def _measure(folder: Path) -> Figures:
    town = town_of_fifty()
    with running_mosquitto(folder) as broker:
        ends = Ends(broker)
        (folder / "gateway.toml").write_text(town.gateway_toml(ends.ports, folder / "gateway"))
        async with (
            ends.at_work(folder),
            beside(running_api(town.places_toml(), folder, broker)) as api,
            beside(running_gateway(folder / "gateway.toml")) as gateway,
        ):
            await ends.opened(town.gateway)
            idle_mb = gateway.resident_mb
            frames = await _live(town, ends.peers, api)
            await asyncio.to_thread(until, partial(_settled, folder / "gateway" / "outbox.db"), PATIENCE_S)
            return Figures(idle_mb, gateway.resident_mb, frames)


async def _live(town: Town, peers: Mapping[Link, Peer], api: str) -> int:
    """The town's last hours, until the API knows the very last word; how many frames that was."""
    end = datetime.now(UTC).replace(microsecond=0)
    frames = 0
    for uplink in uplinks(Span(town, end - timedelta(hours=HOURS), end, RADAR_IDLE_MS)):
        await peers[uplink.device.link](uplink)
        frames += 1
    await peers[Link.CHIRPSTACK](_last_word(town, end))
    await asyncio.to_thread(until, partial(_knows, api, end), PATIENCE_S)
    return frames + 1


def _last_word(town: Town, at: datetime) -> Uplink:
    *_, bay = town.bays()
    payload = bosch_tps110.parking_status(occupied=True)
    return Uplink(device=bay.device, at=at, payload=payload, port=bosch_tps110.STATUS_PORT, counter=(1 << 32) - 1)


def _knows(api: str, end: datetime) -> bool:
    answer = httpx.get(f"{api}/v1/parking/zones/{FAIRGROUND}").raise_for_status()
    last = msgspec.json.decode(answer.content, type=Answer).data.spaces[-1]
    return last.measured_at == end


def _settled(outbox: Path) -> bool:
    """Whether the store has confirmed everything."""
    with closing(sqlite3.connect(outbox)) as db:
        (queued,) = db.execute("SELECT count(*) FROM outbox").fetchone()
    return bool(queued == 0)


def town_of_fifty() -> Town:
    """Saint-Aubin with a car park more, so that there are fifty devices."""
    town = saint_aubin()
    wanted = DEVICES - len(list(town.devices()))
    bays = tuple(_bay(f"{FAIRGROUND}-{number}", number, town.seed) for number in range(1, wanted + 1))
    fairground = ParkingZone(id=FAIRGROUND, name="Champ de foire", position=SQUARE, bays=bays)
    return replace(town, parking=(*town.parking, fairground))


def _bay(name: str, number: int, seed: int) -> Bay:
    device = Device(address=f"02feed{number:010x}", model=TPS110, link=Link.CHIRPSTACK, period_s=900)
    habits = Habits(stay_min=60, gap_min=20, at_night=0.2)
    return Bay(id=name, position=SQUARE, audience="public", drivers=Drivers(name, habits, seed), device=device)


class Ends:
    """The other ends of the gateway's links. Sending waits where a wire is full, so that nothing is lost."""

    def __init__(self, broker: Mosquitto) -> None:
        self._broker = broker
        self._radar, self._modem, self._bluez = SerialPeer(), ModemPeer(), Bluez()
        self._chirpstack = ChirpStackPeer(broker.host, broker.port)
        self.peers: Mapping[Link, Peer] = {
            Link.CHIRPSTACK: by_network_server(self._chirpstack),
            Link.LORA: in_the_air(self._modem),
            Link.SERIAL: on_the_wire(self._radar),
            Link.BLE: by_bluetooth(self._bluez),
        }
        self.ports = Ports(broker=(broker.host, broker.port), serial=self._radar.path, modem=self._modem.path)

    @asynccontextmanager
    async def at_work(self, folder: Path) -> AsyncIterator[None]:
        """Answer for the length of an `async with`."""
        bus = start_private_bus(folder)
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address
        try:
            await self._bluez.start(bus.address)
            self._modem.start()
            yield
            await self._bluez.stop()
        finally:
            self._modem.close()
            self._radar.close()
            self._chirpstack.close()
            bus.stop()

    async def opened(self, client_id: str) -> None:
        """Return when the gateway listens on every link."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.to_thread(until, lambda: f"Sending SUBACK to {client_id}" in self._broker.log)
            await self._modem.until_listening()
            await self._bluez.scanning()
        for cable in (self._radar, self._modem.cable):
            os.set_blocking(cable.descriptor, True)
