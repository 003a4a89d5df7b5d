"""The gateway as a service: what it does on signals, mistakes, power cuts and orders from the cloud."""

import asyncio
import queue
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from cloud_api.stores.base import EARLIEST, LATEST, Store
from cloud_api.stores.sqlite import SqliteStore
from edge import messages
from edge.config import parse
from edge.gateway import Gateway
from edge.messages import AnyMessage, Desired, DeviceSettings, Reported, Space, Status
from firmware_sim.encoders import bosch_tps110, parametric_pcr2
from firmware_sim.links.chirpstack import ChirpStackPeer, EndDevice, uplink
from tests.broker import Mosquitto
from tests.certificates import Authority
from tests.chaos.proxy import Proxy
from tests.clocks import ManualClock
from tests.system.programs import Program, running
from tests.system.street import until as until_so
from tests.town import serving, town_api, until

COUNTER, ADDER = EndDevice("0004a30b00000001"), EndDevice("0004a30b00000003")
BAY = EndDevice("0004a30b00000002")
PERIOD = timedelta(minutes=10)
GATEWAY = """
[gateway]
name = "mairie"
data = "data"
clock = "system"
[broker]
host = "{host}"
port = {port}
[[link]]
kind = "chirpstack"
name = "network"
host = "{host}"
port = {port}
client_id = "passerelle-mairie"
[[device]]
address = "0004a30b00000001"
model = "parametric-pcr2"
[[device]]
address = "0004a30b00000003"
model = "parametric-pcr2"
"""
ONE_MORE = """
[[device]]
address = "0004a30b00000002"
model = "bosch-tps110"
"""
PATIENCE_S = 30.0


class Ear:
    """Hears everything that the gateway publishes."""

    def __init__(self, broker: Mosquitto) -> None:
        self._heard: queue.SimpleQueue[AnyMessage] = queue.SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._take
        self._client.connect(broker.host, broker.port)
        self._client.subscribe(f"{messages.ROOT}/mairie/#", qos=1)
        self._client.loop_start()

    def _take(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._heard.put(messages.decode(message.topic, bytes(message.payload)))

    def next(self, kind: type[AnyMessage]) -> AnyMessage:
        """The next message of that kind. Raises `queue.Empty` when none comes."""
        while not isinstance(message := self._heard.get(timeout=PATIENCE_S), kind):
            pass
        return message

    def has_heard(self, kind: type[AnyMessage]) -> bool:
        """Whether a message of that kind is among those not asked for yet, which are all forgotten."""
        return any(isinstance(self._heard.get(), kind) for _ in range(self._heard.qsize()))

    def desire(self, desired: Desired) -> None:
        """What the cloud says: kept by the broker for a gateway that is not there."""
        body = messages.encode(desired)
        self._client.publish(messages.topic_of(desired), body, qos=1, retain=True).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        """Take leave."""
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def server(own_mosquitto: Mosquitto) -> Iterator[ChirpStackPeer]:
    with closing(ChirpStackPeer(own_mosquitto.host, own_mosquitto.port)) as peer:
        yield peer


@pytest.fixture
def ear(own_mosquitto: Mosquitto) -> Iterator[Ear]:
    with closing(Ear(own_mosquitto)) as it:
        yield it


@pytest.fixture
def config(own_mosquitto: Mosquitto, tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(GATEWAY.format(host=own_mosquitto.host, port=own_mosquitto.port))
    return path


@contextmanager
def gateway(config: Path) -> Iterator[Program]:
    """The gateway as a process, up to the moment at which it hears its sensors."""
    with running(["edge", "--config", str(config), "--log-level", "debug"], config.parent) as program:
        program.says("connected link=network")
        yield program


def pass_by(server: ChirpStackPeer, numbers: range, begin: datetime) -> None:
    """Two sensors tell of one more person each in every report: one in its total, the other in its period only."""
    for number in numbers:
        at = begin + number * PERIOD
        total = parametric_pcr2.counts_v4(1, 0, number, 0, 0, 0, 20.0)
        period = parametric_pcr2.counts_elsys(1, 0, 20.0)
        server.publish(uplink(COUNTER, counter=number, port=14, payload=total, at=at))
        server.publish(uplink(ADDER, counter=number, port=14, payload=period, at=at))


def park(server: ChirpStackPeer, number: int, at: datetime, *, occupied: bool = True) -> None:
    payload = bosch_tps110.parking_status(occupied)
    server.publish_and_wait(uplink(BAY, counter=number, port=1, payload=payload, at=at))


def counted(store: Store, device: EndDevice) -> int:
    channels = [channel for channel in store.channels() if channel.device == device.dev_eui]
    return sum(hour.in_ for hour in store.hours(channels, EARLIEST, LATEST))


def until_counted(store: Store, device: EndDevice, least: int) -> None:
    until(lambda: counted(store, device) >= least, PATIENCE_S)


def test_a_wrong_configuration_ends_it_with_the_file_the_line_and_the_field(config: Path) -> None:
    config.write_text(config.read_text().replace('kind = "chirpstack"', 'kind = "chirpstack"\nprot = 1883'))
    with running(["edge", "--config", str(config)], config.parent) as program:
        assert program.status(PATIENCE_S) == 2
        line = config.read_text().splitlines().index("prot = 1883") + 1
        assert f"{config}, line {line}, link[0].prot" in program.words
        assert "Traceback" not in program.words


def test_told_to_end_it_says_goodbye_within_five_seconds(config: Path, ear: Ear) -> None:
    with gateway(config) as program:
        until(lambda: ear.has_heard(Status))
        program.tell(signal.SIGTERM)
        assert program.status(5) == 0
    farewell = ear.next(Status)
    while isinstance(farewell, Status) and farewell.online:
        farewell = ear.next(Status)
    assert "Traceback" not in program.words


@pytest.fixture
def black_hole() -> Iterator[socket.socket]:
    """Lets everybody in and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        yield listener


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_told_to_end_it_ends_within_five_seconds_while_brokers_never_answer(
    config: Path, tmp_path: Path, black_hole: socket.socket, secure: bool
) -> None:
    trust = f'\nca_file = "{Authority(tmp_path, "town").file}"' if secure else ""
    config.write_text(GATEWAY.format(host="127.0.0.1", port=f"{black_hole.getsockname()[1]}{trust}"))
    with running(["edge", "--config", str(config)], tmp_path) as program:
        program.says("gateway runs")
        callers = [black_hole.accept()[0] for _ in ("publisher", "link")]
        program.tell(signal.SIGTERM)
        assert program.status(5) == 0
    assert "Traceback" not in program.words
    for caller in callers:
        caller.close()


def test_told_to_end_it_ends_within_five_seconds_on_a_line_that_swallows_everything(
    config: Path, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async def scenario() -> None:
        line = Proxy(own_mosquitto.port)
        text = GATEWAY.format(host="127.0.0.1", port=await line.open())
        await asyncio.to_thread(config.write_text, text)
        with running(["edge", "--config", str(config)], tmp_path) as program:
            for connected in ("connected to the broker", "connected link=network"):
                await asyncio.to_thread(program.says, connected)
            line.swallow()
            program.tell(signal.SIGTERM)
            assert await asyncio.to_thread(program.status, 5) == 0
            assert "Traceback" not in program.words
        await line.close()

    asyncio.run(scenario())


def test_a_second_gateway_on_the_same_data_folder_ends_in_one_line(config: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with gateway(config) as first:
        with running(["edge", "--config", str(config)], elsewhere) as second:
            assert second.status(PATIENCE_S) == 1
            assert "another gateway runs on this data folder" in second.words
            assert str(config.parent / "data") in second.words
            assert len(second.words.splitlines()) == 1, second.words
        first.tell(signal.SIGTERM)
        assert first.status(PATIENCE_S) == 0
    with gateway(config):
        pass


def test_a_file_with_a_mistake_leaves_the_last_good_configuration_in_force(
    config: Path, server: ChirpStackPeer, ear: Ear
) -> None:
    config.write_text(config.read_text() + ONE_MORE)
    with gateway(config) as program:
        config.write_text(config.read_text().replace("bosch-tps110", "bosch-tps911"))
        program.tell(signal.SIGHUP)
        header = config.read_text().splitlines().index('model = "bosch-tps911"') - 1
        program.says(rf"the last good one stays: {config}, line {header}, device\[2\] .*bosch-tps911")

        park(server, 1, datetime.now(UTC))
        space = ear.next(Space)
    assert isinstance(space, Space)
    assert space.states[0].device == BAY.dev_eui


def test_a_device_is_added_without_a_restart(config: Path, server: ChirpStackPeer, ear: Ear) -> None:
    with gateway(config) as program:
        config.write_text(config.read_text() + ONE_MORE)
        program.tell(signal.SIGHUP)
        program.says("configuration applied")

        park(server, 1, datetime.now(UTC))
        space = ear.next(Space)
    assert isinstance(space, Space)
    assert space.states[0].occupied
    assert program.words.count("connected link=network") == 1


@pytest.mark.slow
def test_killed_in_the_middle_of_traffic_it_loses_nothing_and_counts_nothing_twice(
    config: Path, own_mosquitto: Mosquitto, server: ChirpStackPeer, tmp_path: Path
) -> None:
    begin = datetime.now(UTC) - timedelta(days=4)
    with closing(SqliteStore(tmp_path / "history.db")) as store, serving(town_api(own_mosquitto, store, tmp_path)):
        for first in (1, 101, 201):
            with gateway(config):
                pass_by(server, range(first, first + 50), begin)
                until_counted(store, ADDER, first + 1)
                pass_by(server, range(first + 50, first + 100), begin)
        with gateway(config):
            pass_by(
                server, range(301, 302), begin
            )  # mosquitto may hold a resumed session back until something new comes
            until_counted(store, ADDER, 301)
            until_counted(store, COUNTER, 301)
        assert (counted(store, ADDER), counted(store, COUNTER)) == (301, 301)


def test_what_the_cloud_desires_is_applied_and_reported_and_what_cannot_be_is_refused(
    config: Path, server: ChirpStackPeer, ear: Ear
) -> None:
    wanted = (
        DeviceSettings(address=BAY.dev_eui, model="bosch-tps110"),
        DeviceSettings(address=COUNTER.dev_eui, model="bosch-tps911"),
    )
    ear.desire(Desired(gateway="mairie", epoch="0" * 16, revision=7, devices=wanted))
    with gateway(config):
        reported = ear.next(Reported)
        while isinstance(reported, Reported) and reported.revision != 7:
            reported = ear.next(Reported)
        park(server, 1, datetime.now(UTC))
        space = ear.next(Space)

    assert isinstance(reported, Reported)
    assert reported.devices == (BAY.dev_eui,)
    assert [(each.where, "bosch-tps911" in each.reason) for each in reported.refused] == [(COUNTER.dev_eui, True)]
    assert isinstance(space, Space)


def test_before_the_clock_is_trusted_nothing_is_published_and_afterwards_all(
    config: Path, server: ChirpStackPeer, ear: Ear
) -> None:
    clock = ManualClock(datetime(2026, 11, 22, 10, tzinfo=UTC), trusted=False)
    it = Gateway(parse(config.read_text() + ONE_MORE, config), clock)

    async def scenario() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(it.run())
            async with asyncio.timeout(PATIENCE_S):
                await it.listening()
            document = uplink(BAY, counter=1, port=1, payload=b"\x01", at=datetime(2026, 11, 22, 9, tzinfo=UTC))
            undated = document.body.replace(b'"time"', b'"was"')
            server.publish_and_wait(type(document)(document.topic, undated))
            await until_so(lambda: it.status().counters.get("waited_for_time") == 1, "an arrival that waits")
            assert it.status().queued == 0
            assert not ear.has_heard(Space)
            clock.trusted = True
            await until_so(lambda: ear.has_heard(Space), "the arrival, dated")
            it.stop()

    asyncio.run(scenario())
