"""What is said of an event: an uplift with its interval, or that it cannot be told and why. Values only.

`cloud_api/reports/event_effect.py` finds it; `docs/indicators.md` has the formulas.
"""

from datetime import date
from enum import StrEnum
from typing import Final

from msgspec import Struct

from cloud_api.reports.calendar import Event
from cloud_api.trust import Cause

RATE: Final = 0.9
"""How often an interval is to cover the truth."""


class Told(StrEnum):
    """What an uplift says."""

    MORE = "more"
    """More people than comparable days make plausible."""
    FEWER = "fewer"
    USUAL = "usual"
    """Within the interval: no effect can be told from the spread of days."""


class Doubt(StrEnum):
    """Why it cannot be told."""

    NO_DATA = "no data"
    """Nothing was measured in its hours."""
    NOT_OVER = "not over"
    """It lasts beyond the last hour that is known."""
    MISSING_HOURS = "missing hours"
    """Too few of its hours were measured."""
    FEW_DAYS = "too few comparable days"
    LONGER_THAN_HISTORY = "longer than the history"
    """There are fewer ordinary days to compare with than days of it."""
    FEW_PEOPLE = "too few people"
    """So few pass there usually that chance alone makes any difference."""


class Uplift(Struct, frozen=True, kw_only=True):
    """What was counted against what was to be expected, both directions together, over the event's measured hours."""

    counted: int
    expected: float
    """As many as comparable days lead to expect: more and fewer are equally likely."""
    low: float
    """The expectation's interval, at the stated rate."""
    high: float
    rate: float
    """How often such an interval covers what would have come without the event: 0.9."""
    comparable_days: int
    """It rests on so many."""
    hours: int
    """Hours of the event."""
    measured: int
    """Hours of it that were measured and have comparable days: the figures are theirs."""

    @property
    def gained(self) -> float:
        """Passages more than expected; negative where there were fewer."""
        return self.counted - self.expected

    @property
    def gained_low(self) -> float:
        """The low end of its interval."""
        return self.counted - self.high

    @property
    def gained_high(self) -> float:
        """The high end of its interval."""
        return self.counted - self.low

    @property
    def change(self) -> float:
        """As a share of the expectation: 0.1 is a tenth more."""
        return self.counted / self.expected - 1

    @property
    def change_low(self) -> float:
        """The low end of its interval."""
        return self.counted / self.high - 1

    @property
    def change_high(self) -> float:
        """The high end of its interval; infinite where nobody at all was plausible too."""
        return self.counted / self.low - 1 if self.low else float("inf")

    @property
    def told(self) -> Told:
        """What it says."""
        if self.counted > self.high:
            return Told.MORE
        return Told.FEWER if self.counted < self.low else Told.USUAL


class CannotTell(Struct, frozen=True):
    """No figure, and why."""

    doubt: Doubt
    cause: Cause


Answer = Uplift | CannotTell


class HourOfEvent(Struct, frozen=True):
    """One hour of the day, over all days of the event."""

    hour: int
    """By the town's clock, 0 to 23."""
    answer: Answer


class WhyNot(StrEnum):
    """Why a day is not comparable."""

    EVENT = "event"
    """The office's calendar names an event, this one or another."""
    OTHER_KIND = "other kind"
    """No day of the event has its weekday, holidays and markets."""
    NOT_MEASURED = "not measured"
    """Not all hours that the event has were measured, or they cannot be believed."""
    CLOCK_CHANGE = "clock change"
    """The same, on a day on which the clock lost an hour or had one twice."""


class DayNotComparable(Struct, frozen=True, order=True):
    """A day that an event is not held against."""

    day: date
    why: WhyNot


class StreetEffect(Struct, frozen=True, kw_only=True):
    """One street, or all streets of an event together."""

    street: str
    whole: Answer
    by_hour: tuple[HourOfEvent, ...]
    """In the order of the event's day: past midnight comes last."""
    comparable: tuple[date, ...]
    """The days that it was held against."""
    left_out: tuple[DayNotComparable, ...]
    """Days of the same season that it was not held against, and why."""


class EventEffect(Struct, frozen=True, kw_only=True):
    """What an event did: in all its streets together, in each, and in streets without it."""

    event: Event
    whole: StreetEffect
    streets: tuple[StreetEffect, ...]
    elsewhere: tuple[StreetEffect, ...]
    """Spill-over. Their intervals are wider: all of them together hold at the stated rate."""
