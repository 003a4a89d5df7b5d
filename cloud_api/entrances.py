"""Keeps the count of every car park that is counted at its entrances, and takes corrections of it.

In come the store and the registry; out come counts for the present. The store alone is asked, every few seconds: what
came twice, late or in another order is summed there already, and a restart changes no count.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from cloud_api.car_parks import Count, Entered, base_of, count, refusal, seen_at, settled
from cloud_api.feed import ZoneFeed
from cloud_api.flows import channel_of
from cloud_api.live import Live
from cloud_api.registry import Installation, Registry, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.places import Counting
from cloud_api.stores.base import EARLIEST, Correction, CorrectionCause, Passed, Store, StoreError

log = logging.getLogger(__name__)

EVERY_S: Final = 5.0
RETRY_S: Final = 30.0
INSTANT: Final = timedelta(microseconds=1)


class CorrectionError(Exception):
    """A correction that cannot be: of which zone, what is wrong with it, and what was expected."""


async def keep_counts(
    store: Store, registry: CurrentRegistry, live: Live, feed: ZoneFeed, clock: Callable[[], datetime]
) -> None:
    """Count until cancelled."""
    while True:
        try:
            counts = await asyncio.to_thread(_all, store, registry.now, clock())
            feed.touch(live.count_cars(counts))
            await asyncio.sleep(EVERY_S)
        except StoreError as error:
            log.warning("car parks are not counted, next attempt in %g s: %s", RETRY_S, error)
            await asyncio.sleep(RETRY_S)


def _all(store: Store, registry: Registry, now: datetime) -> dict[str, Count | None]:
    zones = (zone for zone in registry.zones.values() if zone.counting is Counting.ENTRANCES)
    return {zone.id: count_now(store, registry, zone, now) for zone in zones}


def count_now(store: Store, registry: Registry, zone: Zone, now: datetime) -> Count | None:
    """How many cars are in a car park, and what is settled of it written down; None when nobody ever said.

    Blocks. Raises `StoreError`.
    """
    corrections = store.corrections(zone.id, EARLIEST, now + INSTANT)
    base = base_of(corrections)
    if base is None:
        return None
    intervals = list(entered(store, registry, zone, base.at, now))
    capacity = zone.capacity.cars
    fact = settled(zone.id, base, intervals, capacity, now)
    if fact is not None:
        store.correct([fact])
        base = fact
    return count(base, intervals, capacity, seen=seen_at(corrections), as_of=now)


def correct(
    store: Store, registry: Registry, place: str, *, occupied: int, cause: CorrectionCause, note: str, now: datetime
) -> Correction:
    """Write down how many cars are in a car park now, who says so and why.

    Blocks. Raises `CorrectionError`, `StoreError`.
    """
    zone = registry.zones.get(place)
    if zone is None or zone.counting is not Counting.ENTRANCES:
        counted = sorted(each.id for each in registry.zones.values() if each.counting is Counting.ENTRANCES)
        raise CorrectionError(
            f"{place!r} is no zone counted at its entrances; one of {', '.join(counted) or '(there is none)'} expected"
        )
    reason = refusal(occupied, zone.capacity.cars)
    if reason is not None:
        raise CorrectionError(f"{place}: {reason}")
    before = count_now(store, registry, zone, now)
    fact = Correction(
        place=place,
        at=now,
        occupied=occupied,
        cause=cause,
        counted=None if before is None else before.occupied,
        note=note,
    )
    store.correct([fact])
    return fact


def entered(store: Store, registry: Registry, zone: Zone, start: datetime, end: datetime) -> Iterator[Entered]:
    """What was counted at a car park's entrances, the right way round. Blocks. Raises `StoreError`."""
    for each in registry.installations_of(zone.id, start, end):
        until = end if each.end is None else min(each.end, end)
        for passed in store.intervals([channel_of(each)], max(each.start, start), until):
            yield _right_way_round(passed, each)


def _right_way_round(passed: Passed, installation: Installation) -> Entered:
    in_, out = passed.in_ * installation.factor, (passed.out or 0) * installation.factor
    entered, left = (out, in_) if installation.reversed else (in_, out)
    return Entered(start=passed.start, entered=entered, left=left)
