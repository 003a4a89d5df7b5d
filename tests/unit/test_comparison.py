"""Like days with like days, as many of one period as of the other, and every day that is left out is told."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.forecast.days import Calendar
from cloud_api.reports.comparison import DayLeftOut, LeftOut, compare
from cloud_api.reports.hours import Hours
from cloud_api.settings import SchoolZone
from tests.unit.test_flow_indicators import hours

CALENDAR = Calendar(SchoolZone.B)
JUNE = date(2026, 6, 1)
"""A Monday; a month without holidays."""


def days(per_hour: Sequence[int | None], *, first: date = JUNE) -> Hours:
    """Whole days, each with one count an hour."""
    return hours([count for count in per_hour for _ in range(24)], first=first)


def test_a_period_against_itself_has_not_changed() -> None:
    month = days([10, 11, 12, 13, 14, 30, 5] * 4)
    compared = compare(month, month, CALENDAR)

    assert compared is not None
    assert (compared.days, compared.change) == (28, 0)
    assert compared.left_out_now == compared.left_out_then == ()


@given(st.integers(1, 6), st.integers(1, 6), st.lists(st.integers(1, 500), min_size=7, max_size=7))
def test_weeks_alike_are_alike_however_many_of_them_each_period_has(
    weeks_now: int, weeks_then: int, week: list[int]
) -> None:
    autumn, winter = date(2026, 9, 7), date(2026, 1, 12)
    compared = compare(days(week * weeks_now, first=autumn), days(week * weeks_then, first=winter), Calendar(None))

    assert compared is not None
    assert (compared.change, compared.now) == pytest.approx((0, 24 * sum(week) / 7))
    assert compared.days == 7 * min(weeks_now, weeks_then)


def test_one_saturday_more_brings_nobody_more() -> None:
    five_saturdays = days([10] * 5 + [100, 10] + ([10] * 5 + [100, 10]) * 3 + [10] * 5 + [100], first=JUNE)
    four_saturdays = days(([10] * 5 + [100, 10]) * 4, first=JUNE)
    compared = compare(five_saturdays, four_saturdays, CALENDAR)

    assert compared is not None
    assert (compared.days, compared.change) == pytest.approx((28, 0))


def test_a_public_holiday_is_held_against_sundays_and_school_holidays_against_their_like() -> None:
    with_holiday = days([10] * 7, first=date(2026, 7, 13))
    before = days([10] * 6 + [70], first=date(2026, 7, 6))
    compared = compare(with_holiday, before, CALENDAR)

    assert compared is not None
    assert DayLeftOut(date(2026, 7, 7), LeftOut.NO_COUNTERPART) in compared.left_out_then, "the 14th is no Tuesday"
    in_term = compare(days([10] * 7, first=JUNE), days([10] * 7, first=date(2026, 8, 3)), CALENDAR)
    assert in_term is None


def test_what_was_not_measured_or_is_special_is_left_out_and_told() -> None:
    now = days([10, None, 10, 10, 10, 500, 10])
    then = days([10] * 7, first=JUNE + timedelta(weeks=1))
    compared = compare(now, then, Calendar(None), special=[date(2026, 6, 6)])

    assert compared is not None
    assert compared.left_out_now == (
        DayLeftOut(date(2026, 6, 2), LeftOut.NOT_MEASURED),
        DayLeftOut(date(2026, 6, 6), LeftOut.SPECIAL),
    )
    assert compared.change == 0
    assert compared.days == 5


def test_a_day_of_23_hours_is_held_against_none_of_24() -> None:
    spring = hours([10] * (24 * 7 - 1), first=date(2026, 3, 23))
    compared = compare(spring, days([10] * 7, first=date(2026, 3, 16)), Calendar(None))

    assert compared is not None
    assert (compared.days, compared.change) == (6, 0)
    assert compared.left_out_now == (DayLeftOut(date(2026, 3, 29), LeftOut.NO_COUNTERPART),)


def test_periods_without_a_day_in_common_are_not_compared() -> None:
    assert compare(days([10]), days([10], first=JUNE + timedelta(days=1)), CALENDAR) is None
    assert compare(days([None] * 7), days([10] * 7), CALENDAR) is None


def test_market_days_are_held_against_market_days() -> None:
    saturday = 5

    def this_year_alone(day: date) -> tuple[str, ...]:
        return ("Marché",) if day.weekday() == saturday and day.year == 2026 else ()

    now = days([10, 11, 12, 13, 14, 30, 5] * 4)
    last_year = days([10, 11, 12, 13, 14, 30, 5] * 4, first=date(2025, 6, 2))
    compared = compare(now, last_year, Calendar(None), markets=this_year_alone)

    assert compared is not None
    assert compared.days < 28
    assert {each.day.weekday() for each in compared.left_out_now if each.why is LeftOut.NO_COUNTERPART} >= {saturday}
