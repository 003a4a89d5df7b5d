"""What the links of network servers take in: documents that mosquitto kept for them, beside a bare subscriber's."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.drivers.links.base import Link
from edge.drivers.links.chirpstack import ChirpStackConfig, ChirpStackLink
from edge.drivers.links.things_stack import ThingsStackLink, TtsConfig
from firmware_sim.encoders import parametric_pcr2
from firmware_sim.links import chirpstack, things_stack
from firmware_sim.links.mqtt_server import Document, ServerPeer
from tests.arrivals import Ticks
from tests.bench.meter import PATIENCE_S, Meter, Tally, opened
from tests.broker import Mosquitto

DOCUMENTS = 2_000
DEV_EUI = "0004a30b00000001"
START = datetime(2026, 11, 22, tzinfo=UTC)
SESSION_S = 3_600


@dataclass(frozen=True, slots=True)
class Server:
    """One kind of network server: what it writes where, and our link to it."""

    topic: str
    uplink: Callable[[int, bytes, datetime], Document]
    link: Callable[[Mosquitto, str], Link]
    """By broker and client id."""


def _chirpstack_uplink(counter: int, payload: bytes, at: datetime) -> Document:
    return chirpstack.uplink(chirpstack.EndDevice(DEV_EUI), counter=counter, port=14, payload=payload, at=at)


def _things_stack_uplink(counter: int, payload: bytes, at: datetime) -> Document:
    device = things_stack.EndDevice(device_id="counter", dev_eui=DEV_EUI)
    return things_stack.uplink(device, counter=counter, port=14, payload=payload, at=at)


def _chirpstack_link(broker: Mosquitto, client_id: str) -> Link:
    config = ChirpStackConfig(name="street", host=broker.host, port=broker.port, client_id=client_id)
    return ChirpStackLink(config, Ticks())


def _things_stack_link(broker: Mosquitto, client_id: str) -> Link:
    return ThingsStackLink(TtsConfig(name="street", host=broker.host, port=broker.port, client_id=client_id), Ticks())


CHIRPSTACK = Server("application/+/device/+/event/+", _chirpstack_uplink, _chirpstack_link)
THINGS_STACK = Server("v3/+/devices/+/#", _things_stack_uplink, _things_stack_link)


def documents(broker: Mosquitto, run: int, server: Server) -> tuple[float, float]:
    """Documents per second of processor time through the link, and through the bare subscriber.

    Both open their sessions and leave; then the documents come; then one after the other fetches them.
    """
    link, bare = server.link(broker, f"link-{run}"), f"bare-{run}"
    asyncio.run(_link(link, 0))
    _open_bare(broker, bare, server.topic)
    _publish(broker, server)
    return asyncio.run(_link(server.link(broker, f"link-{run}"), DOCUMENTS)), _fetch_bare(broker, bare)


def _publish(broker: Mosquitto, server: Server) -> None:
    peer = ServerPeer(broker.host, broker.port)
    try:
        for number in range(DOCUMENTS):
            payload = parametric_pcr2.counts_v4(3, 2, 3 * number % 65_536, 2 * number % 65_536, 0, 0, 21.5)
            at = START + timedelta(minutes=10 * number)
            document = server.uplink(number, payload, at)
            (peer.publish if number + 1 < DOCUMENTS else peer.publish_and_wait)(document)
    finally:
        peer.close()


async def _link(link: Link, expected: int) -> float:
    meter = Meter(expected)
    async with asyncio.TaskGroup() as tasks:
        running = await opened(link, meter, tasks)
        rate = await meter.rate() if expected else 0.0
        running.cancel()
    return rate


def _open_bare(broker: Mosquitto, client_id: str, topic: str) -> None:
    """A session of paho's, subscribed and left."""
    subscribed, client = Event(), _bare(client_id)
    client.on_subscribe = lambda *_: subscribed.set()
    with _connected(client, broker):
        client.subscribe(topic, qos=1)
        if not subscribed.wait(PATIENCE_S):
            raise TimeoutError("mosquitto did not let us subscribe")


def _fetch_bare(broker: Mosquitto, client_id: str) -> float:
    """What the session holds, with nothing done to it."""
    done, tally, client = Event(), Tally(DOCUMENTS), _bare(client_id)

    def take(_client: Client, _userdata: object, _message: MQTTMessage) -> None:
        if tally.add():
            done.set()

    client.on_message = take
    with _connected(client, broker):
        if not done.wait(PATIENCE_S):
            raise TimeoutError(tally.shortfall)
    return tally.rate


def _bare(client_id: str) -> Client:
    return Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5)


@contextmanager
def _connected(client: Client, broker: Mosquitto) -> Iterator[None]:
    session = Properties(PacketTypes.CONNECT)
    session.SessionExpiryInterval = SESSION_S
    client.connect(broker.host, broker.port, clean_start=False, properties=session)
    client.loop_start()
    try:
        yield
    finally:
        client.disconnect()
        client.loop_stop()
