"""Keeps the last hour of every counter at hand, read from the store twice a minute however many people ask.

In come the store and the registry, out come values for the present. The store alone is asked: what came twice, late or
in another order is summed there already.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from cloud_api.flows_now import LastHour, last_hours
from cloud_api.forecast.days import Calendar
from cloud_api.registry.current import CurrentRegistry
from cloud_api.settings import Settings
from cloud_api.stores.base import Store, StoreError

log = logging.getLogger(__name__)

EVERY_S: Final = 30.0
PATIENCE_S: Final = 5.0
"""How long a caller waits for the first reading."""


class FlowWatch:
    """Guards that one reader at a time asks the store. Belongs to the event loop."""

    def __init__(
        self, settings: Settings, *, store: Store, places: CurrentRegistry, clock: Callable[[], datetime]
    ) -> None:
        self._zone = settings.time_zone
        self._store = store
        self._places = places
        self._clock = clock
        self._calendar = Calendar(None)
        self._hours: Mapping[str, LastHour] = MappingProxyType({})
        self._read = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                await self.read()
            except StoreError as error:
                log.warning("the flows of the last hour are not read, next attempt in %g s: %s", EVERY_S, error)
            await asyncio.sleep(EVERY_S)

    async def read(self) -> None:
        """Read once. Raises `StoreError`."""
        arguments = (self._places.now, self._store, self._clock(), self._zone, self._calendar)
        self._hours = await asyncio.to_thread(last_hours, *arguments)
        self._read.set()

    async def hours(self) -> Mapping[str, LastHour]:
        """The last hour of every counter, by its id. Raises `TimeoutError` while the store has never answered."""
        async with asyncio.timeout(PATIENCE_S):
            await self._read.wait()
        return self._hours
