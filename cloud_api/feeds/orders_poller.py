"""Asks for the State's traffic orders again and again, and writes the closures that they mean into the registry.

In come an address, the registry and a clock; out go closures, by the name of the feed in the audit trail. The export is
large: it is kept in a file while a process of its own reads it. An export that did not change is read again when the
town's places have, and once a day: hours that come back are written down days ahead.
"""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random, SystemRandom
from typing import Final
from zoneinfo import ZoneInfo

import httpx

from cloud_api.feeds.attempts import Attempts
from cloud_api.feeds.dialog import LARGEST_EXPORT
from cloud_api.feeds.feed_metrics import FeedMetrics
from cloud_api.feeds.fetching import DOWNLOAD_S, Address, FetchError, new_client
from cloud_api.feeds.lots import FeedError
from cloud_api.feeds.orders_process import Answer, Question, plan_apart
from cloud_api.feeds.poller import pause_s
from cloud_api.feeds.settings import OrderFeed
from cloud_api.registry import Registry, Space, Zone
from cloud_api.registry.change import Merged
from cloud_api.registry.contradictions import tables_of
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.store import RegistryStore

log = logging.getLogger(__name__)

READ_AGAIN_AFTER: Final = timedelta(days=1)
RETRY_S: Final = 120.0
"""After the first failure."""
FIRST_WITHIN_S: Final = 30.0
"""After the start; the town's sensors go first."""

Places = tuple[tuple[Zone, ...], tuple[Space, ...]]


class OrdersPoller:
    """One feed of orders, asked for as long as the poller runs."""

    def __init__(
        self,
        feed: OrderFeed,
        client: httpx.AsyncClient,
        registry: RegistryStore,
        *,
        zone: ZoneInfo,
        metrics: FeedMetrics,
        clock: Callable[[], datetime],
        random: Random,
    ) -> None:
        self._feed = feed
        self._address = Address(client, feed.url, {})
        self._registry = registry
        self._zone = zone
        self._metrics = metrics
        self._clock = clock
        self._random = random
        self._attempts = Attempts(feed.name, feed.operator, metrics, clock)
        self._read_for: Places | None = None
        self._read_at: datetime | None = None
        self._told: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Ask until cancelled."""
        await asyncio.sleep(self._random.random() * min(self._feed.period_s, FIRST_WITHIN_S))
        while True:
            wait_s = await self.poll()
            period_s = attempt_period_s(self._feed.period_s, self._attempts.failures)
            await asyncio.sleep(max(wait_s, pause_s(period_s, 0, self._random)))

    async def poll(self) -> float:
        """Ask once; returns how long the operator asks us to stay away, in seconds."""
        try:
            outcome = "news" if await self._ask() else "same"
        except FetchError as error:
            self._attempts.failed("unreachable", str(error))
            return error.wait_s
        except (FeedError, RegistryError) as error:
            self._address.forget()
            self._attempts.failed("unreadable" if isinstance(error, FeedError) else "unwritten", str(error))
        else:
            self._attempts.succeeded(outcome)
        return 0.0

    async def _ask(self) -> bool:
        known = await asyncio.to_thread(self._registry.snapshot)
        places = _places(known)
        if places != self._read_for or self._read_at is None or self._clock() - self._read_at > READ_AGAIN_AFTER:
            self._address.forget()
        with tempfile.TemporaryDirectory() as folder:
            export = Path(folder) / "export.xml"
            with export.open("wb") as body:
                if not await self._address.fetch_into(body, LARGEST_EXPORT, whole_s=DOWNLOAD_S):
                    return False
            answer = await plan_apart(export, self._question(known))
        merged = await asyncio.to_thread(
            self._registry.merge, answer.plan.changes, by=self._feed.name, at=self._clock()
        )
        self._read_for, self._read_at = places, self._clock()
        self._tell(answer, merged)
        return True

    def _question(self, known: Registry) -> Question:
        return Question(
            town=tables_of(known.entries),
            source=self._feed.name,
            time_zone=self._zone.key,
            within_m=self._feed.within_m,
            now=self._clock(),
        )

    def _tell(self, answer: Answer, merged: Merged) -> None:
        name = self._feed.name
        self._metrics.refused.labels(name).inc(answer.refused)
        log.info(
            "feed=%s orders=%d refused=%d closures added=%d changed=%d same=%d",
            name,
            answer.orders,
            answer.refused,
            len(merged.added),
            len(merged.changed),
            answer.plan.same,
        )
        doubtful = frozenset(f"{each.id}: {each.reason}" for each in answer.plan.doubtful)
        for each in sorted(doubtful - self._told):
            log.warning("feed=%s to decide by hand: %s", name, each)
        self._told = doubtful


async def poll_orders(
    feeds: Sequence[OrderFeed],
    registry: RegistryStore,
    *,
    zone: ZoneInfo,
    metrics: FeedMetrics,
    clock: Callable[[], datetime],
) -> None:
    """Ask all feeds of orders until cancelled."""
    async with new_client() as client, asyncio.TaskGroup() as tasks:
        for feed in feeds:
            poller = OrdersPoller(
                feed, client, registry, zone=zone, metrics=metrics, clock=clock, random=SystemRandom()
            )
            tasks.create_task(poller.run())


def attempt_period_s(period_s: float, failures: int) -> float:
    """How long until the next attempt: the period, or after failures less, twice as long after each."""
    return min(period_s, RETRY_S * 2.0 ** min(failures - 1, 20)) if failures else period_s


def _places(registry: Registry) -> Places:
    return tuple(registry.zones.values()), tuple(registry.spaces)
