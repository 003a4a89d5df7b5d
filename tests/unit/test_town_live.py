"""The living town: everything is sent, nothing early, and a slow link holds up nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from firmware_sim.clock import ScaledClock
from firmware_sim.live import run_town
from firmware_sim.saint_aubin import saint_aubin
from firmware_sim.sensors import Span, Uplink, latest, uplinks
from firmware_sim.town import Link

TOWN = saint_aubin(3)
START = datetime(2026, 11, 20, 16, tzinfo=UTC)
SPEED = 3_600
CHIRPSTACK = frozenset({Link.CHIRPSTACK})


class JumpingClock:
    """Time that passes only by being waited for."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        self._now = max(self._now, moment)


def test_the_town_says_the_present_and_then_everything_at_its_time() -> None:
    clock, stop = JumpingClock(), asyncio.Event()
    heard: list[Uplink] = []

    async def hear(uplink: Uplink) -> None:
        assert clock.now() == max(uplink.at, START)
        heard.append(uplink)
        if len(heard) == 200:
            stop.set()

    asyncio.run(run_town(TOWN, clock, {Link.CHIRPSTACK: hear}, stop))
    present = latest(TOWN, START, CHIRPSTACK)
    expected = [*present, *uplinks(Span(TOWN, START, START + timedelta(days=1)), CHIRPSTACK)]
    assert len(present) == 14
    assert heard == expected[: len(heard)]


def test_a_link_that_hangs_holds_up_no_other() -> None:
    async def scenario() -> None:
        stop = asyncio.Event()
        heard = 0

        async def hang(_uplink: Uplink) -> None:
            await asyncio.Event().wait()

        async def hear(_uplink: Uplink) -> None:
            nonlocal heard
            heard += 1
            if heard == 50:
                stop.set()

        async with asyncio.timeout(20):
            await run_town(TOWN, ScaledClock(START, SPEED), {Link.CHIRPSTACK: hang, Link.BLE: hear}, stop)
        assert heard >= 50

    asyncio.run(scenario())


def test_a_peers_error_ends_the_town() -> None:
    async def scenario() -> None:
        async def broken(_uplink: Uplink) -> None:
            raise ConnectionError("no broker")

        await run_town(TOWN, ScaledClock(START, SPEED), {Link.CHIRPSTACK: broken}, asyncio.Event())

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(scenario())
    assert caught.group_contains(ConnectionError, match="no broker")


def test_a_scaled_clock_runs_at_its_speed_and_never_wakes_early() -> None:
    real = [10.0]
    clock = ScaledClock(START, 60, monotonic=lambda: real[0])
    real[0] += 2
    assert clock.now() == START + timedelta(minutes=2)

    async def scenario() -> datetime:
        running = ScaledClock(START, SPEED)
        await running.sleep_until(START + timedelta(minutes=1))
        return running.now()

    assert asyncio.run(scenario()) >= START + timedelta(minutes=1)


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_clock_must_run(speed: float) -> None:
    with pytest.raises(ValueError, match="more than 0 expected"):
        ScaledClock(START, speed)


def test_a_clock_wants_to_know_the_zone() -> None:
    with pytest.raises(ValueError, match="with its zone"):
        ScaledClock(START.replace(tzinfo=None))
