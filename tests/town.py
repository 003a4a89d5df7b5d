"""A small town for tests of the API: its places, a gateway that publishes by real MQTT, a real server."""

import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from cloud_api.app import Api, create_app
from cloud_api.provisioning.floods import FloodLimits
from cloud_api.registry import Counter, Installation, Position, Registry, Space, Zone
from cloud_api.registry.store import RegistryStore
from cloud_api.server import ApiServer, listen
from cloud_api.settings import Broker, Settings
from cloud_api.stores.base import Channel, Store
from edge import messages
from edge.messages import (
    AnyMessage,
    DeviceHealth,
    Flow,
    FlowInterval,
    HealthReport,
    OutboxMessage,
    SpaceState,
    Status,
    Stored,
    encode,
    topic_of,
)
from edge.messages import Space as SpaceMessage
from tests.broker import Mosquitto
from tests.registries import registry_at

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = "00112233aabbccdd"
HERE = Position(lat=47.2137, lon=-1.5562)
LINE = Channel("c1", "line1", "pedestrian")
PATIENCE_S = 60.0
FLOOD_LIMITS = FloodLimits()

REGISTRY = Registry(
    zones=[
        Zone(id="marche", name="Place du Marché", position=HERE),
        Zone(id="gare", name="Gare", position=HERE),
    ],
    spaces=[Space(id=f"m{number}", zone="marche") for number in (1, 2, 3)] + [Space(id="g1", zone="gare")],
    counters=[Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie")],
    installations=[
        *(Installation(place=f"m{number}", device=f"d{number}", channel="1", start=START) for number in (1, 2, 3)),
        Installation(place="g1", device="d4", channel="1", start=START),
        Installation(place="rue-haute", device=LINE.device, channel=LINE.name, mode=LINE.mode, start=START),
    ],
)


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def town_api(
    broker: Mosquitto,
    store: Store,
    folder: Path,
    *,
    clock: Clock | None = None,
    worker: str = "test",
    floods: FloodLimits = FLOOD_LIMITS,
) -> Api:
    """The town's API on a broker and a store."""
    settings = Settings(
        broker=Broker(host=broker.host, port=broker.port),
        ledger=folder / f"{worker}.ledger.db",
        worker=worker,
        floods=floods,
    )
    return create_app(settings, store=store, registry=kept(REGISTRY, folder), clock=clock or Clock())


def kept(town: Registry, folder: Path) -> RegistryStore:
    """A folder's registry, with a town in it."""
    registry = registry_at(folder / "registry.db")
    registry.merge(town.entries, by="test", at=NOW)
    return registry


@contextmanager
def serving(api: Api) -> Iterator[str]:
    """The API behind a real server for the length of a `with`: its address."""
    server = ApiServer(api)
    with listen("127.0.0.1", 0) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def until(condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds, looking the less often the longer it takes; fails when it does not in time."""
    never, begin = Event(), monotonic()
    while not condition():
        waited = monotonic() - begin
        if waited > patience_s:
            raise AssertionError(f"not so within {patience_s:g} s")
        never.wait(min(max(0.01, waited / 10), 0.1))


class PublishingGateway:
    """A gateway as the broker sees it: publishes what it is given and collects what is answered as stored."""

    def __init__(self, broker: Mosquitto | Broker, name: str = "gw-halles") -> None:
        """`Broker` tells too as whom, and whom to believe where it is over TLS."""
        self.name = name
        self._subscribed = Event()
        self._stored: queue.SimpleQueue[Stored] = queue.SimpleQueue()
        self._confirmed: set[int] = set()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"test-{name}", protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.on_connect = lambda client, *_: client.subscribe(messages.topic(name, "stored"), qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._take
        if isinstance(broker, Broker):
            password = None if broker.password_file is None else broker.password_file.read_text()
            self._client.username_pw_set(broker.username, password)
            if broker.ca_file is not None:
                self._client.tls_set(str(broker.ca_file))
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE_S)

    def publish(self, *batch: AnyMessage) -> None:
        """Publish messages as the contract says, and wait for the broker's acknowledgements."""
        for message in batch:
            self.publish_bytes(topic_of(message), encode(message), retain=type(message) in messages.RETAINED)

    def pour(self, batch: Iterable[AnyMessage]) -> None:
        """Publish messages without waiting for anything."""
        for message in batch:
            self._client.publish(topic_of(message), encode(message), qos=1)

    def publish_bytes(self, topic: str, body: bytes, *, retain: bool = False) -> None:
        """Publish whatever."""
        self._client.publish(topic, body, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def confirmed(self) -> set[int]:
        """Every sequence number that was answered as stored so far."""
        while not self._stored.empty():
            for part in self._stored.get().ranges:
                self._confirmed.update(range(part.first, part.last + 1))
        return self._confirmed

    def has_confirmed(self, batch: Sequence[OutboxMessage]) -> bool:
        """Whether all of these were answered as stored."""
        return self.confirmed() >= {message.seq for message in batch}

    def stop(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def flow(self, seq: int, *intervals: FlowInterval) -> Flow:
        """A batch of intervals."""
        return Flow(gateway=self.name, epoch=EPOCH, seq=seq, intervals=intervals)

    def space(self, seq: int, device: str, *, occupied: bool, at: datetime = NOW) -> SpaceMessage:
        """A space's state."""
        state = SpaceState(device=device, channel="1", occupied=occupied, at=at)
        return SpaceMessage(gateway=self.name, epoch=EPOCH, seq=seq, states=(state,))

    def health(self, seq: int, device: str, at: datetime = NOW) -> HealthReport:
        """A device's health."""
        report = DeviceHealth(device=device, model="bosch-tps110", at=at, period_s=600)
        return HealthReport(gateway=self.name, epoch=EPOCH, seq=seq, health=report)

    def status(self, *, online: bool = True) -> Status:
        """Whether it is on line."""
        return Status(gateway=self.name, epoch=EPOCH, online=online)

    def _take(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        stored = messages.decode(message.topic, bytes(message.payload))
        assert isinstance(stored, Stored)
        self._stored.put(stored)


@contextmanager
def gateway(broker: Mosquitto | Broker, name: str = "gw-halles") -> Iterator[PublishingGateway]:
    """A gateway for the length of a `with`."""
    it = PublishingGateway(broker, name)
    try:
        yield it
    finally:
        it.stop()


def interval(index: int, *, in_: int = 1, out: int = 2, device: str = LINE.device) -> FlowInterval:
    """The n-th five minutes from 09:00 UTC on."""
    start = NOW.replace(hour=9, minute=0) + timedelta(minutes=5 * index)
    return FlowInterval(
        device=device, channel=LINE.name, mode=LINE.mode, start=start, seconds=300, in_=in_, out=out, covered_s=300
    )


def counted(store: Store, channels: Sequence[Channel] = (LINE,)) -> tuple[int, int]:
    """All that a store knows of channels: in, out."""
    hours = store.hours(channels, START, NOW + timedelta(days=1))
    return sum(hour.in_ for hour in hours), sum(hour.out or 0 for hour in hours)
