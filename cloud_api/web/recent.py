"""The last 24 hours of every counter, read from the store once a minute at most, however many people look.

In comes the time, out come the flows, or None while the store does not answer: a page never waits long for history.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from cloud_api.flows import HourlyFlows, hourly_flows
from cloud_api.periods import Period
from cloud_api.registry import Registry
from cloud_api.registry.current import CurrentRegistry
from cloud_api.settings import Settings
from cloud_api.stores.base import Store, StoreError
from cloud_api.web.bars import last_day

log = logging.getLogger(__name__)

KEPT_FOR: Final = timedelta(minutes=1)
PATIENCE_S: Final = 3.0
"""How long a page waits for the store."""

Flows = Mapping[str, HourlyFlows]


class RecentFlows:
    """Guards that at most one reader asks the store at a time. Belongs to the event loop."""

    def __init__(self, settings: Settings, registry: CurrentRegistry, store: Store) -> None:
        self._settings = settings
        self._registry = registry
        self._store = store
        self._flows: Flows | None = None
        self._read_at: datetime | None = None
        self._read_of: Registry | None = None
        self._reading = asyncio.Lock()

    async def at(self, now: datetime) -> Flows | None:
        """The flows by counter, at most a minute old; None while the store does not answer."""
        async with self._reading:
            registry = self._registry.now
            if not self._is_recent(now) or self._read_of is not registry:
                self._flows = await self._read(registry, last_day(now))
                self._read_at, self._read_of = now, registry
            return self._flows

    def _is_recent(self, now: datetime) -> bool:
        return (
            self._read_at is not None
            and abs(now - self._read_at) < KEPT_FOR
            and last_day(now) == last_day(self._read_at)
        )

    async def _read(self, registry: Registry, period: Period) -> Flows | None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asyncio.to_thread(self._ask, registry, period)
        except (StoreError, TimeoutError) as error:
            log.warning("the page shows no history, the store does not answer: %s", error or "no answer in time")
            return None

    def _ask(self, registry: Registry, period: Period) -> Flows:
        zone = self._settings.time_zone
        return {
            counter.id: hourly_flows(registry, self._store, counter, period, zone)
            for counter in registry.counters.values()
        }
