"""Rubbish on every link: named, counted where the operator looks, kept in the log with its bytes, harmless to the rest.

One gateway hears a good counter through ChirpStack, and beside it whatever comes; an API tells its metrics.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from cloud_api.stores.base import EARLIEST, LATEST, Store
from cloud_api.stores.sqlite import SqliteStore
from edge import messages
from edge.config import parse
from edge.gateway import Gateway
from firmware_sim.encoders import benewake, hlk_ld2450, parametric_pcr2
from firmware_sim.links import lorawan
from firmware_sim.links.chirpstack import ChirpStackPeer, EndDevice, uplink
from firmware_sim.links.mqtt_server import Document
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from tests.broker import Mosquitto
from tests.clocks import ManualClock
from tests.loopback import HTTP
from tests.system.street import until
from tests.town import NOW, serving, town_api

COUNTER, BAY, STRANGER = EndDevice("0004a30b00000001"), EndDevice("0004a30b00000002"), EndDevice("0004a30b000000ff")
SESSION = lorawan.Session("260b1234", bytes(range(16)), bytes(range(16, 32)))
FORGER = lorawan.Session("260b1234", bytes(16), bytes(16))
UNKNOWN = lorawan.Session("260bffff", bytes(16), bytes(16))
BAD_CHECKSUM = benewake.data(120, 1_000)[:-1] + b"\x00"
NOISE = b"\x13\x37noise"
PATIENCE_S = 30
GATEWAY = """
[gateway]
name = "mairie"
data = "data"
clock = "system"
commit_ms = 0
[broker]
host = "{host}"
port = {port}
[[link]]
kind = "chirpstack"
name = "network"
host = "{host}"
port = {port}
client_id = "passerelle-mairie"
[[link]]
kind = "serial"
name = "radar"
port = "{radar}"
model = "hlk-ld2450"
device = "radar-1"
[[link]]
kind = "serial"
name = "lidar"
port = "{lidar}"
model = "benewake-tf-luna"
device = "lidar-1"
[[link]]
kind = "rak3172"
name = "modem"
port = "{modem}"
[[device]]
address = "0004a30b00000001"
model = "parametric-pcr2"
[[device]]
address = "0004a30b00000002"
model = "bosch-tps110"
[[device]]
address = "260b1234"
model = "nwave-nps405"
nwk_skey = "000102030405060708090a0b0c0d0e0f"
app_skey = "101112131415161718191a1b1c1d1e1f"
[[device]]
address = "radar-1"
model = "hlk-ld2450"
line_mm = [0, 0, 0, 6000]
"""


@dataclass(frozen=True)
class Town:
    """What stands on the other ends of the gateway's links, and where its figures can be read."""

    server: ChirpStackPeer
    radar: SerialPeer
    lidar: SerialPeer
    modem: ModemPeer
    clock: ManualClock
    gateway: Gateway
    store: Store

    def count(self, number: int, total: int) -> None:
        """The good counter's n-th report."""
        at = NOW - timedelta(hours=2) + number * timedelta(minutes=10)
        payload = parametric_pcr2.counts_v4(0, 0, total, 0, 0, 0, 20.0)
        self.server.publish_and_wait(uplink(COUNTER, counter=number, port=14, payload=payload, at=at))

    def counted(self) -> int:
        """What the store knows of the good counter."""
        channels = [channel for channel in self.store.channels() if channel.device == COUNTER.dev_eui]
        return sum(hour.in_ for hour in self.store.hours(channels, EARLIEST, LATEST))

    def frames(self, link: str) -> int:
        """How many the gateway has taken in from a link."""
        return next(health.frames for health in self.gateway.links() if health.name == link)


@dataclass(frozen=True)
class Bad:
    """Something bad: how it comes, what it counts as, and what of it must be in the log."""

    name: str
    send: Callable[[Town], Awaitable[None]]
    figure: str
    logged: str


@asynccontextmanager
async def running_town(mosquitto: Mosquitto, store: Store, folder: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as opened:
        radar, lidar, modem = SerialPeer(), SerialPeer(), ModemPeer()
        server = ChirpStackPeer(mosquitto.host, mosquitto.port)
        for peer in (radar, lidar, modem, server):
            opened.callback(peer.close)
        modem.start()
        ports = {"radar": radar.path, "lidar": lidar.path, "modem": modem.path}
        text = GATEWAY.format(host=mosquitto.host, port=mosquitto.port, **ports)
        clock = ManualClock(NOW)
        gateway = Gateway(parse(text, folder / "gateway.toml"), clock)
        running = asyncio.create_task(gateway.run())
        async with asyncio.timeout(PATIENCE_S):
            await gateway.listening()
        yield Town(server, radar, lidar, modem, clock, gateway, store)
        gateway.stop()
        await running


async def send_short_frame(town: Town) -> None:
    town.server.publish_and_wait(uplink(BAY, counter=1, port=3, payload=b"\xca\xfe", at=NOW))


async def send_on_unknown_port(town: Town) -> None:
    town.server.publish_and_wait(uplink(BAY, counter=1, port=99, payload=b"\xca\xfe", at=NOW))


async def send_from_unknown_device(town: Town) -> None:
    town.server.publish_and_wait(uplink(STRANGER, counter=1, port=1, payload=b"\xca\xfe", at=NOW))


async def send_without_data(town: Town) -> None:
    town.server.publish_and_wait(changed(uplink(BAY, counter=1, port=1, payload=b"\x01", at=NOW), b'"data"', b'"date"'))


async def send_what_is_no_json(town: Town) -> None:
    document = uplink(BAY, counter=1, port=1, payload=b"\x01", at=NOW)
    town.server.publish_and_wait(Document(document.topic, b"\xff\x00 noise"))


async def send_newer_schema(town: Town) -> None:
    town.server.publish_and_wait(Document(messages.topic("mairie", "config/desired"), b'{"schema":9,"x":"cafe"}'))


async def send_newer_schema_to_the_api(town: Town) -> None:
    town.server.publish_and_wait(Document(messages.topic("mairie", "flow"), b'{"schema":9,"x":"cafe"}'))


async def send_bad_checksum(town: Town) -> None:
    town.lidar.send(BAD_CHECKSUM + benewake.data(121, 1_000))


async def send_noise(town: Town) -> None:
    town.radar.send(NOISE + hlk_ld2450.report([]))


async def send_wrong_mic(town: Town) -> None:
    town.modem.transmit(lorawan.uplink(FORGER, 1, 1, b"\x95"), -97, 4.5)


async def send_from_unknown_dev_addr(town: Town) -> None:
    town.modem.transmit(lorawan.uplink(UNKNOWN, 1, 1, b"\x95"), -97, 4.5)


async def step_the_clock(town: Town) -> None:
    await hear_the_radar(town)
    town.clock.step(3_600)
    await hear_the_radar(town)


async def hear_the_radar(town: Town) -> None:
    """A frame of it, worth telling because it is seconds after the last."""
    town.clock.advance(60)
    before = town.frames("radar")
    town.radar.send(hlk_ld2450.report([]))
    await until(lambda: town.frames("radar") > before, "a frame of the radar")


def changed(document: Document, old: bytes, new: bytes) -> Document:
    assert old in document.body
    return Document(document.topic, document.body.replace(old, new))


def refused(link: str, reason: str) -> str:
    return f'passerelle_link_refused_total{{gateway="mairie",link="{link}",reason="{reason}"}} 1.0'


def event(name: str, count: int = 1) -> str:
    return f'passerelle_gateway_events_total{{event="{name}",gateway="mairie"}} {count}.0'


def to_the_api(name: str) -> str:
    return f'passerelle_message_errors_total{{name="{name}",subscription="ingest"}} 1.0'


BADS = (
    Bad("a frame too short", send_short_frame, refused("network", "decode-error"), "bytes=cafe"),
    Bad("an unknown port", send_on_unknown_port, refused("network", "decode-error"), "bytes=cafe"),
    Bad("an unknown device", send_from_unknown_device, event("heard"), "bytes=cafe"),
    Bad("a document without data", send_without_data, refused("network", "no-data"), "error=no-data"),
    Bad("JSON that is none", send_what_is_no_json, refused("network", "not-json"), "bytes=ff00"),
    Bad("a newer schema", send_newer_schema, event("message_newer-schema"), b'"cafe"'.hex()),
    Bad("a newer schema to the API", send_newer_schema_to_the_api, to_the_api("newer-schema"), "cafe"),
    Bad("a bad checksum", send_bad_checksum, refused("lidar", "bad-frame"), BAD_CHECKSUM.hex()),
    Bad("noise on the wire", send_noise, refused("radar", "noise"), NOISE.hex()),
    Bad("a wrong MIC", send_wrong_mic, refused("modem", "wrong-mic"), lorawan.uplink(FORGER, 1, 1, b"\x95").hex()),
    Bad("an unknown DevAddr", send_from_unknown_dev_addr, event("heard"), lorawan.uplink(UNKNOWN, 1, 1, b"\x95").hex()),
    Bad("a clock that jumps", step_the_clock, event("clock_steps"), "stepped by 3600000 ms"),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(SqliteStore(tmp_path / "history.db")) as opened:
        yield opened


@pytest.mark.parametrize("bad", BADS, ids=lambda bad: bad.name)
def test_it_is_named_counted_and_logged_and_disturbs_nobody(
    bad: Bad, own_mosquitto: Mosquitto, store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "edge")
    caplog.set_level(logging.DEBUG, "cloud_api")

    async def scenario(address: str) -> None:
        def metrics() -> str:
            return HTTP.get(f"{address}/metrics").text

        async with running_town(own_mosquitto, store, tmp_path) as town:
            town.count(1, total=10)
            await bad.send(town)
            town.count(2, total=25)
            await until(lambda: bad.figure in metrics(), f"{bad.figure} in the metrics")
            await until(lambda: town.counted() == 15, "fifteen persons in the store")

    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        asyncio.run(scenario(address))

    assert bad.logged in caplog.text
    assert "Traceback" not in caplog.text
