"""Links that change while others change them: none is opened twice, and none once all were closed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from edge import link_runner, running_links
from edge.clock import Clock
from edge.config import LinkConfig
from edge.drivers.links.base import Arrival, Inbox, Link, Stranger
from edge.drivers.links.serial_port import SerialConfig
from edge.intake import Intake
from edge.link_runner import LinkRunner
from edge.messages import Epoch
from edge.readings import DeviceAddress
from edge.running_links import RunningLinks
from tests.clocks import ManualClock

BEFORE = SerialConfig(name="wire", port="/dev/ttyS0", model="hlk-ld2450", device="radar")
AFTER = SerialConfig(name="wire", port="/dev/ttyS1", model="hlk-ld2450", device="radar")


class Slow(Link):
    """Closes when `let_go` says so, as all the others of its test do."""

    kind = "slow"

    def __init__(self, section: LinkConfig, let_go: asyncio.Event) -> None:
        super().__init__(section.name)
        self.section = section
        self.closing = asyncio.Event()
        self.let_go = let_go

    async def run(self, inbox: Inbox) -> None:
        await inbox(Arrival(Stranger(device=DeviceAddress("somebody"))))
        self.opened.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.closing.set()
            await self.let_go.wait()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Slow]:
    """The links that were opened, in order."""
    links: list[Slow] = []
    let_go = asyncio.Event()

    def open_link(section: LinkConfig, _clock: Clock, _intake: Intake) -> Link:
        links.append(Slow(section, let_go))
        return links[-1]

    monkeypatch.setattr(running_links, "open_link", open_link)
    monkeypatch.setattr(link_runner, "CLOSE_WITHIN_S", 60.0)
    return links


async def hear_nothing(_runner: LinkRunner, _arrival: Arrival) -> None: ...


def while_it_is_restarted(
    opened: list[Slow], change: Callable[[RunningLinks, asyncio.TaskGroup], Awaitable[None]]
) -> str | None:
    """Change what runs while one link closes to be opened again, then close all; what came of the restart."""

    async def scenario() -> str | None:
        clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
        links = RunningLinks(hear_nothing, clock, Intake("mairie", Epoch("0" * 16), clock, 300, {}), Counter())
        async with asyncio.TaskGroup() as group:
            await links.exchange([BEFORE], group)
            await opened[0].opened.wait()
            restarting = group.create_task(links.restart("wire", group))
            await opened[0].closing.wait()
            changing = asyncio.ensure_future(change(links, group))
            await asyncio.sleep(0)
            opened[0].let_go.set()
            problem = await restarting
            await changing
            await links.close()
        assert list(links) == []
        return problem

    return asyncio.run(asyncio.wait_for(scenario(), 30))


def test_a_link_that_is_changed_while_it_is_opened_again_is_open_once_as_changed(opened: list[Slow]) -> None:
    def change(links: RunningLinks, group: asyncio.TaskGroup) -> Awaitable[None]:
        return links.exchange([AFTER], group)

    assert while_it_is_restarted(opened, change) is None
    assert [each.section for each in opened] == [BEFORE, BEFORE, AFTER]


def test_a_link_that_is_opened_again_when_all_are_closed_stays_closed(opened: list[Slow]) -> None:
    def change(links: RunningLinks, _group: asyncio.TaskGroup) -> Awaitable[None]:
        return links.close()

    while_it_is_restarted(opened, change)
    assert [each.section for each in opened] == [BEFORE]


def test_a_link_that_is_being_opened_again_is_not_opened_once_more(opened: list[Slow]) -> None:
    answers: list[str | None] = []

    async def change(links: RunningLinks, group: asyncio.TaskGroup) -> None:
        answers.append(await links.restart("wire", group))

    assert while_it_is_restarted(opened, change) is None
    assert answers == ["links are being opened again already; ask again in a few seconds"]
    assert len(opened) == 2
