"""Spaces that have not changed for longer than their own past makes plausible: a detector that learns. Pure.

In come a space's changes of some weeks; out comes its habit: how often it changes in each hour of the week, while
free and while occupied, and how many changes it may at most be owed. A space is owed the sum of those rates since its
last change, slowed down by the pace of the whole town, so that a holiday is no fault of its sensors. It never calls
frozen what it has not learned, but for a space that did not change in all the weeks that it looks back.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cloud_api.stores.base import SpaceChange, from_seconds, to_seconds

FALSE_ALARMS_PER_YEAR: Final = 0.2
"""How often a sound space may be called frozen: once in five years. `make bench` (`trust`) measures how often it is."""
WEEKS: Final = 8
"""How far back it looks."""
LEAST_CHANGES: Final = 20
"""With fewer there is no habit to speak of."""
SLOT_S: Final = 600
HOUR_S: Final = 3600
HOURS_PER_WEEK: Final = 168
YEAR_S: Final = 365 * 86_400
PRIOR_HOURS: Final = 1.0
"""What the mean of all its hours weighs beside what a space did in one hour of the week."""
TAIL: Final = 0.1
"""The longest tenth of the stays tells how much longer they may get."""
PRIOR_STAYS: Final = 10
"""What the plain exponential tail weighs beside a space's own."""
BEYOND_LONGEST: Final = 1.2
"""Nothing is frozen that has not lasted so many times the longest stay ever seen."""
MARGIN: Final = 1.7
"""So many times what the tail says. Looked at every hour, a stay that began by night and lasts into the day is owed
more than any tail of eight weeks shows: without a margin a simulated space was called frozen 2.4 times a year."""
SLOWEST_PACE: Final = 0.1
"""A town that stands still altogether is taken for one that is slow: sensors that freeze together are found later."""
PRIOR_CHANGES: Final = 5.0
"""So many changes as expected weigh beside what the town did in one hour."""

Floats = NDArray[np.float32]
SpaceKey = tuple[str, str]
"""Device and channel."""


class Calendar(Struct, frozen=True):
    """The weeks that are looked back upon, cut into slots of `SLOT_S`."""

    edges: NDArray[np.int64]
    """int64[slot + 1], seconds since 1970, the last one `now` rounded down to the hour."""
    hour_of_week: NDArray[np.int64]
    """int64[slot], 0 is Monday from 00:00 by the town's clock."""

    @property
    def start(self) -> datetime:
        """The first instant."""
        return from_seconds(int(self.edges[0]))

    @property
    def end(self) -> datetime:
        """The first instant that no longer belongs to it."""
        return from_seconds(int(self.edges[-1]))


class Habit(Struct, frozen=True):
    """What one space does."""

    rates: Floats
    """float32[2, 168], changes an hour: free and occupied, by hour of the week."""
    limit: float
    """More changes than this it is never owed, but for `FALSE_ALARMS_PER_YEAR`."""


class Pace(Struct, frozen=True):
    """What a town does, counted while its spaces are learned."""

    observed: Floats
    """float32[hour] of the calendar, changes of all spaces."""
    expected: Floats
    """float32[hour], by their habits."""

    def by_slot(self) -> Floats:
        """float32[slot], 0.1 to 1: how fast the town was, beside its habits."""
        pace = (self.observed + PRIOR_CHANGES) / (self.expected + PRIOR_CHANGES)
        return np.repeat(np.clip(pace, SLOWEST_PACE, 1), HOUR_S // SLOT_S).astype(np.float32)


class Still(Struct, frozen=True, kw_only=True):
    """A space as it is now, and since when."""

    device: str
    channel: str
    occupied: bool
    since: datetime


def calendar(now: datetime, zone: ZoneInfo) -> Calendar:
    """The `WEEKS` before `now`. `zone`'s offsets are whole slots."""
    end = to_seconds(now) // HOUR_S * HOUR_S
    edges = np.arange(end - WEEKS * HOURS_PER_WEEK * HOUR_S, end + 1, SLOT_S)
    local = [from_seconds(int(start)).astimezone(zone) for start in edges[: -1 : HOUR_S // SLOT_S]]
    hours = np.array([each.weekday() * 24 + each.hour for each in local])
    return Calendar(edges, np.repeat(hours, HOUR_S // SLOT_S))


def no_pace(known: Calendar) -> Pace:
    """A town of which no space was learned yet."""
    hours = len(known.hour_of_week) * SLOT_S // HOUR_S
    return Pace(np.zeros(hours, np.float32), np.zeros(hours, np.float32))


def learn(changes: Sequence[SpaceChange], known: Calendar, town: Pace) -> tuple[Habit | None, Pace]:
    """The habit of one space, whose changes are in order of time; None where it did too little. Adds it to the town."""
    times = np.array([to_seconds(change.at) for change in changes], np.int64)
    states = np.array([change.occupied for change in changes], np.int64)
    ended = states[:-1] != states[1:]
    if ended.sum() < LEAST_CHANGES:
        return None, town
    left, at, began = states[:-1][ended], times[1:][ended], times[:-1][ended]
    rates = _rates(times, states, left, at, known)
    owed = _owed(rates, left, began, at, known)
    habit = Habit(rates, _limit(np.sort(owed), len(owed) * YEAR_S / max(1, int(times[-1] - times[0]))))
    return habit, _with(town, rates, times, states, at, known)


def frozen(
    spaces: Sequence[Still], habits: Mapping[SpaceKey, Habit], known: Calendar, town: Pace
) -> dict[SpaceKey, Still]:
    """Those of the spaces that have not changed for longer than is plausible."""
    pace = town.by_slot()
    return {
        (space.device, space.channel): space
        for space in spaces
        if _is_frozen(space, habits.get((space.device, space.channel)), known, pace)
    }


def _is_frozen(space: Still, habit: Habit | None, known: Calendar, pace: Floats) -> bool:
    if habit is None:
        return space.since < known.start
    since = max(to_seconds(space.since), int(known.edges[0]))
    first = int((since - known.edges[0]) // SLOT_S)
    rates = habit.rates[int(space.occupied)][known.hour_of_week[first:]]
    return float((rates * pace[first:]).sum()) * SLOT_S / HOUR_S > habit.limit


def _rates(
    times: NDArray[np.int64],
    states: NDArray[np.int64],
    left: NDArray[np.int64],
    at: NDArray[np.int64],
    known: Calendar,
) -> Floats:
    """Changes an hour, float32[2, 168], until the last change: what is open now must not excuse itself."""
    first, last = np.searchsorted(known.edges, (times[0], times[-1]))
    hours = known.hour_of_week[first:last]
    state = states[np.searchsorted(times, known.edges[first:last], side="right") - 1]
    spent = _by_hour(state, hours) * (SLOT_S / HOUR_S)
    ended = _by_hour(left, known.hour_of_week[_slot(at, known)])
    mean = (ended.sum(axis=1) + 1) / (spent.sum(axis=1) + 24)
    rates: Floats = ((ended + PRIOR_HOURS * mean[:, None]) / (spent + PRIOR_HOURS)).astype(np.float32)
    return rates


def _by_hour(state: NDArray[np.int64], hour: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bincount(state * HOURS_PER_WEEK + hour, minlength=2 * HOURS_PER_WEEK).reshape(2, HOURS_PER_WEEK)


def _slot(at: NDArray[np.int64], known: Calendar) -> NDArray[np.int64]:
    slots: NDArray[np.int64] = np.clip((at - known.edges[0]) // SLOT_S, 0, len(known.hour_of_week) - 1)
    return slots


def _owed(
    rates: Floats, left: NDArray[np.int64], began: NDArray[np.int64], at: NDArray[np.int64], known: Calendar
) -> NDArray[np.float64]:
    """Changes that were owed when each stay ended: by its own habit, about 1 on the mean."""
    sums = np.zeros((2, len(known.edges)))
    np.cumsum(rates[:, known.hour_of_week] * (SLOT_S / HOUR_S), axis=1, out=sums[:, 1:])
    free, occupied = (np.interp(at, known.edges, each) - np.interp(began, known.edges, each) for each in sums)
    return np.where(left == 1, occupied, free)


def _limit(owed: NDArray[np.float64], stays_per_year: float) -> float:
    """What so many stays a year go beyond `FALSE_ALARMS_PER_YEAR` times, from the tail of those seen (sorted)."""
    longest = owed[-max(1, round(TAIL * len(owed))) :]
    excess = (float((longest - longest[0]).sum()) + PRIOR_STAYS) / (len(longest) - 1 + PRIOR_STAYS)
    unsure = 1 + 1 / np.sqrt(len(longest) + PRIOR_STAYS)
    beyond = max(1.0, excess) * unsure * np.log(max(1.0, TAIL * stays_per_year / FALSE_ALARMS_PER_YEAR))
    return float(MARGIN * max(longest[0] + beyond, BEYOND_LONGEST * owed[-1]))


def _with(
    town: Pace,
    rates: Floats,
    times: NDArray[np.int64],
    states: NDArray[np.int64],
    at: NDArray[np.int64],
    known: Calendar,
) -> Pace:
    """The town's pace with one more space, from its first change on."""
    first = int(np.searchsorted(known.edges[:-1], times[0]))
    state = states[np.searchsorted(times, known.edges[first:-1], side="right") - 1]
    expected = np.zeros(len(known.hour_of_week), np.float32)
    expected[first:] = rates[state, known.hour_of_week[first:]] * (SLOT_S / HOUR_S)
    observed = np.bincount(_slot(at, known) * SLOT_S // HOUR_S, minlength=len(town.observed)).astype(np.float32)
    return Pace(town.observed + observed, town.expected + expected.reshape(len(town.expected), -1).sum(axis=1))
