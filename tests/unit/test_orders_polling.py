"""Orders are asked for over real HTTP, and their closures are in a real registry: politely, and all or nothing."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from cloud_api.feeds.feed_metrics import FeedMetrics
from cloud_api.feeds.fetching import new_client
from cloud_api.feeds.orders_poller import OrdersPoller, attempt_period_s
from cloud_api.feeds.orders_process import MODULE
from cloud_api.feeds.settings import OrderFeed, load_feeds
from cloud_api.registry import Position, Registry, Space, Zone
from cloud_api.registry.store import RegistryStore
from tests.orders import ban, export, order
from tests.town import Clock, kept, until
from tests.web_operator import Operator, operator

NOON = datetime(2026, 11, 27, 11, tzinfo=UTC)
NEAR = Position(lat=47.21375, lon=-1.5552)
STREET = Zone(id="haute", name="Rue Haute", position=NEAR)
ELSEWHERE = order(ban(place='{"type":"Point","coordinates":[2.35,48.85]}'), id_="paris")


class Town:
    """A registry with one bay, and what was counted."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(NOON)
        self.registry: RegistryStore = kept(
            Registry(zones=[STREET], spaces=[Space(id="h1", zone="haute", position=NEAR)]), folder
        )
        self.counted = CollectorRegistry()

    def closed(self) -> set[str]:
        return set(self.registry.snapshot().closures_at(self.clock()))

    def ask(self, dialog: Operator, story: Callable[[OrdersPoller], Coroutine[Any, Any, None]]) -> None:
        async def with_client() -> None:
            async with new_client() as client:
                await story(
                    OrdersPoller(
                        OrderFeed(url=dialog.address),
                        client,
                        self.registry,
                        zone=ZoneInfo("Europe/Paris"),
                        metrics=FeedMetrics(self.counted),
                        clock=self.clock,
                        random=Random(1),
                    )
                )

        asyncio.run(with_client())


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def tell(dialog: Operator, *orders: str, tag: str) -> None:
    dialog.body, dialog.headers = export(*orders).getvalue(), {"ETag": tag}


def test_an_order_closes_its_bay_in_the_name_of_the_feed_and_is_read_again_only_when_it_changed(town: Town) -> None:
    with operator() as dialog:
        tell(dialog, order(ban()), tag='"1"')

        async def story(poller: OrdersPoller) -> None:
            await poller.poll()
            await poller.poll()

        town.ask(dialog, story)

        assert town.closed() == {"h1"}
        assert [trace.who for trace in town.registry.trail(limit=1)] == ["dialog"]
        assert dialog.asked[1]["if-none-match"] == '"1"'
        assert b'passerelle_feed_reads_total{feed="dialog",outcome="same"} 1.0' in generate_latest(town.counted)


def test_an_order_that_is_gone_opens_its_bay(town: Town) -> None:
    with operator() as dialog:

        async def story(poller: OrdersPoller) -> None:
            tell(dialog, order(ban()), ELSEWHERE, tag='"1"')
            await poller.poll()
            tell(dialog, ELSEWHERE, tag='"2"')
            await poller.poll()

        town.ask(dialog, story)

    assert town.closed() == set()


def test_an_export_that_did_not_change_is_read_again_for_a_new_bay_and_once_a_day(town: Town) -> None:
    with operator() as dialog:
        tell(dialog, order(ban()), tag='"1"')

        async def story(poller: OrdersPoller) -> None:
            await poller.poll()
            town.registry.add(Space(id="h2", zone="haute", position=NEAR), by="test", at=NOON)
            await poller.poll()
            assert town.closed() == {"h1", "h2"}
            town.clock.now += timedelta(days=1, minutes=1)
            await poller.poll()

        town.ask(dialog, story)

        assert [asked.get("if-none-match") for asked in dialog.asked] == [None, None, None]


@pytest.mark.parametrize("status", [200, 503])
def test_half_an_export_and_an_operator_in_trouble_open_nothing(town: Town, status: int) -> None:
    with operator() as dialog:

        async def story(poller: OrdersPoller) -> None:
            tell(dialog, order(ban()), tag='"1"')
            await poller.poll()
            tell(dialog, ELSEWHERE, tag='"2"')
            dialog.body, dialog.status = dialog.body[:-30], status
            dialog.headers["Retry-After"] = "600"
            waits.append(await poller.poll())
            tell(dialog, order(ban()), tag='"2"')
            dialog.status = 200
            await poller.poll()

        waits: list[float] = []
        town.ask(dialog, story)

    assert town.closed() == {"h1"}
    assert waits == [600.0 if status == 503 else 0.0]
    outcome = b"unreachable" if status == 503 else b"unreadable"
    assert b'outcome="%b"} 1.0' % outcome in generate_latest(town.counted)


def test_a_poller_that_is_ended_while_it_reads_ends_at_once_and_writes_nothing(town: Town) -> None:
    with operator() as dialog:
        tell(dialog, *(order(ban(), id_=f"o{number}") for number in range(20_000)), tag='"1"')

        async def story(poller: OrdersPoller) -> None:
            polling = asyncio.create_task(poller.poll())
            await asyncio.to_thread(until, lambda: _readers() == 1)
            polling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await polling

        town.ask(dialog, story)

    assert _readers() == 0
    assert town.closed() == set()


def _readers() -> int:
    """How many processes of ours read orders."""
    found = 0
    for each in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        with suppress(OSError):  # it may end while we look
            for child in each.read_text().split():
                found += MODULE.encode() in Path(f"/proc/{child}/cmdline").read_bytes()
    return found


def test_after_a_failure_it_is_asked_sooner_and_then_less_and_less_often() -> None:
    hours = 4 * 3600.0

    periods = [attempt_period_s(hours, failures) for failures in (0, 1, 2, 5, 8, 100)]

    assert periods == [hours, 120, 240, 1920, hours, hours]


def test_orders_are_named_in_the_file_of_feeds(tmp_path: Path) -> None:
    (file := tmp_path / "feeds.toml").write_text("[[orders]]\n")

    (orders,) = load_feeds(file).orders

    assert orders.name == "dialog"
    assert orders.url.startswith("https://dialog.beta.gouv.fr/")
