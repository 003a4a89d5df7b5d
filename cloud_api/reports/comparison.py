"""One period against another, fairly: like days with like days, and as many of one as of the other. Pure.

In come two periods' hours of the same counter or street, and the calendar; out come both periods' passages per day over
days that can be compared, and every day that was left out with the reason. Four weeks are never held against five.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from cloud_api.forecast.days import Calendar, DayKind
from cloud_api.reports.flow_indicators import hours_in, whole_days
from cloud_api.reports.hours import Hours

Markets = Callable[[date], tuple[str, ...]]
"""The weekly markets of a local day, by their names."""
_Kind = tuple[DayKind, tuple[str, ...], int]
"""A kind of day, its markets, and its length in hours: 23, 24 or 25."""


def no_markets(_: date) -> tuple[str, ...]:
    """A town without markets."""
    return ()


class LeftOut(StrEnum):
    """Why a day is not compared."""

    NOT_MEASURED = "not measured"
    """Not every hour of it was measured, or some of it cannot be believed."""
    SPECIAL = "special"
    """The office's calendar says that it is like no other: an event, works."""
    NO_COUNTERPART = "no counterpart"
    """The other period has no day of its kind that can be compared."""


class DayLeftOut(Struct, frozen=True, order=True):
    """A day that is not compared, and why."""

    day: date
    why: LeftOut


class Compared(Struct, frozen=True, kw_only=True):
    """What two periods have to say to each other."""

    days: float
    """How many days of each period the figures stand for."""
    now: float
    """Passages per day."""
    then: float
    left_out_now: tuple[DayLeftOut, ...]
    left_out_then: tuple[DayLeftOut, ...]

    @property
    def change(self) -> float:
        """`now` against `then`, as a share of `then`: 0.1 is a tenth more; NaN when nobody passed then."""
        return self.now / self.then - 1 if self.then else float("nan")


def compare(
    now: Hours, then: Hours, calendar: Calendar, special: Collection[date] = (), markets: Markets = no_markets
) -> Compared | None:
    """Both periods over days that can be compared; None when there is not one.

    Days are alike that share the weekday (a public holiday is a Sunday), whether schools are closed, the weekly markets
    and their length in hours. Each kind weighs as many days as the period that has fewer: neither has a Saturday more
    than the other.
    """
    days = _Days(calendar, special, markets)
    known_now, known_then = (_by_kind(hours, days) for hours in (now, then))
    shared = known_now.keys() & known_then.keys()
    if not shared:
        return None
    weights = np.array([min(len(known_now[kind]), len(known_then[kind])) for kind in shared], dtype=np.float64)
    means_now, means_then = (np.array([np.mean(known[kind]) for kind in shared]) for known in (known_now, known_then))
    return Compared(
        days=float(weights.sum()),
        now=float(weights @ means_now / weights.sum()),
        then=float(weights @ means_then / weights.sum()),
        left_out_now=_left_out(now, days, shared),
        left_out_then=_left_out(then, days, shared),
    )


class _Days(Struct, frozen=True):
    """What is known of days."""

    calendar: Calendar
    special: Collection[date]
    markets: Markets

    def kind(self, day: date, zone: ZoneInfo) -> _Kind:
        """What makes a day comparable with another."""
        return self.calendar.kind(day), self.markets(day), hours_in(day, zone)


def _by_kind(hours: Hours, days: _Days) -> Mapping[_Kind, Sequence[float]]:
    """By kind of day, the passages of each day that was measured whole and is not special."""
    kinds: dict[_Kind, list[float]] = defaultdict(list)
    for day, passages in whole_days(hours).items():
        if day not in days.special:
            kinds[days.kind(day, hours.zone)].append(passages)
    return kinds


def _left_out(hours: Hours, days: _Days, shared: Collection[_Kind]) -> tuple[DayLeftOut, ...]:
    measured = whole_days(hours)
    told: Sequence[date] = [date.fromordinal(int(day)) for day in np.unique(hours.day)]
    reasons = ((day, _why_left_out(day, measured, days.special, days.kind(day, hours.zone) in shared)) for day in told)
    return tuple(DayLeftOut(day, why) for day, why in reasons if why is not None)


def _why_left_out(
    day: date, measured: Collection[date], special: Collection[date], has_counterpart: bool
) -> LeftOut | None:
    if day in special:
        return LeftOut.SPECIAL
    if day not in measured:
        return LeftOut.NOT_MEASURED
    return None if has_counterpart else LeftOut.NO_COUNTERPART
