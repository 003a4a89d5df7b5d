"""Asks each feed again and again, each for itself: one feed's trouble delays and disturbs no other.

In come the feeds, a client and a clock; out go states into `Neighbours` and the names of feeds that have news.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from random import Random, SystemRandom
from typing import Final

import httpx

from cloud_api.feeds.attempts import Attempts
from cloud_api.feeds.feed_metrics import FeedMetrics
from cloud_api.feeds.fetching import Address, FetchError, new_client
from cloud_api.feeds.lots import FeedError
from cloud_api.feeds.neighbours import Neighbours, failed, take, unchanged
from cloud_api.feeds.settings import LotFeed, headers_of, reader_of
from cloud_api.registry import Registry

log = logging.getLogger(__name__)

JITTER: Final = 0.1
"""Of the period, so that many do not ask at once."""
LONGEST_PAUSE_S: Final = 900.0


class Poller:
    """One feed, asked for as long as the poller runs."""

    def __init__(
        self,
        feed: LotFeed,
        client: httpx.AsyncClient,
        neighbours: Neighbours,
        *,
        metrics: FeedMetrics,
        clock: Callable[[], datetime],
        news: Callable[[str], None],
        random: Random,
    ) -> None:
        """`news` is called with the feed's name after each attempt. Raises `ConfigError`."""
        self._feed = feed
        self._read = reader_of(feed)
        self._address = Address(client, feed.url, headers_of(feed))
        self._neighbours = neighbours
        self._metrics = metrics
        self._clock = clock
        self._news = news
        self._random = random
        self._attempts = Attempts(feed.name, feed.operator, metrics, clock)

    async def run(self) -> None:
        """Ask until cancelled; the first time after a part of the period that is drawn by lot."""
        await asyncio.sleep(self._random.random() * min(self._feed.period_s, 5.0))
        while True:
            try:
                wait_s = await self.poll()
            except Exception as error:
                log.exception("feed=%s crashed", self._feed.name)
                wait_s = self._fail("crash", f"{type(error).__name__}: {error}")
            await asyncio.sleep(max(wait_s, pause_s(self._feed.period_s, self._attempts.failures, self._random)))

    async def poll(self) -> float:
        """Ask once; returns how long the operator asks us to stay away, in seconds."""
        state, name = self._neighbours.state(self._feed.name), self._feed.name
        try:
            body = await self._address.fetch()
            if body is None:
                self._attempts.succeeded("same")
                self._neighbours.put(name, unchanged(state, self._clock()))
            else:
                reading = await asyncio.to_thread(self._read, body)
                self._attempts.succeeded("news")
                self._metrics.lots.labels(name).set(len(reading.lots))
                self._metrics.refused.labels(name).inc(len(reading.refused))
                for each in reading.refused[:3]:
                    log.debug("feed=%s refused %s: %s", name, each.id, each.reason)
                self._neighbours.put(name, take(state, reading, self._clock()))
        except FetchError as error:
            return self._fail("unreachable", str(error), error.wait_s)
        except FeedError as error:
            self._address.forget()
            return self._fail("unreadable", str(error))
        self._news(name)
        return 0.0

    def _fail(self, outcome: str, trouble: str, wait_s: float = 0.0) -> float:
        name = self._feed.name
        self._attempts.failed(outcome, trouble)
        self._neighbours.put(name, failed(self._neighbours.state(name), trouble))
        self._news(name)
        return wait_s


async def poll_all(
    neighbours: Neighbours, *, metrics: FeedMetrics, clock: Callable[[], datetime], news: Callable[[str], None]
) -> None:
    """Ask all feeds until cancelled. Raises `ConfigError` before the first is asked."""
    async with new_client() as client, asyncio.TaskGroup() as tasks:
        pollers = [
            Poller(feed, client, neighbours, metrics=metrics, clock=clock, news=news, random=SystemRandom())
            for feed in neighbours.feeds.values()
        ]
        for poller in pollers:
            tasks.create_task(poller.run())


def zones_fed_by(registry: Registry, feed: str) -> set[str]:
    """The zones that a feed tells of."""
    return {zone.id for zone in registry.zones.values() if zone.feed is not None and zone.feed.name == feed}


def pause_s(period_s: float, failures: int, random: Random) -> float:
    """How long to wait before the next attempt: the period and a little, twice as long after each failure."""
    longest = max(period_s, LONGEST_PAUSE_S)
    return min(period_s * 2.0 ** min(failures, 10), longest) * (1 + JITTER * (2 * random.random() - 1))
