"""What a gateway that cannot send for long lets go of, and that it says so."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.entries import Waiting
from edge.messages import DeviceHealth, Epoch, Flow, FlowInterval, HealthReport
from edge.outbox import Outbox
from tests.broker import Mosquitto
from tests.clocks import ManualClock
from tests.gateways import NAME, gateway_at, running
from tests.log_lines import Log, logged

EPOCH = Epoch("0" * 16)
START = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def log() -> Iterator[Log]:
    with logged("edge") as lines:
        yield lines


def flow(number: int) -> Flow:
    start = START + number * timedelta(minutes=5)
    part = FlowInterval(device="d1", channel="line1", start=start, seconds=300, in_=3, out=1, covered_s=300)
    return Flow(gateway=NAME, epoch=EPOCH, intervals=(part,))


def test_too_many_observations_that_wait_for_the_time_are_told_once_and_the_others_dated_a_few_at_a_time(
    tmp_path: Path, own_mosquitto: Mosquitto, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.outbox.MOST_WAITING", 10)
    monkeypatch.setattr("edge.gateway.RELEASED_AT_ONCE", 4)
    with closing(Outbox(tmp_path / "outbox.db", NAME)) as outbox:
        outbox.commit({}, [], waiting=[Waiting("test", number, "d", b"") for number in range(13)])

    async def scenario() -> None:
        clock = ManualClock(START, trusted=False)
        gateway = gateway_at(tmp_path, own_mosquitto, clock)
        async with running(gateway):
            await log.says("too many observations wait for the time: the oldest are dropped, 3 so far")
            assert gateway.status().counters["waiting_dropped"] == 3
            clock.trusted = True
            await log.says("the clock is trusted, 0 s after the start; 10 observations that waited are dated")

    asyncio.run(scenario())
    assert len(log.with_beginning("too many observations")) == 1
    with closing(Outbox(tmp_path / "outbox.db", NAME)) as outbox:
        assert outbox.count_waiting() == 0


def test_all_that_waited_is_dated_as_soon_as_the_time_is_known(
    tmp_path: Path, own_mosquitto: Mosquitto, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.gateway.RELEASED_AT_ONCE", 4)
    monkeypatch.setattr("edge.gateway.TICK_S", 3_600)
    with closing(Outbox(tmp_path / "outbox.db", NAME)) as outbox:
        outbox.commit({}, [], waiting=[Waiting("test", number, "d", b"") for number in range(10)])

    async def scenario() -> None:
        async with running(gateway_at(tmp_path, own_mosquitto, ManualClock(START))):
            await log.says("the clock is trusted, 0 s after the start; 10 observations that waited are dated")

    asyncio.run(scenario())


def test_what_waited_for_a_month_is_thinned_and_told_in_one_line_and_in_the_status(
    tmp_path: Path, own_mosquitto: Mosquitto, log: Log
) -> None:
    health = HealthReport(
        gateway=NAME, epoch=EPOCH, health=DeviceHealth(device="d1", model="m", at=START, period_s=600)
    )
    with closing(Outbox(tmp_path / "outbox.db", NAME)) as outbox:
        outbox.commit({}, [health, *(flow(number) for number in range(12))])
        for day in range(1, 31):
            outbox.begin_day(START.date() - timedelta(days=31 - day))

    async def scenario() -> None:
        own_mosquitto.stop()
        gateway = gateway_at(tmp_path, own_mosquitto, ManualClock(START))
        async with running(gateway):
            line = "reports of health dropped: 1, messages with counts merged into hours: 12"
            await log.says(f"the outbox had reached its limit: {line}")
            counters = gateway.status().counters
            assert (counters["trimmed_health"], counters["trimmed_merged"]) == (1, 12)
            assert gateway.status().queued == 3

    asyncio.run(scenario())
