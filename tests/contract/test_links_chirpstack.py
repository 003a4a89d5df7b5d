"""The ChirpStack link on a real mosquitto: nothing acknowledged before it is durable, nothing lost on the way."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import pytest
from msgspec import structs
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.drivers.links.base import Arrival, LinkError, Report
from edge.drivers.links.chirpstack import ChirpStackConfig, ChirpStackLink
from edge.drivers.links.mqtt_source import WINDOW
from firmware_sim.links.chirpstack import ChirpStackPeer, EndDevice, join, uplink
from firmware_sim.links.mqtt_server import Document
from tests.arrivals import Collected, Ticks, running
from tests.broker import Credentials, Mosquitto, running_mosquitto

AT = datetime(2026, 11, 22, 10, 10, tzinfo=UTC)
DEVICE = EndDevice("0101010101010101")
CLIENT = "gateway-a"
TOPIC = "application/+/device/+/event/+"


def _config(broker: Mosquitto) -> ChirpStackConfig:
    return ChirpStackConfig(name="server", host=broker.host, port=broker.port, client_id=CLIENT)


def _link(broker: Mosquitto) -> ChirpStackLink:
    return ChirpStackLink(_config(broker), Ticks())


@contextmanager
def _server(broker: Mosquitto, qos: int = 1) -> Iterator[ChirpStackPeer]:
    who = broker.credentials
    username, password = (None, None) if who is None else (who.username, who.password)
    peer = ChirpStackPeer(broker.host, broker.port, username=username, password=password, qos=qos)
    try:
        yield peer
    finally:
        peer.close()


def _leave_a_session(broker: Mosquitto) -> None:
    """What an earlier run of the gateway left at the broker: from now on it keeps messages for it."""
    subscribed: SimpleQueue[int] = SimpleQueue()
    client = Client(CallbackAPIVersion.VERSION2, CLIENT, protocol=MQTTProtocolVersion.MQTTv5)
    if broker.credentials is not None:
        client.username_pw_set(broker.credentials.username, broker.credentials.password)
    client.on_subscribe = lambda _client, _userdata, mid, _reasons, _properties: subscribed.put(mid)
    client.on_connect = lambda client, *_: client.subscribe(TOPIC, qos=1)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    client.connect(broker.host, broker.port, clean_start=False, properties=properties)
    client.loop_start()
    subscribed.get(timeout=10)
    client.disconnect()
    client.loop_stop()


def _up(counter: int) -> Document:
    return uplink(DEVICE, counter=counter, port=1, payload=b"\x01", at=AT)


def _counters(collected: Collected) -> list[int | None]:
    return [frame.counter for frame in collected.frames]


def _more_than(count: int, collected: Collected) -> bool:
    return len(collected.arrivals) > count


def test_uplinks_and_joins_arrive_in_order_also_those_that_came_while_we_were_away(own_mosquitto: Mosquitto) -> None:
    _leave_a_session(own_mosquitto)

    async def scenario() -> None:
        with _server(own_mosquitto) as server:
            server.publish_and_wait(_up(1))
            async with running(_link(own_mosquitto)) as collected:
                server.publish(_up(2))
                server.publish(join(DEVICE, AT))
                await collected.until(lambda seen: len(seen.arrivals) == 3)
                assert _counters(collected) == [1, 2]
                assert collected.frames[0].network_time == AT
                assert [report.network_time for report in collected.of(Report)] == [AT]

    asyncio.run(scenario())


def test_what_was_not_acknowledged_comes_again_after_a_reconnect_and_what_was_does_not(
    own_mosquitto: Mosquitto,
) -> None:
    _leave_a_session(own_mosquitto)

    async def scenario() -> None:
        with _server(own_mosquitto) as server:
            for counter in range(4):
                server.publish_and_wait(_up(counter))
            link, relinked = _link(own_mosquitto), _link(own_mosquitto)
            async with running(link) as collected:
                await link.opened.wait()  # closing with a SUBACK unread resets the connection, and loses PUBACKs
                await collected.until(lambda seen: len(seen.frames) == 4)
                collected.arrivals[0].acknowledge()
                collected.arrivals[2].acknowledge()
            collected.arrivals[1].acknowledge()
            async with running(relinked) as again:
                await relinked.opened.wait()
                server.publish(_up(9))
                await again.until(lambda seen: _counters(seen)[-1:] == [9])
                assert _counters(again) == [1, 3, 9]
                for arrival in again.arrivals:
                    arrival.acknowledge()
            async with running(_link(own_mosquitto)) as last:
                server.publish(_up(10))
                await last.until(lambda seen: bool(seen.frames))
                assert _counters(last) == [10]

    asyncio.run(scenario())


def test_the_broker_keeps_what_exceeds_the_window_until_we_acknowledge(own_mosquitto: Mosquitto) -> None:
    _leave_a_session(own_mosquitto)
    count = 3 * WINDOW

    async def scenario() -> None:
        with _server(own_mosquitto) as server:
            for counter in range(count - 1):
                server.publish(_up(counter))
            server.publish_and_wait(_up(count - 1))
            async with running(_link(own_mosquitto)) as collected:
                for settled in range(count):
                    await collected.until(partial(_more_than, settled))
                    assert len(collected.arrivals) - settled <= WINDOW
                    collected.arrivals[settled].acknowledge()
                assert _counters(collected) == list(range(count))

    asyncio.run(scenario())


def test_a_busy_gateway_slows_a_server_at_qos_0_down_and_loses_nothing(own_mosquitto: Mosquitto) -> None:
    _leave_a_session(own_mosquitto)
    count = 3 * WINDOW

    async def scenario() -> None:
        taken, gate = Collected(), asyncio.Event()

        async def busy(arrival: Arrival) -> None:
            await taken(arrival)
            await gate.wait()

        task = asyncio.create_task(_link(own_mosquitto).run(busy))
        with _server(own_mosquitto) as reliable, _server(own_mosquitto, qos=0) as server:
            reliable.publish(_up(0))
            await taken.until(lambda seen: len(seen.arrivals) == 1)
            for counter in range(1, count):
                await asyncio.to_thread(server.publish_and_wait, _up(counter))
            assert len(taken.arrivals) == 1
            gate.set()
            await taken.until(lambda seen: len(seen.arrivals) == count)
            assert _counters(taken) == list(range(count))
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(scenario())


def test_a_link_that_is_stopped_while_it_is_full_ends_at_once(own_mosquitto: Mosquitto) -> None:
    _leave_a_session(own_mosquitto)

    async def scenario() -> None:
        reached = asyncio.Event()

        async def stuck(_arrival: Arrival) -> None:
            reached.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(_link(own_mosquitto).run(stuck))
        with _server(own_mosquitto) as reliable, _server(own_mosquitto, qos=0) as server:
            reliable.publish(_up(0))
            await reached.wait()
            for counter in range(3 * WINDOW):
                await asyncio.to_thread(server.publish_and_wait, _up(counter))
            task.cancel()
            async with asyncio.timeout(10):
                await asyncio.wait([task])
            assert task.cancelled()

    asyncio.run(scenario())


def test_a_wrong_document_is_refused_and_one_that_is_not_ours_is_acknowledged_unseen(
    own_mosquitto: Mosquitto,
) -> None:
    _leave_a_session(own_mosquitto)
    topic = _up(0).topic

    async def scenario() -> None:
        with _server(own_mosquitto) as server:
            server.publish_and_wait(Document(topic.replace("/up", "/txack"), b"{}"))
            server.publish_and_wait(Document(topic, b"no json"))
            async with running(_link(own_mosquitto)) as collected:
                await collected.until(lambda seen: seen.refused == ["not-json"])
            async with running(_link(own_mosquitto)) as again:
                server.publish_and_wait(_up(1))
                await again.until(lambda seen: _counters(seen) == [1])
                assert again.refused == ["not-json"]

    asyncio.run(scenario())


def test_a_broker_that_dies_is_a_link_error_and_is_found_again(own_mosquitto: Mosquitto) -> None:
    _leave_a_session(own_mosquitto)

    async def scenario() -> None:
        with _server(own_mosquitto) as server:
            server.publish_and_wait(_up(1))
            async with running(_link(own_mosquitto)) as collected:
                await collected.until(lambda seen: bool(seen.frames))
                own_mosquitto.kill()
                with pytest.raises(LinkError, match=r"server: connection lost: .*check that the broker runs"):
                    await collected.link_ends()
        async with running(_link(own_mosquitto)) as absent:
            with pytest.raises(LinkError, match="Connection refused"):
                await absent.link_ends()
        own_mosquitto.start()
        _leave_a_session(own_mosquitto)
        with _server(own_mosquitto) as server:
            server.publish_and_wait(_up(2))
            async with running(_link(own_mosquitto)) as again:
                await again.until(lambda seen: _counters(seen) == [2])

    asyncio.run(scenario())


def test_a_broker_with_a_password_lets_in_who_has_it_and_nobody_else(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("secret of the test\n")
    wrong.write_text("guess\n")
    folder = tmp_path / "broker"
    folder.mkdir()

    async def counters(broker: Mosquitto, password_file: Path) -> list[int | None]:
        config = structs.replace(_config(broker), username="gateway", password_file=password_file)
        async with running(ChirpStackLink(config, Ticks())) as collected:
            await collected.until(lambda seen: bool(seen.frames))
            return _counters(collected)

    with running_mosquitto(folder, credentials=Credentials("gateway", right.read_text().strip())) as broker:
        _leave_a_session(broker)
        with _server(broker) as server:
            server.publish_and_wait(_up(1))
        assert asyncio.run(counters(broker, right)) == [1]
        with pytest.raises(LinkError, match="the broker refused us: Not authorized; check username"):
            asyncio.run(counters(broker, wrong))
        with pytest.raises(LinkError, match="No such file"):
            asyncio.run(counters(broker, tmp_path / "missing"))


def test_a_topic_that_is_no_filter_is_a_link_error(mosquitto: Mosquitto) -> None:
    config = structs.replace(_config(mosquitto), client_id="lost", topic="application/#/event/+")

    async def scenario() -> None:
        async with running(ChirpStackLink(config, Ticks())) as collected:
            with pytest.raises(LinkError, match="is no MQTT filter; correct it"):
                await collected.link_ends()

    asyncio.run(scenario())
