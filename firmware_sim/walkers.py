"""People who walk past a counter: how many the data set says, when and which way a seeded generator says.

In comes a real sensor's footfall, out comes the truth: passages, hourly counts, cumulative totals. In and out of an
hour always sum to the data set's count. All is a function of (seed, time): nothing is kept, any moment can be asked
for. It must never invent a count: an hour that the data set does not know is a `NoDataError`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from firmware_sim.footfall import NoDataError, hourly

HOUR_MS = 3_600_000
WEEK_H = 168
EDGE_MS = 10_000
"""Nobody walks so close to a full hour: a sensor that is seconds late puts nobody into another hour."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MONDAY_H = 96
"""Hours from the epoch, a Thursday, to the first Monday."""
LEAN_BY_HOUR = 0.18
"""How far the share of one direction swings over the day: out in the morning, home in the evening."""

Ints = NDArray[np.int64]


class Direction(StrEnum):
    """Which way somebody walks: the sensor's first or second direction."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Passage:
    """Somebody crosses the counting line."""

    at: datetime
    """UTC, to the millisecond."""
    direction: Direction


@dataclass(frozen=True, slots=True)
class Count:
    """Persons per direction."""

    in_: int
    out: int

    def __add__(self, other: "Count") -> "Count":
        return Count(self.in_ + other.in_, self.out + other.out)

    @property
    def both(self) -> int:
        """Persons in either direction."""
        return self.in_ + self.out


NOBODY = Count(0, 0)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Which real days the town lives through: `days` days from `real` on, over and over, the first on `town`.

    Weekdays agree when `days` is a multiple of 7 and `real` and `town` are the same day of the week.
    """

    real: date
    town: date
    days: int

    def real_day(self, town_day: date) -> date:
        """The day of the data set that the town lives through on its own day."""
        return self.real + timedelta(days=(town_day - self.town).days % self.days)


@dataclass(frozen=True, slots=True)
class Walkers:
    """The people who pass one counter."""

    counter: str
    """The counter's id; with the seed it names the random numbers."""
    sensor: str
    """The data set's sensor that lends its counts."""
    rhythm: Rhythm
    zone: ZoneInfo
    """The town's time zone: counts are mapped by wall-clock hour, see `footfall`."""
    opened: datetime
    """UTC, a full hour: when the sensor was switched on; before it nobody is counted."""
    seed: int
    at_once: int | None = None
    """At most so many people within `together_ms`, for a place and a sensor where more would not be seen."""
    together_ms: int = 4_500

    def count(self, hour: datetime) -> Count:
        """The true count of the hour that begins at `hour` (UTC, on the hour)."""
        if hour < self.opened:
            return NOBODY
        week, row = _week_and_row(_hour_number(hour))
        in_, out = _week(self, week)[row]
        return Count(int(in_), int(out))

    def totals_at(self, moment: datetime) -> Count:
        """Everybody who passed since `opened` and before `moment`."""
        if moment <= self.opened:
            return NOBODY
        hour = _hour_number(moment)
        times, inwards = _hour(self, hour)
        passed = int(np.searchsorted(times, _milliseconds(moment)))
        ins = int(inwards[:passed].sum())
        return self._before(hour) + Count(ins, passed - ins)

    def passages_between(self, start: datetime, end: datetime) -> Iterator[Passage]:
        """Who passes at `start` <= t < `end`, in order of time."""
        start_ms, end_ms = _milliseconds(max(start, self.opened)), _milliseconds(end)
        for hour in range(start_ms // HOUR_MS, -(-end_ms // HOUR_MS)):
            times, ins = _hour(self, hour)
            first, last = np.searchsorted(times, (start_ms, end_ms))
            for at_ms, is_in in zip(times[first:last].tolist(), ins[first:last].tolist(), strict=True):
                yield Passage(EPOCH + timedelta(milliseconds=at_ms), Direction.IN if is_in else Direction.OUT)

    def _before(self, hour: int) -> Count:
        """Everybody from `opened` to a full hour, in hours since 1970."""
        first_week, first_row = _week_and_row(_hour_number(self.opened))
        week, row = _week_and_row(hour)
        total = _weeks(self, first_week, week) + _week(self, week)[:row].sum(axis=0)
        in_, out = (total - _week(self, first_week)[:first_row].sum(axis=0)).tolist()
        return Count(in_, out)


@lru_cache(maxsize=1024)
def _weeks(walkers: Walkers, first: int, end: int) -> Ints:
    """int64[2]: persons in and out in the whole weeks `first` <= week < `end`."""
    return sum((_week(walkers, week).sum(axis=0) for week in range(first, end)), np.zeros(2, np.int64))


@lru_cache(maxsize=4096)
def _week(walkers: Walkers, week: int) -> Ints:
    """int64[168, 2]: persons in and out in each UTC hour of a week since the first Monday of 1970."""
    monday = EPOCH + timedelta(hours=FIRST_MONDAY_H + week * WEEK_H)
    local = [(monday + timedelta(hours=hour)).astimezone(walkers.zone) for hour in range(WEEK_H)]
    counts = np.array([_real_count(walkers, wall_clock) for wall_clock in local], dtype=np.int64)
    generator = _generator(walkers, week)
    phase = np.array([wall_clock.hour for wall_clock in local]) / 24 * 2 * np.pi
    ins = generator.binomial(counts, 0.5 - LEAN_BY_HOUR * np.sin(phase))
    return np.stack((ins, counts - ins), axis=1)


def _real_count(walkers: Walkers, wall_clock: datetime) -> int:
    real_day = walkers.rhythm.real_day(wall_clock.date())
    count = _real_hours(walkers.sensor, real_day)[wall_clock.hour]
    if count is None:
        raise NoDataError(f"{walkers.sensor}: no count for {real_day} {wall_clock.hour}:00; take a week without gaps")
    return count


@lru_cache(maxsize=1024)
def _real_hours(sensor: str, real_day: date) -> list[int | None]:
    return hourly(sensor, real_day, 1)


@lru_cache(maxsize=256)
def _hour(walkers: Walkers, hour: int) -> tuple[Ints, NDArray[np.bool_]]:
    """When people pass in an hour since 1970 (int64[n], UTC milliseconds, in order), and whether inwards (bool[n])."""
    week, row = _week_and_row(hour)
    ins, outs = _week(walkers, week)[row]
    generator = _generator(walkers, hour, 1)
    times = np.sort(generator.integers(EDGE_MS, HOUR_MS - EDGE_MS, size=ins + outs))
    if walkers.at_once is not None:
        times = _spread(times, walkers.at_once, walkers.together_ms)
    directions = generator.permutation(np.arange(ins + outs) < ins)
    return times + hour * HOUR_MS, directions


def _spread(times: Ints, at_once: int, together_ms: int) -> Ints:
    """The same people, those of a crowd put off (or, at the end of the hour, brought forward) until there is room."""
    spread = times.copy()
    for index in range(at_once, len(spread)):
        spread[index] = max(spread[index], spread[index - at_once] + together_ms)
    spread = np.minimum(spread, HOUR_MS - EDGE_MS)
    for index in range(len(spread) - at_once - 1, -1, -1):
        spread[index] = min(spread[index], spread[index + at_once] - together_ms)
    return np.sort(spread)


def _generator(walkers: Walkers, *period: int) -> np.random.Generator:
    return np.random.default_rng((walkers.seed, crc32(walkers.counter.encode()), *period))


def _hour_number(moment: datetime) -> int:
    """Full hours since 1970."""
    return (moment - EPOCH) // timedelta(hours=1)


def _week_and_row(hour: int) -> tuple[int, int]:
    """The week since the first Monday of 1970 that an hour since 1970 lies in, and its place there."""
    return divmod(hour - FIRST_MONDAY_H, WEEK_H)


def _milliseconds(moment: datetime) -> int:
    """UTC milliseconds since 1970, rounded up: a passage before `moment` is before it in milliseconds, too."""
    return -((EPOCH - moment) // timedelta(milliseconds=1))
