"""What comparable days lead to expect of certain hours of certain days, and how far that may be off. Pure.

In come a street's passages by day and hour, the hours asked for, the ordinary days of the season and what kind each day
is; out comes the expected sum with its interval. Source of the method: linear prediction with correlated errors, as in
Goldberger (1962); `docs/indicators.md` has the formulas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import exp
from statistics import NormalDist
from typing import Final

import numpy as np
from msgspec import Struct

from cloud_api.reports.flow_indicators import HOURS_A_DAY
from cloud_api.reports.hours import Flags, Floats, Hours, Ints

LEAST_OF_A_KIND: Final = 3
"""So many days of a kind tell what such a day is like."""
LEAST_FREE: Final = 5
"""So many days more than what is estimated from them tell how far days lie apart."""
MOST_ALIKE: Final = 0.95
"""Day after day cannot be more alike than that."""
SLOW: Final = 0.25
"""The share of what chance does to days that lasts for weeks, as on real streets."""
SLOW_DAYS: Final = 28.0
"""How long that lasts."""


class DayKind(Struct, frozen=True):
    """What makes a day comparable with another."""

    weekday: int
    """0 is Monday; a public holiday is a Sunday."""
    school_holiday: bool
    christmas: bool
    """In the weeks of Christmas shopping."""
    markets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DayTable:
    """A street's passages by local day and hour."""

    first: int
    """The day of row 0 (`date.toordinal`)."""
    counts: Floats
    """float64[day, 24]; NaN where it was not measured, cannot be believed, or the hour came twice."""

    def of(self, day: date, hours: Sequence[int]) -> Floats:
        """The passages of some hours of a day; NaN throughout on a day that it does not have."""
        row = day.toordinal() - self.first
        known: Floats = self.counts[row, list(hours)] if 0 <= row < len(self.counts) else np.full(len(hours), np.nan)
        return known


@dataclass(frozen=True, slots=True)
class SeasonDays:
    """Days of a season, of its own year and of others; arrays have the shape [day]."""

    day: Ints
    """`date.toordinal`."""
    kind: Ints
    """A number for each kind of day."""
    weekday: Ints
    """0 is Monday; a public holiday is a Sunday."""
    years: Ints
    """How many years it lies apart: 0 for the season itself, -1 for the one before."""
    position: Floats
    """Where it lies in the season, the same in every year: -1 at its beginning, 1 at its end."""

    def __len__(self) -> int:
        return len(self.day)

    def only(self, which: Flags | Ints) -> "SeasonDays":
        """Some of them."""
        return SeasonDays(
            day=self.day[which],
            kind=self.kind[which],
            weekday=self.weekday[which],
            years=self.years[which],
            position=self.position[which],
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """Days that are asked for, each with the hours in which it is."""

    days: SeasonDays
    hours: tuple[tuple[int, ...], ...]
    """By day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A sum that comparable days lead to expect."""

    median: float
    low: float
    high: float
    asked: Asked
    """What it is the sum of: days of whose kind there are too few are not in it."""
    comparable: Ints
    """Days of these kinds that it rests on (`date.toordinal`), in order."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Sums over certain hours of certain days."""

    days: SeasonDays
    sort: Ints
    """A number for each kind of day and set of hours."""


def day_table(hours: Hours) -> DayTable:
    """A street's hours by day."""
    if not len(hours):
        return DayTable(0, np.empty((0, HOURS_A_DAY)))
    rows = hours.day - hours.day[0]
    counts, times = np.full((int(rows[-1]) + 1, HOURS_A_DAY), np.nan), np.zeros((int(rows[-1]) + 1, HOURS_A_DAY))
    np.add.at(times, (rows, hours.hour), 1)
    counts[rows, hours.hour] = np.where(hours.measured, hours.both, np.nan)
    counts[times != 1] = np.nan
    return DayTable(int(hours.day[0]), counts)


def expected(table: DayTable, asked: Asked, ordinary: SeasonDays, rate: float) -> Expected | None:
    """The sum over what is asked for, on logarithms of days' sums; None where too few days are comparable.

    A day's sum is what its kind has, times what its year has, times a trend over the season, times a chance that lasts
    for some days. Ordinary days are days of the table.
    """
    windows = list(dict.fromkeys(asked.hours))
    known, logs = _rows_of(table, ordinary.only(np.isin(ordinary.weekday, asked.days.weekday)), windows)
    sort = asked.days.kind * len(windows) + np.array([windows.index(each) for each in asked.hours], dtype=np.int64)
    enough = [
        sort_
        for sort_, times in zip(*np.unique(known.sort, return_counts=True), strict=True)
        if times >= LEAST_OF_A_KIND
    ]
    told = np.flatnonzero(np.isin(sort, enough))
    wanted = _Rows(asked.days.only(told), sort[told])
    prediction = _predict(known, logs, wanted) if len(told) and (known.days.years == 0).any() else None
    if prediction is None:
        return None
    mean, error, free = prediction
    reach = exp(student(rate, free) * error)
    return Expected(
        median=mean,
        low=max((mean + len(told)) / reach - len(told), 0.0),
        high=(mean + len(told)) * reach - len(told),
        asked=Asked(wanted.days, tuple(asked.hours[each] for each in told)),
        comparable=np.unique(known.days.day[np.isin(known.sort, wanted.sort)]),
    )


def _rows_of(table: DayTable, days: SeasonDays, windows: Sequence[tuple[int, ...]]) -> tuple[_Rows, Floats]:
    """The days of which every hour of a window is known, window by window, and the logarithms of their sums."""
    counts = table.counts[days.day - table.first]
    sums = np.concatenate([counts[:, list(hours)].sum(axis=1) for hours in windows])
    measured = np.flatnonzero(~np.isnan(sums))
    window, day = np.divmod(measured, max(len(days), 1))
    its = days.only(day)
    return _Rows(its, its.kind * len(windows) + window), np.log1p(sums[measured])


def _predict(known: _Rows, logs: Floats, wanted: _Rows) -> tuple[float, float, int] | None:
    """The expected sum, the standard error of its logarithm, and the degrees of freedom that is known with."""
    design, asked = _design(known, known), _design(known, wanted)
    inverse = np.linalg.pinv(design)
    free = len(logs) - round(float(np.trace(design @ inverse)))
    if free < LEAST_FREE:
        return None
    estimate, weights = inverse @ logs, asked @ inverse
    residual = logs - design @ estimate
    alike = _likeness(np.concatenate([known.days.day, wanted.days.day]), _lasting(known.days.day, residual))
    of_known, of_wanted = alike[: len(logs), : len(logs)], alike[len(logs) :, len(logs) :]
    variance = float(residual @ residual) / float(np.trace(of_known - design @ (inverse @ of_known)))
    medians = np.exp(asked @ estimate)
    share = medians / medians.sum()
    mean = float(medians.sum() * np.exp(variance / 2 * (1 - share @ of_wanted @ share))) - len(medians)
    combined = np.concatenate([-share @ weights, share])
    return max(mean, 0.0), float(np.sqrt(variance * (combined @ alike @ combined))), free


def _design(known: _Rows, of: _Rows) -> Floats:
    """float64[row, column]: a column for each kind and window, for each other year, and for the trend."""
    sorts, years = np.unique(known.sort), np.setdiff1d(known.days.years, [0])
    columns = (of.sort[:, None] == sorts, of.days.years[:, None] == years, of.days.position[:, None])
    return np.concatenate(columns, axis=1, dtype=np.float64)


def _lasting(days: Ints, residual: Floats) -> float:
    """How much of a day's chance is left on the next, 0 to 1; of neighbours among the days."""
    by_day = dict(zip(days.tolist(), residual.tolist(), strict=True))
    pairs = np.array([(chance, by_day[day + 1]) for day, chance in by_day.items() if day + 1 in by_day])
    if len(pairs) < LEAST_FREE:
        return 0.0
    return float(np.clip((pairs[:, 0] * pairs[:, 1]).mean() / (residual**2).mean(), 0, MOST_ALIKE))


def _likeness(days: Ints, lasting: float) -> Floats:
    """float64[day, day]: the correlation of what chance does to each two days."""
    apart = np.abs(days[:, None] - days[None, :])
    by_distance = np.arange(int(apart.max()) + 1, dtype=np.float64)
    likeness: Floats = ((1 - SLOW) * lasting**by_distance + SLOW * np.exp(-by_distance / SLOW_DAYS))[apart]
    return likeness


def student(rate: float, free: int) -> float:
    """The quantile of Student's distribution that so much of it lies within, to a thousandth from 5 degrees on.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    z = NormalDist().inv_cdf((1 + rate) / 2)
    return (
        z
        + (z**3 + z) / (4 * free)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * free**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * free**4)
    )
