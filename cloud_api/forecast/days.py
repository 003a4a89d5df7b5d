"""Which days are like which: weekday, public holiday, school holidays.

In come local dates, out come how much each past day tells of another. A public holiday is a Sunday. Pure: the
calendars come from the `holidays` package, which knows both the public and the school holidays of France.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import holidays
import numpy as np
from msgspec import Struct

from cloud_api.forecast.occupancy import Floats, Ints
from cloud_api.settings import SchoolZone

SUNDAY: Final = 6
SAME_SORT: Final = 0.15
"""What a Tuesday tells of a Thursday, beside another Thursday."""
ANY_DAY: Final = 0.01
"""What a Sunday tells of a Thursday: little, but more than nothing."""
OTHER_SCHOOL: Final = 0.3
"""What a day of term tells of the same weekday in the school holidays."""
HALF_LIFE_DAYS: Final = 28.0


class DayKind(Struct, frozen=True):
    """What matters of a day."""

    weekday: int
    """0 is Monday; a public holiday is a Sunday."""
    school_holiday: bool


class Calendar:
    """The days of one town."""

    def __init__(self, school_zone: SchoolZone | None) -> None:
        """Without a school zone no day is in the school holidays."""
        self._public = holidays.country_holidays("FR")
        self._school = (
            None
            if school_zone is None
            else holidays.country_holidays("FR", subdiv=f"Zone {school_zone}", categories="school")
        )

    def kind(self, day: date) -> DayKind:
        """What kind of day a local date is."""
        weekday = SUNDAY if day in self._public else day.weekday()
        return DayKind(weekday, self._school is not None and day in self._school)


def likeness(of: DayKind, to: Sequence[DayKind], days_apart: Floats) -> Floats:
    """How much each day of `to` tells of the day `of`: float64[day], 0 to 1; `days_apart`: float64[day]."""
    weekdays = np.array([kind.weekday for kind in to])
    school = np.array([kind.school_holiday for kind in to])
    weight = np.where(_sort(weekdays) == _sort(np.array(of.weekday)), SAME_SORT, ANY_DAY)
    weight = np.where(weekdays == of.weekday, 1.0, weight)
    weight = np.where(school == of.school_holiday, weight, weight * OTHER_SCHOOL)
    return weight * 0.5 ** (np.abs(days_apart) / HALF_LIFE_DAYS)


def _sort(weekdays: Ints) -> Ints:
    """0 for Monday to Friday, 5 for Saturday, 6 for Sunday."""
    return np.where(weekdays < 5, 0, weekdays)
