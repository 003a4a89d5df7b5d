"""The past of a zone, from what the store holds: for the time in which nobody observed it for the archive.

In come the changes that sensors told of their spaces, or what was counted at entrances; out comes a series. Blocks.
What another operator tells of a car park is in no store: such a zone is learned from the archive alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from cloud_api.car_parks import counted_through
from cloud_api.entrances import entered
from cloud_api.forecast.occupancy import Floats, Occupancy, start_of, together, told_states
from cloud_api.forecast.present import forecast_spaces
from cloud_api.registry import Registry, Zone
from cloud_api.registry.places import Counting
from cloud_api.stores.base import EARLIEST, SpaceChange, Store

HOLD: Final = timedelta(days=2)
"""A space that has not changed for longer is unknown: the store's changes do not tell rest from silence."""
SPACES_AT_ONCE: Final = 50
"""Spaces whose changes are held in memory together."""


def told_past(store: Store, registry: Registry, zone: Zone, quarters: range) -> Occupancy:
    """How full a zone was by what the store holds; NaN where nothing is. Blocks. Raises `StoreError`."""
    if zone.counting is Counting.ENTRANCES:
        return _counted_past(store, registry, zone, quarters)
    spaces = [each.id for each in forecast_spaces(registry, zone)]
    states: list[Floats] = []
    for first in range(0, len(spaces), SPACES_AT_ONCE):
        states += _told_states(store, registry, spaces[first : first + SPACES_AT_ONCE], quarters)
    if not states:
        return Occupancy(quarters.start, np.full(len(quarters), np.nan))
    return Occupancy(quarters.start, together(states))


def filled(observed: Occupancy, told: Occupancy) -> Occupancy:
    """What was observed, and where nothing was, what the store holds; both of the same quarter-hours."""
    return Occupancy(observed.first, np.where(np.isnan(observed.share), told.share, observed.share))


def _counted_past(store: Store, registry: Registry, zone: Zone, quarters: range) -> Occupancy:
    instants = [start_of(quarter) for quarter in quarters]
    corrections = store.corrections(zone.id, EARLIEST, start_of(quarters.stop))
    begin = max((each.at for each in corrections if each.at <= instants[0]), default=instants[0])
    intervals = entered(store, registry, zone, begin, start_of(quarters.stop))
    capacity = max(zone.capacity.cars, 1)
    inside = counted_through([each for each in corrections if each.at >= begin], intervals, capacity, instants)
    share = [np.nan if cars is None else cars / capacity for cars in inside]
    return Occupancy(quarters.start, np.array(share))


def _told_states(store: Store, registry: Registry, spaces: Sequence[str], quarters: range) -> list[Floats]:
    """Some spaces, one float64[quarter] of 1, 0 and NaN each."""
    start, end = start_of(quarters.start) - HOLD, start_of(quarters.stop)
    serving = [registry.installations_of(each, start, end) for each in spaces]
    devices = {each.device for installations in serving for each in installations}
    told: defaultdict[tuple[str, str], list[SpaceChange]] = defaultdict(list)
    for change in store.changes(sorted(devices), start, end) if devices else []:
        told[change.device, change.channel].append(change)
    return [
        _states(
            [
                change
                for each in sorted(installations, key=lambda each: each.start)
                for change in told[each.device, each.channel]
                if each.serves_at(change.at)
            ],
            quarters,
        )
        for installations in serving
    ]


def _states(changes: Sequence[SpaceChange], quarters: range) -> Floats:
    told = np.array([int(change.at.timestamp()) for change in changes], dtype=np.int64)
    occupied = np.array([change.occupied for change in changes], dtype=np.bool_)
    return told_states(told, occupied, quarters, HOLD.total_seconds())
