"""A changed configuration while a link hangs in its close: the others count on, and the change comes into force."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge import link_runner, running_links
from edge.clock import Clock
from edge.config import LinkConfig
from edge.drivers.links.base import Arrival, Inbox, Link, Stranger
from edge.drivers.links.serial_port import SerialConfig
from edge.gateway import Gateway
from edge.intake import Intake
from edge.messages import DeviceSettings
from edge.readings import DeviceAddress, Frame
from firmware_sim.encoders import parametric_pcr2
from tests.broker import Mosquitto
from tests.clocks import ManualClock
from tests.gateways import configuration, running

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
PATIENCE_S = 30.0
PCR2 = DeviceSettings(address=DeviceAddress("0004a30b00000001"), model="parametric-pcr2")
LIDAR = DeviceSettings(address=DeviceAddress("lidar-1"), model="benewake-tfmini-plus", options={"unit": "mm"})


class Stuck(Link):
    """Opens, and hangs when it is to be closed, until `give_up`."""

    kind = "stuck"
    silence_s = 60.0

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.closing = asyncio.Event()
        self.give_up = asyncio.Event()

    async def run(self, inbox: Inbox) -> None:
        self.opened.set()
        try:
            await inbox(Arrival(Stranger(device=DeviceAddress("somebody"))))
            await asyncio.Event().wait()
        finally:
            self.closing.set()
            await self.give_up.wait()


class Street(Link):
    """A counter that reports every five minutes, of which thousands go by in a second."""

    kind = "street"
    silence_s = 60.0

    async def run(self, inbox: Inbox) -> None:
        self.opened.set()
        period = 0
        while True:
            period += 1
            payload = parametric_pcr2.counts_v4(1, 0, period, 0, 3_600, 120, 12.5)
            at = START + period * timedelta(minutes=5)
            port = parametric_pcr2.COUNTS_PORT
            frame = Frame(
                device=DeviceAddress(PCR2.address), payload=payload, port=port, counter=period, network_time=at
            )
            await inbox(Arrival(frame))


def link(name: str, port: str = "/dev/ttyS0") -> SerialConfig:
    return SerialConfig(name=name, port=port, model="hlk-ld2450", device=f"radar-{name}")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Link]:
    """The links that the gateway opens, in order: a street for the name `street`, a stuck one for any other."""
    links: list[Link] = []

    def open_link(config: LinkConfig, _clock: Clock, _intake: Intake) -> Link:
        links.append(Street(config.name) if config.name == "street" else Stuck(config.name))
        return links[-1]

    monkeypatch.setattr(running_links, "open_link", open_link)
    return links


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the condition is in the gateway
            await asyncio.sleep(0.01)


async def counts_on(gateway: Gateway) -> None:
    """Return when three more messages of counts are durable."""
    before = gateway.status().queued
    await until(lambda: gateway.status().queued >= before + 3)


@pytest.mark.parametrize("within_s", [60.0, 0.05])
def test_the_other_links_count_on_while_one_will_not_close(
    within_s: float,
    tmp_path: Path,
    own_mosquitto: Mosquitto,
    opened: list[Link],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Be it that the change still waits for it, be it that it was left behind."""
    monkeypatch.setattr(link_runner, "CLOSE_WITHIN_S", within_s)
    before = configuration(tmp_path, own_mosquitto, (link("street"), link("stuck")), (PCR2,))
    after = configuration(tmp_path, own_mosquitto, (link("street"), link("stuck", "/dev/ttyS1")), (PCR2, LIDAR))

    async def scenario() -> None:
        gateway = Gateway(before, ManualClock(START + timedelta(days=3650)))
        async with running(gateway):
            await gateway.listening()
            street, stuck = opened
            assert isinstance(stuck, Stuck)
            change = asyncio.create_task(gateway.apply(after))
            await stuck.closing.wait()
            if within_s < 1:
                await change
            await counts_on(gateway)
            assert change.done() == (within_s < 1)
            assert bool(gateway.status().counters.get("link_not_closed")) == (within_s < 1)
            assert street.opened.is_set()
            stuck.give_up.set()
            await change
            assert [(each.name, each.restarts) for each in gateway.links()] == [("street", 0), ("stuck", 0)]
            assert gateway.intake.devices == (PCR2.address, LIDAR.address)
            monkeypatch.setattr(link_runner, "CLOSE_WITHIN_S", 0.05)

    asyncio.run(asyncio.wait_for(scenario(), 2 * PATIENCE_S))
