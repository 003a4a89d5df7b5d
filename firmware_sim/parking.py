"""Drivers: when each bay is taken and left, by the rhythm of the week.

In come a bay's name, its habits and a seed, out comes the truth: occupied or free at any moment, and every change. The
rhythm repeats every four weeks, so that any moment can be asked for at once; its hours are those of UTC+1 all year
(in summer drivers come an hour later by the clock on the wall). It keeps nothing and never looks at a sensor.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from zlib import crc32

import numpy as np

CYCLE_DAYS = 28
QUIET_START = datetime(1970, 1, 5, 2, tzinfo=UTC)
"""A Monday, 03:00 in UTC+1: every day of the rhythm begins and ends in the dead of night."""
DAY_S = 86_400
SHORTEST_S = 60
"""Shorter than this no sensor would notice."""
OPENING_H, CLOSING_H = 8, 20
"""Shop hours in UTC+1."""
NIGHT_STAY_MIN = 9 * 60
NIGHT_GAP_MIN = 6 * 60
SUNDAY = 6
SUNDAY_FACTOR = 4.0
"""On Sundays a free bay waits so many times longer, after the morning's market."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a bay is used."""

    stay_min: float
    """Mean stay by day, minutes."""
    gap_min: float
    """Mean time by day that the bay is free, minutes."""
    at_night: float
    """How likely it is taken in the dead of night, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Change:
    """A car came or left."""

    at: datetime
    """UTC, to the second."""
    occupied: bool


@dataclass(frozen=True, slots=True)
class Drivers:
    """The drivers of one parking space."""

    space: str
    """Its id; with the seed it names the random numbers."""
    habits: Habits
    seed: int

    def occupied(self, moment: datetime) -> bool:
        """Whether a car stands there; from the second of a change on, the new state."""
        day, second = _day_and_second(moment)
        changes = sum(change <= second for change in _changes(self, day % CYCLE_DAYS))
        return _begins_occupied(self, day % CYCLE_DAYS) ^ (changes % 2 == 1)

    def since(self, moment: datetime) -> datetime:
        """When the state at `moment` began, at most four weeks back."""
        day, second = _day_and_second(moment)
        for earlier in range(day, day - CYCLE_DAYS - 1, -1):
            past = [change for change in _changes(self, earlier % CYCLE_DAYS) if earlier < day or change <= second]
            if past:
                return _moment(earlier, past[-1])
        return _moment(day - CYCLE_DAYS, 0)

    def changes_between(self, start: datetime, end: datetime) -> Iterator[Change]:
        """The changes at `start` <= t < `end`, in order of time."""
        first_day, _ = _day_and_second(start)
        last_day, _ = _day_and_second(end)
        for day in range(first_day, last_day + 1):
            occupied = _begins_occupied(self, day % CYCLE_DAYS)
            for second in _changes(self, day % CYCLE_DAYS):
                occupied = not occupied
                at = _moment(day, second)
                if start <= at < end:
                    yield Change(at, occupied)

    def changes_since(self, start: datetime, moment: datetime) -> int:
        """How many changes there were at `start` <= t < `moment`: as fast for years as for minutes."""
        return self._changes_before(moment) - self._changes_before(start)

    def _changes_before(self, moment: datetime) -> int:
        day, second = _day_and_second(moment)
        cycles, day_of_cycle = divmod(day, CYCLE_DAYS)
        sums = _running_sums(self)
        whole = second + (moment.microsecond > 0)
        today = sum(change < whole for change in _changes(self, day_of_cycle))
        return cycles * sums[-1] + sums[day_of_cycle] + today


@lru_cache(maxsize=8192)
def _begins_occupied(drivers: Drivers, day_of_cycle: int) -> bool:
    generator = np.random.default_rng((drivers.seed, crc32(drivers.space.encode()), day_of_cycle))
    return bool(generator.random() < drivers.habits.at_night)


@lru_cache(maxsize=8192)
def _changes(drivers: Drivers, day_of_cycle: int) -> tuple[int, ...]:
    """Seconds since the day's beginning at which the state changes; the next day begins as this one ends."""
    generator = np.random.default_rng((drivers.seed, crc32(drivers.space.encode()), day_of_cycle, 1))
    begins, next_begins = (_begins_occupied(drivers, day % CYCLE_DAYS) for day in (day_of_cycle, day_of_cycle + 1))
    changes = list(_comings_and_goings(drivers.habits, day_of_cycle, generator, occupied=begins))
    if begins ^ (len(changes) % 2 == 1) != next_begins:
        earliest = (changes[-1] if changes else 0) + SHORTEST_S
        changes.append(int(generator.integers(earliest, DAY_S - SHORTEST_S, endpoint=True)))
    return tuple(changes)


def _comings_and_goings(
    habits: Habits, day_of_cycle: int, generator: np.random.Generator, *, occupied: bool
) -> Iterator[int]:
    """Seconds of the day at which the state changes, by chance; room is left for one more change at the end."""
    second = 0.0
    while True:
        mean_s = 60 * _mean_min(habits, day_of_cycle, second, occupied=occupied)
        second += SHORTEST_S + generator.exponential(mean_s)
        if second >= DAY_S - 2 * SHORTEST_S:
            return
        yield int(second)
        occupied = not occupied


def _mean_min(habits: Habits, day_of_cycle: int, second: float, *, occupied: bool) -> float:
    """Mean minutes that a state lasts when it begins then."""
    hour = 3 + second / 3600
    by_day = OPENING_H <= hour < CLOSING_H
    if occupied:
        return habits.stay_min if by_day else NIGHT_STAY_MIN
    sunday_afternoon = day_of_cycle % 7 == SUNDAY and hour >= 13
    return (habits.gap_min if by_day else NIGHT_GAP_MIN) * (SUNDAY_FACTOR if sunday_afternoon else 1)


@lru_cache(maxsize=1024)
def _running_sums(drivers: Drivers) -> tuple[int, ...]:
    """How many changes lie before each day of the cycle; the last is the whole cycle's."""
    return (0, *accumulate(len(_changes(drivers, day)) for day in range(CYCLE_DAYS)))


def _day_and_second(moment: datetime) -> tuple[int, int]:
    """Days since the rhythm's beginning, and seconds within the day."""
    return divmod((moment - QUIET_START) // timedelta(seconds=1), DAY_S)


def _moment(day: int, second: int) -> datetime:
    return QUIET_START + timedelta(days=day, seconds=second)
