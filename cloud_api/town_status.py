"""What an operator sees of a town at one glance, and what of it wants attention: one value, told in several ways.

In come a glance and what files and databases keep, out comes the status. Whoever asks, the town is looked at once a
second at most.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec import Struct

from cloud_api.concerns import Concern, Verdict, concerns_of, verdict_on
from cloud_api.glance import Glance, Watch
from cloud_api.kept import Kept, look_at_kept
from cloud_api.ledger import Ledger
from cloud_api.registry.store import RegistryStore
from cloud_api.stores.base import Store

FRESH_S: Final = 1.0
LOOK_EVERY_S: Final = 60.0
"""So often files and databases are looked at for Prometheus, whose scrapes must not wait for them."""


class TownStatus(Struct, frozen=True, kw_only=True):
    """A town as one process of its API knows it."""

    town: str
    verdict: Verdict
    attention: tuple[Concern, ...]
    """What somebody should look at, the most urgent first; empty while all is well."""
    glance: Glance
    kept: Kept


def status_of(town: str, glance: Glance, kept: Kept) -> TownStatus:
    """With what wants attention."""
    attention = concerns_of(glance, kept)
    return TownStatus(town=town, verdict=verdict_on(attention, glance), attention=attention, glance=glance, kept=kept)


class StatusNow:
    """Guards that a town is looked at once a second at most. Belongs to the event loop."""

    def __init__(
        self,
        watch: Watch,
        *,
        store: Store,
        ledger: Ledger,
        registry: RegistryStore,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watch = watch
        self._store = store
        self._ledger = ledger
        self._registry = registry
        self._monotonic = monotonic
        self._looking = asyncio.Lock()
        self._last: tuple[float, TownStatus] | None = None
        self.kept: Kept | None = None
        """What files and databases said within the last minute; None before they were asked."""

    async def look(self) -> TownStatus:
        """The town's status, at most a second old."""
        async with self._looking:
            if self._last is None or self._monotonic() - self._last[0] >= FRESH_S:
                self._last = self._monotonic(), await self._look()
            return self._last[1]

    async def keep_looking(self) -> None:
        """Look at files and databases every minute, until cancelled."""
        while True:
            self.kept = await self._look_at_kept(self._watch.clock())
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> TownStatus:
        glance, settings = self._watch.look(), self._watch.settings
        kept = await self._look_at_kept(glance.at)
        return status_of(settings.town or settings.title, glance, kept)

    async def _look_at_kept(self, now: datetime) -> Kept:
        return await asyncio.to_thread(look_at_kept, self._store, self._ledger, self._registry, now)
