"""The Things Stack link on a real mosquitto: in MQTT 3.1.1, nothing counted that was made up, nothing stuck."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

import msgspec
import pytest
from msgspec import structs
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.drivers.links.base import LinkError, Refused, Report
from edge.drivers.links.things_stack import ThingsStackLink, TtsConfig
from edge.readings import Health
from firmware_sim.links.mqtt_server import Document
from firmware_sim.links.things_stack import EndDevice, ThingsStackPeer, downlink_queued, join, uplink
from tests.arrivals import Collected, Ticks, running
from tests.broker import Credentials, Mosquitto, running_mosquitto

AT = datetime(2026, 11, 22, 10, 10, tzinfo=UTC)
DEVICE = EndDevice(device_id="bay-7", dev_eui="0004A30B001C0530")
CLIENT = "gateway-a"
NEIGHBOUR = EndDevice(device_id="bay-8", dev_eui=None)


def _config(broker: Mosquitto) -> TtsConfig:
    return TtsConfig(name="network", host=broker.host, port=broker.port, client_id=CLIENT)


def _link(broker: Mosquitto) -> ThingsStackLink:
    return ThingsStackLink(_config(broker), Ticks())


@contextmanager
def _server(broker: Mosquitto, qos: int = 1) -> Iterator[ThingsStackPeer]:
    who = broker.credentials
    username, password = (None, None) if who is None else (who.username, who.password)
    peer = ThingsStackPeer(broker.host, broker.port, username=username, password=password, qos=qos)
    try:
        yield peer
    finally:
        peer.close()


def _up(counter: int, device: EndDevice = DEVICE) -> Document:
    return uplink(device, counter=counter, port=1, payload=b"\x01", at=AT)


def _counters(collected: Collected) -> list[int | None]:
    return [frame.counter for frame in collected.frames]


def _leave_a_session(broker: Mosquitto) -> None:
    """What an earlier run of the gateway left at a broker that keeps sessions."""
    subscribed: SimpleQueue[int] = SimpleQueue()
    client = Client(CallbackAPIVersion.VERSION2, CLIENT, clean_session=False, protocol=MQTTProtocolVersion.MQTTv311)
    client.on_subscribe = lambda _client, _userdata, mid, _reasons, _properties: subscribed.put(mid)
    client.on_connect = lambda client, *_: client.subscribe("v3/+/devices/+/#", qos=1)
    if broker.credentials is not None:
        client.username_pw_set(broker.credentials.username, broker.credentials.password)
    client.connect(broker.host, broker.port)
    client.loop_start()
    subscribed.get(timeout=10)
    client.disconnect()
    client.loop_stop()


def test_uplinks_and_joins_arrive_in_order_with_the_networks_time(own_mosquitto: Mosquitto) -> None:
    _leave_a_session(own_mosquitto)

    async def scenario() -> None:
        with _server(own_mosquitto) as server:
            async with running(_link(own_mosquitto)) as collected:
                for document in (_up(1), join(DEVICE, AT), downlink_queued(DEVICE, AT), _up(2, NEIGHBOUR)):
                    server.publish(document)
                await collected.until(lambda seen: _counters(seen) == [1, 2])
                assert [frame.device for frame in collected.frames] == ["0004a30b001c0530", "street/bay-8"]
                assert collected.frames[0].network_time == AT
                assert [report.network_time for report in collected.of(Report)] == [AT]
                assert collected.health == [Health(reset="rejoin")]
                assert collected.refused == []

    asyncio.run(scenario())


def test_at_qos_0_a_link_that_says_it_is_open_hears_what_comes(own_mosquitto: Mosquitto) -> None:
    async def scenario() -> None:
        link = _link(own_mosquitto)
        with _server(own_mosquitto, qos=0) as server:
            async with running(link) as collected, asyncio.timeout(10):
                await link.opened.wait()
                server.publish(_up(1))
                await collected.until(lambda seen: _counters(seen) == [1])

    asyncio.run(scenario())
    assert f"as {CLIENT} (p2, c0" in own_mosquitto.log, "MQTT 3.1.1, with a session that is kept"


def test_made_up_and_broken_documents_are_refused_by_name_and_hold_nothing_up(own_mosquitto: Mosquitto) -> None:
    _leave_a_session(own_mosquitto)
    topic = _up(1).topic
    simulated = uplink(DEVICE, counter=1, port=1, payload=b"\x01", at=AT, simulated=True)
    broken = [
        Document(topic, b"no json"),
        Document(topic, b"{}"),
        Document(topic.replace("bay-7", "bay-9"), _up(1).body),
        Document(topic, b'{"end_device_ids": {"device_id": "bay-7", "dev_eui": "0004A30B001C0530"}}'),
    ]

    async def scenario() -> None:
        with _server(own_mosquitto) as server:
            async with running(_link(own_mosquitto)) as collected:
                for document in (simulated, *broken, _up(5)):
                    server.publish(document)
                await collected.until(lambda seen: _counters(seen) == [5])
                names = ["simulated", "not-json", "no-device-ids", "wrong-device-id", "no-uplink-message"]
                assert collected.refused == names
                assert collected.of(Refused)[0].device == "0004a30b001c0530"

    asyncio.run(scenario())


def test_a_broken_document_that_was_settled_does_not_come_again_and_what_was_not_does(
    own_mosquitto: Mosquitto,
) -> None:
    _leave_a_session(own_mosquitto)

    async def scenario() -> None:
        with _server(own_mosquitto) as bridge:
            for document in (_up(1), Document(_up(1).topic, b"no json"), _up(2), _up(3)):
                bridge.publish_and_wait(document)
            link = _link(own_mosquitto)
            async with running(link) as first:
                await link.opened.wait()  # closing with a SUBACK unread resets the connection, and loses PUBACKs
                await first.until(lambda seen: _counters(seen) == [1, 2, 3])
                assert first.refused == ["not-json"]
                for arrival in first.arrivals[:-1]:
                    arrival.acknowledge()
            async with running(_link(own_mosquitto)) as second:
                bridge.publish(_up(4))
                await second.until(lambda seen: _counters(seen) == [3, 4])
                assert second.refused == []

    asyncio.run(scenario())


def test_a_broker_that_dies_is_a_link_error_and_is_found_again(own_mosquitto: Mosquitto) -> None:
    async def scenario() -> None:
        _leave_a_session(own_mosquitto)
        with _server(own_mosquitto) as server:
            server.publish_and_wait(_up(1))
            async with running(_link(own_mosquitto)) as collected:
                await collected.until(lambda seen: bool(seen.frames))
                own_mosquitto.kill()
                with pytest.raises(LinkError, match="network: connection lost"):
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


def test_an_api_key_lets_in_and_a_wrong_one_is_refused_by_name(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("key of the test\n")
    wrong.write_text("guess\n")
    folder = tmp_path / "broker"
    folder.mkdir()

    async def counters(broker: Mosquitto, password_file: Path) -> list[int | None]:
        config = structs.replace(_config(broker), username="street@town", password_file=password_file)
        async with running(ThingsStackLink(config, Ticks())) as collected:
            await collected.until(lambda seen: bool(seen.frames))
            return _counters(collected)

    with running_mosquitto(folder, credentials=Credentials("street@town", right.read_text().strip())) as broker:
        _leave_a_session(broker)
        with _server(broker) as server:
            server.publish_and_wait(_up(1))
        assert asyncio.run(counters(broker, right)) == [1]
        with pytest.raises(LinkError, match="the broker refused us: Not authorized; check username"):
            asyncio.run(counters(broker, wrong))


def test_a_section_needs_little_and_tolerates_no_misspelling() -> None:
    section = {"kind": "things-stack", "name": "n", "host": "eu1.cloud.thethings.network", "client_id": "c"}
    config = msgspec.convert(section, TtsConfig)
    assert (config.port, config.topic, config.broker.protocol) == (
        1883,
        "v3/+/devices/+/#",
        MQTTProtocolVersion.MQTTv311,
    )
    with pytest.raises(msgspec.ValidationError, match="unknown field `user`"):
        msgspec.convert({**section, "user": "x"}, TtsConfig)
