"""What the gateway says in one line, for who reads its log at three in the morning."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.entries import Waiting
from edge.messages import Desired, DeviceSettings, Epoch, Flow, FlowInterval
from edge.outbox import Outbox
from edge.readings import DeviceAddress
from tests.broker import Mosquitto
from tests.clocks import ManualClock
from tests.gateways import NAME, gateway_at, running
from tests.log_lines import Log, logged

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
EPOCH = Epoch("0" * 16)
LIDAR = DeviceSettings(address=DeviceAddress("lidar-1"), model="benewake-tfmini-plus", options={"unit": "mm"})
PASSAGES = FlowInterval(device="d", channel="line1", start=START, seconds=300, in_=7, covered_s=300)


@pytest.fixture
def log() -> Iterator[Log]:
    with logged("edge") as lines:
        yield lines


def test_a_start_says_what_waits_and_how_the_last_life_ended(
    tmp_path: Path, own_mosquitto: Mosquitto, log: Log
) -> None:
    def found() -> str:
        return log.with_beginning("gateway runs")[-1].partition("; ")[2]

    async def scenario() -> None:
        async with running(gateway_at(tmp_path, own_mosquitto, ManualClock(START))):
            await log.says("gateway runs")
            assert found().endswith("last stopped: never, this is the first start")
        outbox = Outbox(tmp_path / "outbox.db", NAME)
        outbox.commit({}, [Flow(gateway=NAME, epoch=EPOCH, intervals=(PASSAGES,))], waiting=[Waiting("x", 0, "d", b"")])
        outbox.close()
        killed = gateway_at(tmp_path, own_mosquitto, ManualClock(START, trusted=False))
        life = asyncio.create_task(killed.run())
        await log.says("gateway runs", "connected to the broker")
        assert found() == ("found 1 messages queued, 1 observations waiting for the time; last stopped: in good order")
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        async with running(gateway_at(tmp_path, own_mosquitto, ManualClock(START))):
            await log.says("gateway runs")
            assert found().endswith("last stopped: uncleanly")

    asyncio.run(scenario())


def test_a_clock_that_is_trusted_at_last_says_after_how_long_and_what_is_dated(
    tmp_path: Path, own_mosquitto: Mosquitto, log: Log
) -> None:
    async def scenario() -> None:
        outbox = Outbox(tmp_path / "outbox.db", NAME)
        outbox.commit({}, [], waiting=[Waiting("test", second, "d", b"") for second in range(3)])
        outbox.close()
        clock = ManualClock(START, trusted=False)
        async with running(gateway_at(tmp_path, own_mosquitto, clock)):
            await log.says("gateway runs")
            clock.advance(34)
            clock.trusted = True
            await log.says("the clock is trusted, 34 s after the start; 3 observations that waited are dated")

    asyncio.run(scenario())


def test_a_clock_of_its_own_is_no_news(tmp_path: Path, own_mosquitto: Mosquitto, log: Log) -> None:
    async def scenario() -> None:
        async with running(gateway_at(tmp_path, own_mosquitto, ManualClock(START))):
            await log.says("gateway runs", "connected to the broker")

    asyncio.run(scenario())
    assert not log.with_beginning("the clock is trusted")


def test_devices_of_the_cloud_are_said_to_be_applied_once_and_not_at_every_connection(
    tmp_path: Path, own_mosquitto: Mosquitto, log: Log
) -> None:
    async def scenario() -> None:
        gateway = gateway_at(tmp_path, own_mosquitto, ManualClock(START))
        unknown = DeviceSettings(address=DeviceAddress("x"), model="nobody-makes-it")
        async with running(gateway):
            for _ in range(3):
                gateway._receive(Desired(gateway=NAME, epoch=EPOCH, revision=7, devices=(LIDAR, unknown)))
            await log.says("configuration applied")

    asyncio.run(scenario())
    assert log.with_beginning("configuration applied") == ["configuration applied revision=7 devices=1 refused=1"]
