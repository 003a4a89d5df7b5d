"""What may stand in for hours that nobody measured, where a reader asks for it. Pure; never part of raw data.

In come the hours of a counter with the verdict on each, and the calendar; out comes a column of estimates beside the
measured one, by one method that has a name. An hour without enough like it stays missing.
"""

import warnings
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np

from cloud_api.forecast.days import Calendar
from cloud_api.reports.flow_indicators import HOURS_A_DAY
from cloud_api.reports.hours import Flags, Floats, Ints
from cloud_api.reports.quality import SOUND, Quality

WITHIN_DAYS: Final = 42
"""How far a day may lie and still tell of another: six weeks."""
LEAST_ALIKE: Final = 4
"""So many measured hours alike are needed."""


class Filling(StrEnum):
    """How gaps are filled."""

    MEDIAN = "median"
    """By the median of the measured hours alike: the same hour of days of the same kind (weekday, public and school
    holidays), at most six weeks away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A counter's hours in three columns, of which every hour has one; arrays have the shape [hour]."""

    method: Filling
    measured: Floats
    """Passages in both directions; NaN where the hour is left out."""
    estimated: Floats
    """Passages by the method; NaN where the hour was measured, or nothing is known that is like it."""
    alike: Ints
    """How many measured hours an estimate rests on; 0 where there is none."""

    @property
    def missing(self) -> Flags:
        """Hours that are neither measured nor estimated."""
        return np.isnan(self.measured) & np.isnan(self.estimated)

    @property
    def both(self) -> Floats:
        """Measured where it was, estimated where it can be; NaN where it is missing."""
        return np.where(np.isnan(self.measured), self.estimated, self.measured)


def filled(quality: Quality, calendar: Calendar, method: Filling = Filling.MEDIAN) -> Filled:
    """The hours that are left out, estimated where enough hours like them were measured."""
    hours, missing = quality.hours, quality.missing
    estimated, alike = np.full(len(hours), np.nan), np.zeros(len(hours), dtype=np.int64)
    if missing.any():
        days, row = np.unique(hours.day, return_inverse=True)
        counts = _by_day(quality, len(days), row)
        kind = _kinds(days, calendar)
        for number in np.unique(row[missing]):
            its = np.flatnonzero(missing & (row == number))
            like = counts[(kind == kind[number]) & (np.abs(days - days[number]) <= WITHIN_DAYS)][:, hours.hour[its]]
            alike[its] = (~np.isnan(like)).sum(axis=0)
            estimated[its] = _medians(like)
    enough = alike >= LEAST_ALIKE
    return Filled(
        method=method,
        measured=quality.measured,
        estimated=np.where(enough, estimated, np.nan),
        alike=np.where(enough, alike, 0),
    )


def _by_day(quality: Quality, days: int, row: Ints) -> Floats:
    """float64[day, 24] passages; NaN where the hour is left out."""
    sound = quality.fault == SOUND
    counts = np.full((days, HOURS_A_DAY), np.nan)
    counts[row[sound], quality.hours.hour[sound]] = quality.hours.both[sound]
    return counts


def _kinds(days: Ints, calendar: Calendar) -> Ints:
    """A number for each kind of day, int64[day]."""
    kinds = [calendar.kind(date.fromordinal(int(day))) for day in days]
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
    return np.array([numbers[kind] for kind in kinds], dtype=np.int64)


def _medians(like: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an hour without any like it: NaN
        medians: Floats = np.nanmedian(like, axis=0)
    return medians
