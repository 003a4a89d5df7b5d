"""What the past teaches about the present: which spaces are frozen, which channels count what cannot be so.

In come the store and what the sensors say now; out comes one `Learned`, made in a thread some spaces at a time, at the
start and then every few hours. It keeps a habit per space (1.4 kB) and no history.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from cloud_api.feed import ZoneFeed
from cloud_api.flows import channel_of, counted, street_of
from cloud_api.frozen import Calendar, Habit, Pace, SpaceKey, calendar, frozen, learn, no_pace
from cloud_api.live import Learned, Live
from cloud_api.plausibility import HOUR, Finding, findings
from cloud_api.registry import Registry
from cloud_api.registry.current import CurrentRegistry
from cloud_api.settings import Settings
from cloud_api.stores.base import Channel, Store, StoreError

log = logging.getLogger(__name__)

EVERY_S: Final = 3 * 3600.0
RETRY_S: Final = 60.0
DEVICES_AT_ONCE: Final = 100
PAUSE_S: Final = 0.05
"""Between two batches of spaces: whoever asks the API meanwhile goes first."""
LOOK_BACK: Final = timedelta(days=28)
"""What a counter's usual day is taken from."""
RECENT: Final = timedelta(hours=24)
"""A finding that ended longer ago says nothing of the present."""


class Learner:
    """Guards that only one thread learns at a time. Belongs to the event loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        registry: CurrentRegistry,
        live: Live,
        feed: ZoneFeed,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._registry = registry
        self._live = live
        self._feed = feed
        self._clock = clock

    async def run(self) -> None:
        """Learn until cancelled."""
        while True:
            try:
                await self.learn()
                await asyncio.sleep(EVERY_S)
            except StoreError as error:
                log.warning("what the past teaches is not learned yet, next attempt in %g s: %s", RETRY_S, error)
                await asyncio.sleep(RETRY_S)

    async def learn(self) -> None:
        """Learn once, and let the present know. Raises `StoreError`."""
        now, registry = self._clock(), self._registry.now
        known, habits = calendar(now, self._settings.time_zone), dict[SpaceKey, Habit]()
        town = no_pace(known)
        devices = sorted({each.device for space in registry.spaces for each in registry.serving(space.id, now)})
        for first in range(0, len(devices), DEVICES_AT_ONCE):
            batch = devices[first : first + DEVICES_AT_ONCE]
            some, town = await asyncio.to_thread(learn_some, self._store, batch, known, town)
            habits |= some
            await asyncio.sleep(PAUSE_S)
        implausible = await asyncio.to_thread(recent_findings, self._store, registry, self._settings, now)
        still = await asyncio.to_thread(frozen, self._live.stills(), habits, known, town)
        log.info(
            "learned the habits of %d spaces: %d frozen, %d counted lines implausible",
            len(habits),
            len(still),
            len(implausible),
        )
        self._feed.touch(self._live.learn(Learned({key: each.since for key, each in still.items()}, implausible)))


def learn_some(store: Store, devices: Sequence[str], known: Calendar, town: Pace) -> tuple[dict[SpaceKey, Habit], Pace]:
    """The habits of these sensors' spaces, and the town's pace with them. Blocks. Raises `StoreError`."""
    habits: dict[SpaceKey, Habit] = {}
    changes = store.changes(devices, known.start, known.end)
    for key, its_own in groupby(changes, lambda change: (change.device, change.channel)):
        habit, town = learn(list(its_own), known, town)
        if habit is not None:
            habits[key] = habit
    return habits, town


def recent_findings(store: Store, registry: Registry, settings: Settings, now: datetime) -> dict[Channel, Finding]:
    """What cannot be so in what the channels count now, the newest of each. Blocks. Raises `StoreError`."""
    found: dict[Channel, Finding] = {}
    for counter in registry.counters.values():
        for each in registry.serving(counter.id, now):
            channel = channel_of(each)
            hours = store.hours([channel], max(each.start, now - LOOK_BACK), now)
            street = street_of(counter, each, settings.time_zone)
            recent = [
                finding
                for finding in findings([counted(hour, each) for hour in hours if hour.start < now - HOUR], street)
                if finding.end > now - RECENT
            ]
            if recent:
                found[channel] = max(recent, key=lambda finding: finding.end)
    return found
