"""What the hours of a counter say: totals, rhythms, shares. Pure functions on arrays, defined in `docs/indicators.md`.

Every figure comes with what it rests on. Nothing is extrapolated: a total is what was counted, and its coverage says
how much of the period that is; means and shares are over hours that were measured and can be believed.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from cloud_api.reports.hours import Flags, Floats, Hours

HOURS_A_DAY: Final = 24
DAYS_A_WEEK: Final = 7


class Cut(StrEnum):
    """Into what a period is cut, by the town's clock."""

    DAY = "day"
    WEEK = "week"
    """From Monday on (ISO 8601)."""
    MONTH = "month"
    YEAR = "year"


class DayPart(StrEnum):
    """Parts of a day."""

    NIGHT = "night"
    MORNING = "morning"
    MIDDAY = "midday"
    AFTERNOON = "afternoon"
    EVENING = "evening"


DAY_PARTS: Final[Mapping[DayPart, range]] = MappingProxyType(
    {
        DayPart.MORNING: range(7, 11),
        DayPart.MIDDAY: range(11, 14),
        DayPart.AFTERNOON: range(14, 18),
        DayPart.EVENING: range(18, 22),
    }
)
"""Their hours; what is left is the night."""


class Total(Struct, frozen=True, kw_only=True):
    """What was counted in a stretch of time."""

    start: date
    """Its first local day."""
    in_: int | None
    """None where nothing of it was measured."""
    out: int | None
    hours: int
    """How many it has: a day has 23, 24 or 25."""
    measured: int
    """How many of them were measured."""
    coverage: float
    """Measured share of the whole stretch, 0 to 1."""

    @property
    def both(self) -> int | None:
        """Both directions together."""
        known = [count for count in (self.in_, self.out) if count is not None]
        return sum(known) if known else None


class Mean(Struct, frozen=True):
    """A mean, and how many whole measured days or hours it is taken over; NaN over none."""

    value: float
    over: int


class Peak(Struct, frozen=True, kw_only=True):
    """An hour of the week and its mean."""

    weekday: int
    """0 is Monday."""
    hour: int
    mean: Mean


def totals(hours: Hours, cut: Cut) -> list[Total]:
    """What was counted in each day, week, month or year, in order; the first and last may be cut by the period."""
    if not len(hours):
        return []
    keys = np.array([_first_day(date.fromordinal(int(day)), cut).toordinal() for day in hours.day])
    return [_total(hours, keys == key, date.fromordinal(int(key))) for key in np.unique(keys)]


def total(hours: Hours) -> Total | None:
    """What was counted in all; None over no hours."""
    return (
        _total(hours, np.ones(len(hours), dtype=np.bool_), date.fromordinal(int(hours.day[0]))) if len(hours) else None
    )


def year_to_date(hours: Hours, until: date) -> Total | None:
    """What was counted from the first of January to the end of a local day; None where the period holds none of it."""
    wanted = (hours.day >= date(until.year, 1, 1).toordinal()) & (hours.day <= until.toordinal())
    return _total(hours, wanted, date(until.year, 1, 1)) if wanted.any() else None


def daily_means(hours: Hours) -> tuple[Mean, ...]:
    """Passages on a Monday, …, on a Sunday: the mean over days of which every hour was measured."""
    days = whole_days(hours)
    return tuple(
        _mean([passages for day, passages in days.items() if day.weekday() == weekday])
        for weekday in range(DAYS_A_WEEK)
    )


def whole_days(hours: Hours) -> Mapping[date, float]:
    """By local day, its passages, where every hour of the day is there and was measured."""
    both, measured = hours.both, hours.measured
    wholes = {}
    for number in np.unique(hours.day):
        its, day = hours.day == number, date.fromordinal(int(number))
        if measured[its].all() and its.sum() == hours_in(day, hours.zone):
            wholes[day] = float(both[its].sum())
    return wholes


def hourly_means(hours: Hours) -> tuple[tuple[Mean, ...], ...]:
    """Passages in each hour of each weekday, [weekday][hour]: the mean over measured hours."""
    both, measured = hours.both, hours.measured
    return tuple(
        tuple(
            _mean(both[measured & (hours.weekday == weekday) & (hours.hour == hour)].tolist())
            for hour in range(HOURS_A_DAY)
        )
        for weekday in range(DAYS_A_WEEK)
    )


def peaks(hours: Hours, count: int = 5) -> list[Peak]:
    """The hours of the week with most passages on the mean, the first one first; those never measured are left out."""
    all_hours = [
        Peak(weekday=weekday, hour=hour, mean=mean)
        for weekday, day in enumerate(hourly_means(hours))
        for hour, mean in enumerate(day)
        if mean.over
    ]
    return sorted(all_hours, key=lambda peak: (-peak.mean.value, peak.weekday, peak.hour))[:count]


def day_parts(hours: Hours) -> Mapping[DayPart, float]:
    """The share of each part of the day in what was counted in measured hours; NaN where nobody was counted."""
    counts = np.where(hours.measured, hours.both, 0.0)
    shares = {part: _share(counts, np.isin(hours.hour, list(its))) for part, its in DAY_PARTS.items()}
    night = ~np.isin(hours.hour, [hour for its in DAY_PARTS.values() for hour in its])
    return {**shares, DayPart.NIGHT: _share(counts, night)}


def _share(counts: Floats, weight: Floats | Flags) -> float:
    all_counted = float(counts.sum())
    return float((counts * weight).sum()) / all_counted if all_counted else float("nan")


def hours_in(day: date, zone: ZoneInfo) -> int:
    """How many hours a local day has: 23, 24 or 25."""
    begin, end = (datetime.combine(each, time.min, zone) for each in (day, day + timedelta(days=1)))
    return round((end.timestamp() - begin.timestamp()) / 3600)


def _first_day(day: date, cut: Cut) -> date:
    match cut:
        case Cut.DAY:
            return day
        case Cut.WEEK:
            return day - timedelta(days=day.weekday())
        case Cut.MONTH:
            return day.replace(day=1)
        case Cut.YEAR:
            return day.replace(month=1, day=1)


def _total(hours: Hours, which: Flags, start: date) -> Total:
    return Total(
        start=start,
        in_=_sum(hours.in_[which]),
        out=_sum(hours.out[which]),
        hours=int(which.sum()),
        measured=int((hours.measured & which).sum()),
        coverage=float(hours.coverage[which].mean()),
    )


def _sum(counts: Floats) -> int | None:
    known = counts[~np.isnan(counts)]
    return round(float(known.sum())) if len(known) else None


def _mean(values: Sequence[float]) -> Mean:
    return Mean(float(np.mean(values)), len(values)) if values else Mean(float("nan"), 0)
