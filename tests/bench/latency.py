"""From a car on a space to the API's stream: ChirpStack document, broker, gateway, broker, API, server-sent event.

Gateway and API are programs of their own, with their defaults. Beside each change one bare message goes from a client
to another over the same broker: what no design on this broker could go below once, and this one goes through it twice.
"""

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Event
from time import perf_counter

import httpx
import msgspec
import numpy as np
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from firmware_sim.encoders import bosch_tps110
from firmware_sim.links.chirpstack import ChirpStackPeer, EndDevice, uplink
from firmware_sim.links.mqtt_server import Document
from firmware_sim.toml import table
from tests.bench.programs import running_api, running_gateway
from tests.bench.table import Row
from tests.broker import Mosquitto, running_mosquitto
from tests.town import until

CHANGES, WARM_UP = 200, 10
PATIENCE_S = 20
PAUSE_S = (0.06, 0.12)
"""Shortest and longest between two changes. In a street they are seconds apart: none meets what the one before it left
waiting, and at no fixed pace do they all meet the programs' periods at the same moment."""
SENSOR = EndDevice("0004a30b00000001")
ECHO, FACTS = "bench/echo", "passerelle/1/bench/space/+"


class Zone(msgspec.Struct):
    """What is read of a zone's event."""

    occupied: int | None


def rows() -> Iterator[Row]:
    """The figures of this file."""
    stream, fact, bare = _measure()
    reference = "a bare publish to a bare subscriber"
    yield Row("a space's change until the stream's event, median", np.median(stream), "ms", np.median(bare), reference)
    yield Row("  p99", np.quantile(stream, 0.99), "ms", np.quantile(bare, 0.99), reference)
    yield Row("  of which until the gateway's fact is with a subscriber, median", np.median(fact), "ms")


Times = list[float]
"""Milliseconds, one for each change."""


def _measure() -> tuple[Times, Times, Times]:
    """For each change: until the stream tells it, until the gateway's fact is told, and for a bare message."""
    with TemporaryDirectory() as name, running_mosquitto(Path(name)) as broker:
        folder = Path(name)
        (folder / "gateway.toml").write_text(_configuration(broker, folder))
        with (
            running_api(_places(), folder, broker) as api,
            running_gateway(folder / "gateway.toml"),
            closing(Ear(broker)) as ear,
            closing(ChirpStackPeer(broker.host, broker.port)) as server,
            _zone_events(api) as zones,
        ):
            until(lambda: "Sending SUBACK to street" in broker.log)
            return _change(server, zones, ear)


def _change(server: ChirpStackPeer, zones: Iterator[Zone], ear: "Ear") -> tuple[Times, Times, Times]:
    """Cars come and go; the first few only warm everything up."""
    stream, fact, bare = Times(), Times(), Times()
    pause, generator = Event(), random.Random(1)
    for number in range(WARM_UP + CHANGES):
        pause.wait(generator.uniform(*PAUSE_S))
        bare.append(ear.round_trip())
        document, occupied = _document(number), 1 - number % 2
        begin = perf_counter()
        server.publish(document)
        while next(zones).occupied != occupied:
            pass
        stream.append(1000 * (perf_counter() - begin))
        fact.append(1000 * (ear.facts.get(timeout=PATIENCE_S) - begin))
    return stream[WARM_UP:], fact[WARM_UP:], bare[WARM_UP:]


def _document(number: int) -> Document:
    payload = bosch_tps110.parking_status(occupied=number % 2 == 0)
    return uplink(SENSOR, counter=number, port=bosch_tps110.STATUS_PORT, payload=payload, at=datetime.now(UTC))


@contextmanager
def _zone_events(api: str) -> Iterator[Iterator[Zone]]:
    """The stream's events of the one zone, as they come."""
    with httpx.stream("GET", f"{api}/v1/parking/stream", timeout=PATIENCE_S) as response:
        lines = response.raise_for_status().iter_lines()
        yield (
            msgspec.json.decode(next(lines).removeprefix("data: "), type=Zone)
            for line in lines
            if line == "event: zone"
        )


class Ear:
    """Hears the gateway's facts, and messages of its own other end."""

    def __init__(self, broker: Mosquitto) -> None:
        self.facts: SimpleQueue[float] = SimpleQueue()
        """When each fact came, by `perf_counter`."""
        self._echoes: SimpleQueue[float] = SimpleQueue()
        self._subscribed = Event()
        self._hearing, self._speaking = _client(), _client()
        self._hearing.on_message = self._hear
        self._hearing.on_subscribe = lambda *_: self._subscribed.set()
        for client in (self._hearing, self._speaking):
            client.connect(broker.host, broker.port)
            client.loop_start()
        self._hearing.subscribe([(ECHO, 1), (FACTS, 1)])
        if not self._subscribed.wait(PATIENCE_S):
            raise TimeoutError("mosquitto did not let us subscribe")

    def round_trip(self) -> float:
        """Milliseconds from a publish to its arrival, QoS 1."""
        begin = perf_counter()
        self._speaking.publish(ECHO, b"?", qos=1)
        return 1000 * (self._echoes.get(timeout=PATIENCE_S) - begin)

    def close(self) -> None:
        """Take leave."""
        for client in (self._hearing, self._speaking):
            client.disconnect()
            client.loop_stop()

    def _hear(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        (self._echoes if message.topic == ECHO else self.facts).put(perf_counter())


def _client() -> Client:
    return Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)


def _places() -> str:
    since = {"from": datetime.now(UTC).replace(minute=0, second=0, microsecond=0)}
    return "\n".join(
        (
            table("[zone]", id="square", name="Square", position={"lat": 47.2714, "lon": 1.4826}),
            table("[space]", id="square-1", zone="square"),
            table("[installation]", place="square-1", device=SENSOR.dev_eui, channel="1", **since),
        )
    )


def _configuration(broker: Mosquitto, folder: Path) -> str:
    host, port = broker.host, broker.port
    return "\n".join(
        (
            table("gateway", name="bench", data=str(folder / "gateway"), clock="system"),
            table("broker", host=host, port=port),
            table("[link]", kind="chirpstack", name="street", client_id="street", host=host, port=port),
            table("[device]", address=SENSOR.dev_eui, model="bosch-tps110"),
        )
    )
