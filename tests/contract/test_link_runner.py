"""Links under supervision: one that hangs or will not close disturbs nobody else."""

import asyncio
from collections import Counter

import pytest

from edge import link_runner
from edge.drivers.links.base import Arrival, Inbox, Link, Stranger
from edge.link_runner import LinkRunner
from edge.readings import DeviceAddress

PATIENCE_S = 30
HEARD = Stranger(device=DeviceAddress("somebody"))


class Hanging(Link):
    """Opens, says one thing, and never moves again."""

    kind = "hanging"
    silence_s = 0.05

    async def run(self, inbox: Inbox) -> None:
        self.opened.set()
        await inbox(Arrival(HEARD))
        await asyncio.Event().wait()


class NeverClosing(Hanging):
    """Hangs, and does not let itself be closed either, until `give_up`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.give_up = asyncio.Event()

    async def run(self, inbox: Inbox) -> None:
        try:
            await super().run(inbox)
        finally:
            await self.give_up.wait()


class Counting(Link):
    """Says something again and again."""

    kind = "counting"
    silence_s = 0.05

    async def run(self, inbox: Inbox) -> None:
        while True:
            await inbox(Arrival(HEARD))


class Quiet(Link):
    """Says one thing, then has nothing to say, and is well."""

    kind = "quiet"
    silence_s = 0.5

    async def run(self, inbox: Inbox) -> None:
        await inbox(Arrival(HEARD))
        while True:
            await asyncio.sleep(self.silence_s / 50)
            self.alive()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_runner, "FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr(link_runner, "LONGEST_BACKOFF_S", 0.01)
    monkeypatch.setattr(link_runner, "CLOSE_WITHIN_S", 0.05)


async def stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_a_link_that_hangs_is_restarted_alone_while_another_counts_on() -> None:
    async def scenario() -> None:
        counters: Counter[str] = Counter()
        hanging, counting = LinkRunner(Hanging("h"), counters), LinkRunner(Counting("c"), counters)
        taken: asyncio.Queue[Arrival] = asyncio.Queue(1)
        tasks = [asyncio.create_task(runner.run(taken.put)) for runner in (hanging, counting)]
        while hanging.restarts < 3:
            await taken.get()
        for _ in range(3):
            await taken.get()
        assert counters["link_hung"] >= 3
        assert not counters["link_not_closed"]
        assert counting.restarts == 0
        while hanging.health().state != "down: it hangs: no sign of life for 0.05 s":
            await taken.get()
        await stop(*tasks)

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))


def test_a_link_that_will_not_close_is_left_behind_and_counted() -> None:
    async def scenario() -> None:
        counters: Counter[str] = Counter()
        link = NeverClosing("n")
        runner = LinkRunner(link, counters)
        taken: asyncio.Queue[Arrival] = asyncio.Queue()
        task = asyncio.create_task(runner.run(taken.put))
        await link.opened.wait()
        await stop(task)
        assert counters["link_not_closed"] >= 1
        link.give_up.set()

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))


def test_a_link_that_waits_for_the_gateway_does_not_hang() -> None:
    async def scenario() -> None:
        counters: Counter[str] = Counter()
        runner = LinkRunner(Counting("c"), counters)
        full: asyncio.Queue[Arrival] = asyncio.Queue(1)
        task = asyncio.create_task(runner.run(full.put))
        await asyncio.sleep(10 * Counting.silence_s)
        assert runner.restarts == 0
        await stop(task)

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))


def test_a_link_with_nothing_to_say_lives_on_its_signs_of_life() -> None:
    async def scenario() -> None:
        counters: Counter[str] = Counter()
        runner = LinkRunner(Quiet("q"), counters)
        taken: asyncio.Queue[Arrival] = asyncio.Queue()
        task = asyncio.create_task(runner.run(taken.put))
        await asyncio.sleep(3 * Quiet.silence_s)
        assert runner.restarts == 0
        await stop(task)

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))
