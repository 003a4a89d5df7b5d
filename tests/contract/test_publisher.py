"""The publisher's promise: in order, again until stored, and never forgotten before."""

import asyncio
import queue
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge import messages, publisher
from edge.allowance import FIRST
from edge.entries import Entry
from edge.messages import (
    AnyMessage,
    Command,
    Epoch,
    Flow,
    FlowInterval,
    GatewayName,
    SeqRange,
    Status,
    Stored,
    encode,
    topic_of,
)
from edge.outbox import Outbox
from edge.publisher import BrokerConfig, Publisher
from tests.broker import Mosquitto, running_mosquitto
from tests.certificates import Authority
from tests.log_lines import logged
from tests.town import until

PATIENCE_S = 20
NAME = GatewayName("mairie")
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def flow(count: int) -> Flow:
    interval = FlowInterval(device="d", channel="line1", start=NOW, seconds=300, in_=count, covered_s=300)
    return Flow(gateway=NAME, epoch=Epoch("0" * 16), intervals=(interval,))


class Cloud:
    """A subscriber that answers `stored` when told to."""

    def __init__(self, broker: Mosquitto, ca_file: Path | None = None) -> None:
        self.heard: queue.Queue[AnyMessage] = queue.Queue()
        self._subscribed = queue.Queue[None]()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = lambda _client, _data, message: self.heard.put(
            messages.decode(message.topic, bytes(message.payload))
        )
        self._client.on_subscribe = lambda *_: self._subscribed.put(None)
        if ca_file is not None:
            self._client.tls_set(str(ca_file))
        self._client.connect(broker.host, broker.port)
        self._client.subscribe([(messages.topic("+", "flow"), 1), (messages.topic("+", "status"), 1)])
        self._client.loop_start()
        self._subscribed.get(timeout=PATIENCE_S)

    async def hear(self) -> AnyMessage:
        return await asyncio.to_thread(self.heard.get, timeout=PATIENCE_S)

    async def hear_flow(self) -> Flow:
        while not isinstance(message := await self.hear(), Flow):
            pass
        return message

    async def hear_and_store(self) -> Flow:
        message = await self.hear_flow()
        self.store(message)
        return message

    def say(self, message: AnyMessage) -> None:
        self._client.publish(topic_of(message), encode(message), qos=1)

    def store(self, message: AnyMessage) -> None:
        answer = Stored(gateway=NAME, epoch=message.epoch, ranges=(SeqRange(message.seq, message.seq),))
        self.say(answer)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.db", NAME)


@asynccontextmanager
async def publishing(
    outbox: Outbox,
    broker: Mosquitto,
    hear: Callable[[AnyMessage], None] = lambda _: None,
    *,
    ca_file: Path | None = None,
) -> AsyncIterator[Publisher]:
    running = Publisher(
        lambda: BrokerConfig(host=broker.host, port=broker.port, ca_file=ca_file),
        outbox,
        on_connected=lambda: [Status(gateway=NAME, epoch=outbox.epoch, online=True)],
        on_message=hear,
    )
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_empty(outbox: Outbox, running: Publisher) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await running.drained()
    assert len(outbox) == 0


def test_everything_comes_in_order_and_is_forgotten_when_stored(outbox: Outbox, own_mosquitto: Mosquitto) -> None:
    async def scenario() -> None:
        cloud = Cloud(own_mosquitto)
        outbox.commit({}, [flow(number) for number in range(1, 201)])
        async with publishing(outbox, own_mosquitto) as running:
            first = [await cloud.hear_flow() for _ in range(FIRST)]
            assert len(outbox) == 200, "a PUBACK proves nothing"
            for message in first:
                cloud.store(message)
            rest = [await cloud.hear_and_store() for _ in range(200 - FIRST)]
            assert [message.seq for message in [*first, *rest]] == list(range(1, 201))
            await until_empty(outbox, running)
        cloud.close()

    asyncio.run(scenario())


def test_over_tls_everything_comes_in_order_and_is_forgotten_when_stored(outbox: Outbox, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "city")
    certificate, key = authority.sign()

    async def scenario(broker: Mosquitto) -> None:
        cloud = Cloud(broker, authority.file)
        outbox.commit({}, [flow(number) for number in range(1, 301)])
        async with publishing(outbox, broker, ca_file=authority.file) as running:
            for number in range(1, 301):
                message = await cloud.hear_flow()
                assert message.seq == number
                cloud.store(message)
            await until_empty(outbox, running)
        cloud.close()

    with running_mosquitto(tmp_path, settings=f"certfile {certificate}\nkeyfile {key}") as broker:
        asyncio.run(scenario(broker))


def test_what_is_not_stored_in_time_is_sent_again(
    outbox: Outbox, own_mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "PATIENCE_S", 0.1)
    monkeypatch.setattr(publisher, "TIDY_EVERY_S", 0.05)

    async def scenario() -> None:
        cloud = Cloud(own_mosquitto)
        outbox.commit({}, [flow(7)])
        async with publishing(outbox, own_mosquitto) as running:
            first, again = await cloud.hear_flow(), await cloud.hear_flow()
            assert first == again
            assert running.counters["resent"] >= 1
            cloud.store(again)
            await until_empty(outbox, running)
        cloud.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("least_s", [1e-6, 30.0])
def test_the_cloud_is_given_twice_as_long_as_it_took_or_the_least_that_it_is_ever_given(
    outbox: Outbox, own_mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch, least_s: float
) -> None:
    monkeypatch.setattr(publisher, "PATIENCE_S", least_s)

    async def scenario() -> None:
        cloud = Cloud(own_mosquitto)
        outbox.commit({}, [flow(1)])
        async with publishing(outbox, own_mosquitto) as running:
            sent_s = asyncio.get_running_loop().time()
            running._patience_s = publisher.LONGEST_PATIENCE_S
            cloud.store(await cloud.hear_flow())
            await until_empty(outbox, running)
            took_s = asyncio.get_running_loop().time() - sent_s
            assert least_s <= running._patience_s <= max(least_s, 2 * took_s)
        cloud.close()

    asyncio.run(scenario())


def test_what_was_sent_again_is_no_proof_of_a_quick_cloud(
    outbox: Outbox, own_mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "PATIENCE_S", 1.0)
    monkeypatch.setattr(publisher, "TIDY_EVERY_S", 0.05)

    async def scenario() -> None:
        cloud = Cloud(own_mosquitto)
        outbox.commit({}, [flow(7)])
        async with publishing(outbox, own_mosquitto) as running:
            first, again = await cloud.hear_flow(), await cloud.hear_flow()
            assert first == again
            cloud.store(first)
            await until_empty(outbox, running)
            assert running._patience_s >= 2 * publisher.PATIENCE_S
        cloud.close()

    asyncio.run(scenario())


def test_sending_again_begins_at_the_oldest_even_while_the_disk_is_slow(
    tmp_path: Path, own_mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "PATIENCE_S", 0.1)
    monkeypatch.setattr(publisher, "TIDY_EVERY_S", 0.05)
    monkeypatch.setattr(publisher, "PREFETCH", 10)
    sent_again = Event()

    class SlowOutbox(Outbox):
        def after(self, seq: int, limit: int) -> list[Entry]:
            entries = super().after(seq, limit)
            if seq == 10:
                assert sent_again.wait(PATIENCE_S)
            return entries

    async def scenario() -> None:
        cloud, outbox = Cloud(own_mosquitto), SlowOutbox(tmp_path / "slow.db", NAME)
        outbox.commit({}, [flow(number) for number in range(1, 21)])
        async with publishing(outbox, own_mosquitto) as running:
            heard = [(await cloud.hear_flow()).seq for _ in range(10)]
            await asyncio.to_thread(until, lambda: running.counters["resent"] > 0, PATIENCE_S)
            sent_again.set()
            assert [*heard, (await cloud.hear_flow()).seq] == [*range(1, 11), 1]
        cloud.close()

    asyncio.run(scenario())


def test_a_broker_that_is_killed_costs_nothing(outbox: Outbox, own_mosquitto: Mosquitto) -> None:
    async def scenario() -> None:
        outbox.commit({}, [flow(number) for number in range(1, 21)])
        async with publishing(outbox, own_mosquitto) as running:
            await asyncio.to_thread(until, lambda: running.counters["no_subscriber"] >= 20, PATIENCE_S)
            await asyncio.to_thread(own_mosquitto.kill)
            assert len(outbox) == 20
            await asyncio.to_thread(own_mosquitto.start)
            cloud = Cloud(own_mosquitto)
            outbox.commit({}, [flow(21)])
            running.wake()
            for number in range(1, 22):
                message = await cloud.hear_flow()
                assert message.seq == number
                cloud.store(message)
            await until_empty(outbox, running)
            cloud.close()

    asyncio.run(scenario())


def test_an_answer_for_another_epoch_forgets_nothing(outbox: Outbox, own_mosquitto: Mosquitto) -> None:
    async def scenario() -> None:
        cloud = Cloud(own_mosquitto)
        told: asyncio.Queue[AnyMessage] = asyncio.Queue()
        outbox.commit({}, [flow(1)])
        async with publishing(outbox, own_mosquitto, told.put_nowait):
            await cloud.hear_flow()
            cloud.say(Stored(gateway=NAME, epoch=Epoch("f" * 16), ranges=(SeqRange(1, 1),)))
            cloud.say(Command(gateway=NAME, epoch=outbox.epoch, id="c1", action="capture", target="d"))
            async with asyncio.timeout(PATIENCE_S):
                assert isinstance(await told.get(), Command)
        assert len(outbox) == 1
        cloud.close()

    asyncio.run(scenario())


def test_it_says_hello_and_goodbye(outbox: Outbox, own_mosquitto: Mosquitto) -> None:
    async def scenario() -> None:
        cloud = Cloud(own_mosquitto)
        async with publishing(outbox, own_mosquitto):
            hello = await cloud.hear()
        goodbye = await cloud.hear()
        assert isinstance(hello, Status)
        assert isinstance(goodbye, Status)
        assert (hello.online, goodbye.online) == (True, False)
        cloud.close()

    asyncio.run(scenario())


def test_a_broker_that_is_away_at_the_start_is_told_and_so_is_its_return(
    outbox: Outbox, own_mosquitto: Mosquitto
) -> None:
    own_mosquitto.kill()

    async def scenario() -> None:
        with logged("edge") as log:
            async with publishing(outbox, own_mosquitto):
                await log.says("the broker is away reason='it cannot be reached: ")
                await asyncio.to_thread(own_mosquitto.start)
                await log.says(f"connected to the broker host={own_mosquitto.host} port={own_mosquitto.port} after")

    asyncio.run(scenario())


def test_a_queue_that_is_drained_says_so_in_one_line(outbox: Outbox, own_mosquitto: Mosquitto) -> None:
    async def scenario() -> None:
        cloud = Cloud(own_mosquitto)
        outbox.commit({}, [flow(number) for number in range(1, 21)])
        with logged("edge") as log:
            async with publishing(outbox, own_mosquitto):
                for _ in range(20):
                    cloud.store(await cloud.hear_flow())
                await log.says("the queue is drained: 20 messages stored within")
        assert len(log.with_beginning("the queue is drained")) == 1
        cloud.close()

    asyncio.run(scenario())


def test_publishes_that_meet_nobody_are_one_line_and_not_a_thousand(outbox: Outbox, own_mosquitto: Mosquitto) -> None:
    async def scenario() -> None:
        outbox.commit({}, [flow(number) for number in range(1, FIRST + 1)])
        with logged("edge") as log:
            async with publishing(outbox, own_mosquitto) as running:
                await asyncio.to_thread(until, lambda: running.counters["no_subscriber"] == FIRST, PATIENCE_S)
        assert log.with_beginning("nobody listens") == [
            "nobody listens to what is published (1 messages); the outbox keeps everything"
        ]

    asyncio.run(scenario())


def test_publishes_that_the_rules_refuse_are_one_line_and_not_a_thousand(outbox: Outbox, tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text(f"topic deny {messages.topic('+', 'flow')}\ntopic readwrite #\n")
    acl.chmod(0o600)

    async def scenario(broker: Mosquitto) -> None:
        outbox.commit({}, [flow(number) for number in range(1, FIRST + 1)])
        with logged("edge") as log:
            async with publishing(outbox, broker) as running:
                await asyncio.to_thread(until, lambda: running.counters["publish_refused"] == FIRST, PATIENCE_S)
        (line,) = log.with_beginning("the broker refused")
        assert line.endswith("reason='Not authorized'; kept in the outbox: check its ACL")

    with running_mosquitto(tmp_path, settings=f"acl_file {acl}") as broker:
        asyncio.run(scenario(broker))
