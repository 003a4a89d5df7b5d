"""Auckland's real counts as reports take them, read by the importer's own profile, and the calendar of New Zealand."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays
import numpy as np

from cloud_api.counts_import import akl
from cloud_api.counts_import.counts import Count
from cloud_api.forecast.days import SUNDAY, Calendar, DayKind
from cloud_api.reports.hours import Hours, make_hours
from firmware_sim.footfall import _file

AUCKLAND: Final = ZoneInfo("Pacific/Auckland")
HOUR_S: Final = 3600
SCHOOL_HOLIDAYS: Final = (
    (date(2021, 12, 17), date(2022, 2, 2)),
    (date(2022, 4, 15), date(2022, 5, 1)),
    (date(2022, 7, 9), date(2022, 7, 24)),
    (date(2022, 10, 1), date(2022, 10, 16)),
    (date(2022, 12, 20), date(2023, 2, 5)),
    (date(2023, 4, 7), date(2023, 4, 23)),
    (date(2023, 7, 1), date(2023, 7, 16)),
    (date(2023, 9, 23), date(2023, 10, 8)),
    (date(2023, 12, 20), date(2024, 2, 4)),
    (date(2024, 4, 13), date(2024, 4, 28)),
    (date(2024, 7, 6), date(2024, 7, 21)),
    (date(2024, 9, 28), date(2024, 10, 13)),
    (date(2024, 12, 21), date(2025, 2, 2)),
    (date(2025, 4, 12), date(2025, 4, 27)),
    (date(2025, 6, 28), date(2025, 7, 13)),
    (date(2025, 9, 20), date(2025, 10, 5)),
)
"""First and last days, as New Zealand's Ministry of Education set them."""


class NewZealand(Calendar):
    """The days of Auckland."""

    def __init__(self) -> None:
        super().__init__(None)
        self._holidays = holidays.country_holidays("NZ", subdiv="AUK")

    def kind(self, day: date) -> DayKind:
        """What kind of day a local date is."""
        school = any(first <= day <= last for first, last in SCHOOL_HOLIDAYS)
        return DayKind(SUNDAY if self.is_public_holiday(day) else day.weekday(), school)

    def is_public_holiday(self, day: date) -> bool:
        """Whether it is one in Auckland."""
        return day in self._holidays


@cache
def streets() -> dict[str, Hours]:
    """Every counter's hours over seven years, as the file has them; NaN where it has none, or the line is refused."""
    by_counter: dict[str, dict[int, int]] = defaultdict(dict)
    with _file().open(encoding="utf-8") as lines:
        for each in akl.read(lines, AUCKLAND):
            if isinstance(each, Count):
                by_counter[each.counter][int(each.start.timestamp())] = each.passages
    first = min(min(its) for its in by_counter.values())
    last = max(max(its) for its in by_counter.values())
    starts = range(first, last + HOUR_S, HOUR_S)
    empty = _empty(first, len(starts))
    return {name: _hours(empty, [its.get(start) for start in starts]) for name, its in by_counter.items()}


def _empty(first: int, hours: int) -> Hours:
    begin = datetime.fromtimestamp(first, UTC)
    nothing = np.full(hours, np.nan)
    starts = [begin + timedelta(hours=number) for number in range(hours)]
    sound = np.ones(hours, dtype=np.bool_)
    return make_hours(starts, AUCKLAND, in_=nothing, out=nothing, coverage=np.zeros(hours), sound=sound)


def _hours(empty: Hours, counts: list[int | None]) -> Hours:
    known = np.array([np.nan if count is None else count for count in counts])
    return replace(empty, in_=known, coverage=np.where(np.isnan(known), 0.0, 1.0))
