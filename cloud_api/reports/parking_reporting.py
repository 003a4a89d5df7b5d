"""Makes a report on parking: reads the changes of each zone's spaces, one zone at a time. Blocks on the store.

A space of which no change is known, from two days before the period on, is left out: nobody knows whether it was free,
occupied, or silent.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

import numpy as np

from cloud_api.registry import Installation, Zone
from cloud_api.registry.places import Counting, MaxStay
from cloud_api.reports.asking import period_of
from cloud_api.reports.gathering import Progress, Town, silently
from cloud_api.reports.open_hours import open_time
from cloud_api.reports.parking_facts import ParkingFacts, ZoneStays
from cloud_api.reports.parking_indicators import Limit, Overstays, Within, overstays, stays_of
from cloud_api.reports.parking_report import parking_report
from cloud_api.reports.report import Asked, Report
from cloud_api.stores.base import SpaceChange

LOOK_BACK: Final = timedelta(days=2)
SPACES_AT_ONCE: Final = 50
"""Spaces whose changes are read together."""


def make_parking_report(town: Town, asked: Asked, tell: Progress = silently) -> Report:
    """The report, as of its date. Raises `StoreError`."""
    zones = []
    for place in asked.places:
        zone = town.registry.zones[place]
        tell(zone.name)
        zones.append(zone_stays(town, zone, asked))
    return parking_report(ParkingFacts(asked=asked, town=town.name, zones=zones))


def zone_stays(town: Town, zone: Zone, asked: Asked) -> ZoneStays:
    """The stays in one zone. Raises `StoreError`."""
    period = period_of(asked.period)
    hours = [hour for hour in period.hours() if hour + timedelta(hours=1) <= asked.committed_until]
    edges = [*hours, hours[-1] + timedelta(hours=1)] if hours else []
    single = zone.counting is Counting.SPACES
    spaces = [space.id for space in town.registry.spaces_of(zone.id)] if single else []
    then, now = ([*_changes(town, asked, spaces, as_of)] for as_of in (asked.committed_until, None))
    until = [each for each in then if not edges or each.at < edges[-1]]
    return ZoneStays(
        name=zone.name,
        counted_by_space=single,
        spaces=len(spaces),
        known=len({each.device for each in until}),
        stays=stays_of(sorted(until)),
        limited=[*_limited(town, zone, sorted(until), edges)] if until and edges else [],
        edges=np.array([edge.timestamp() for edge in edges]),
        starts=tuple(hour.astimezone(town.zone) for hour in hours),
        later=len(now) - len(then),
    )


def _limited(
    town: Town, zone: Zone, changes: Sequence[SpaceChange], edges: Sequence[datetime]
) -> Iterator[tuple[MaxStay, Overstays]]:
    """The cars that left spaces with a limit, for each limit."""
    limit_of = {each.id: each.max_stay or zone.max_stay for each in town.registry.spaces_of(zone.id)}
    first, last = int((edges[0] - LOOK_BACK).timestamp()), int(edges[-1].timestamp())
    for limit in dict.fromkeys(each for each in limit_of.values() if each is not None):
        during = None if limit.hours is None else open_time(limit.hours, town.zone, first, last)
        stays = stays_of([each for each in changes if limit_of[each.device] == limit])
        yield limit, overstays(stays, Within(edges[0].timestamp(), float(last)), Limit(limit.minutes, during))


def _changes(town: Town, asked: Asked, spaces: list[str], as_of: datetime | None) -> Iterator[SpaceChange]:
    """The changes of some spaces; what tells of each is the space, not its sensor."""
    return chain.from_iterable(
        _of_some(town, asked, spaces[first : first + SPACES_AT_ONCE], as_of)
        for first in range(0, len(spaces), SPACES_AT_ONCE)
    )


def _of_some(town: Town, asked: Asked, spaces: list[str], as_of: datetime | None) -> Iterator[SpaceChange]:
    period = period_of(asked.period)
    start, end = period.start - LOOK_BACK, period.end
    serving: Mapping[str, list[Installation]] = {
        space: town.registry.installations_of(space, start, end) for space in spaces
    }
    devices = sorted({each.device for its in serving.values() for each in its})
    changes = town.store.changes(devices, start, end, as_of) if devices else []
    for space, installations in serving.items():
        for change in changes:
            if any(
                (each.device, each.channel) == (change.device, change.channel) and each.serves_at(change.at)
                for each in installations
            ):
                yield SpaceChange(device=space, channel="", at=change.at, occupied=change.occupied)
