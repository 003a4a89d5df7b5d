"""Keeps the last hour of every counter at hand, read from the store twice a minute however many people ask or listen.

In come the store, the registry and what the counters say of themselves; out come the answer for all counters and a
stream of those that changed. The store alone is asked for counts: what came twice or late is summed there.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct, structs

from cloud_api.counters import CounterView, counter_views
from cloud_api.envelope import Envelope
from cloud_api.flows_now import OLDEST, UNKNOWN, LastHour, last_hours
from cloud_api.forecast.days import Calendar
from cloud_api.live import Live
from cloud_api.registry import Registry
from cloud_api.registry.current import CurrentRegistry
from cloud_api.settings import Settings
from cloud_api.stores.base import Store, StoreError
from cloud_api.stream import Stream, Wanted, encode_event

log = logging.getLogger(__name__)

TTL_S: Final = 30
"""How often the store is read, and how long a caller may keep an answer, in seconds."""
PATIENCE_S: Final = 5.0
"""How long a caller waits for the first reading."""


class CounterNow(CounterView, frozen=True, kw_only=True):
    """One counter now, and what it counted in the last hour."""

    last_hour: LastHour


class CountersNow(Struct, frozen=True):
    """The counters of a town now."""

    counters: tuple[CounterNow, ...]


class FlowsNowAnswer(Envelope, frozen=True, kw_only=True):
    """All counters in the envelope of the parking answers."""

    data: CountersNow


class FlowWatch:
    """Guards that answer and stream tell the same, of one reading. Belongs to the event loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        places: CurrentRegistry,
        live: Live,
        clock: Callable[[], datetime],
    ) -> None:
        self._zone = settings.time_zone
        self._store = store
        self._places = places
        self._live = live
        self._clock = clock
        self._calendar = Calendar(settings.school_zone)
        self._as_of = clock()
        self._counters: dict[str, CounterNow] = {}
        self._known = asyncio.Event()
        self.stream = Stream("counter", self._snapshot)

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(TTL_S)
            self.stream.beat()

    async def look(self) -> None:
        """Read once; while the store does not answer, what was read last grows old: it is not now for ever."""
        try:
            await self.read()
        except StoreError as error:
            log.warning("the flows of the last hour are not read, next attempt in %g s: %s", TTL_S, error)
            if self._known.is_set():
                now = self._clock()
                self._tell(
                    self._places.now, now, {id_: _grown_old(hour, now) for id_, hour in self.last_hours().items()}
                )

    async def read(self) -> None:
        """Read once, and tell who listens what changed. Raises `StoreError`."""
        registry, now = self._places.now, self._clock()
        hours = await asyncio.to_thread(last_hours, registry, self._store, now, self._zone, self._calendar)
        self._tell(registry, now, hours)
        self._known.set()

    def _tell(self, registry: Registry, now: datetime, hours: Mapping[str, LastHour]) -> None:
        before, self._as_of = self._counters, now
        self._counters = {
            view.id: counter_now(view, hours.get(view.id, UNKNOWN)) for view in counter_views(self._live, registry, now)
        }
        if before.keys() - self._counters.keys():
            self.stream.begin_anew()
        for counter in self._counters.values():
            if counter != before.get(counter.id):
                self.stream.tell(counter.id, msgspec.json.encode(counter))

    def last_hours(self) -> Mapping[str, LastHour]:
        """The last hour of every counter as last read, by its id; empty until the store has answered once."""
        return {counter.id: counter.last_hour for counter in self._counters.values()}

    async def answer(self) -> FlowsNowAnswer:
        """All counters as last read. Raises `TimeoutError` while the store has never answered."""
        async with asyncio.timeout(PATIENCE_S):
            await self._known.wait()
        return self._envelope(None)

    def _envelope(self, wanted: Wanted) -> FlowsNowAnswer:
        counters = tuple(each for each in self._counters.values() if wanted is None or each.id in wanted)
        return FlowsNowAnswer(last_updated=self._as_of, ttl=TTL_S, data=CountersNow(counters))

    def _snapshot(self, number: str, wanted: Wanted) -> bytes:
        return encode_event("snapshot", number, msgspec.json.encode(self._envelope(wanted)))


def counter_now(view: CounterView, last_hour: LastHour) -> CounterNow:
    """A counter with its last hour."""
    return CounterNow(**structs.asdict(view), last_hour=last_hour)


def _grown_old(hour: LastHour, now: datetime) -> LastHour:
    """The same, or nothing where it is over for too long."""
    return UNKNOWN if hour.end is None or now - hour.end > OLDEST else hour
