"""Indicators of flows: totals to the unit, days by the town's clock, and nothing made of what nobody measured."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import isnan
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.reports.flow_indicators import (
    Cut,
    DayPart,
    daily_means,
    day_parts,
    hourly_means,
    peaks,
    total,
    totals,
    year_to_date,
)
from cloud_api.reports.hours import Hours, added_up, make_hours

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 3, 23)
"""Its Sunday has 23 hours."""
WEEK = 7 * 24 - 1

counts = st.one_of(st.none(), st.integers(0, 10_000))


def hours(counts_in: Sequence[int | None], *, first: date = MONDAY, coverage: float = 1.0) -> Hours:
    """Hours from a local midnight on; None is an hour that nobody measured."""
    midnight = datetime.combine(first, time.min, PARIS).astimezone(UTC)
    known = np.array([np.nan if count is None else count for count in counts_in])
    return make_hours(
        [midnight + timedelta(hours=number) for number in range(len(known))],
        PARIS,
        in_=known,
        out=known * 0,
        coverage=np.where(np.isnan(known), 0.0, coverage),
        sound=np.ones(len(known), dtype=np.bool_),
    )


@given(st.lists(counts, min_size=1, max_size=24 * 60), st.sampled_from(Cut))
def test_however_a_period_is_cut_its_pieces_add_up_to_the_whole(passed: list[int | None], cut: Cut) -> None:
    its = hours(passed)
    pieces, whole = totals(its, cut), total(its)

    assert whole is not None
    assert sum(each.in_ or 0 for each in pieces) == (whole.in_ or 0) == sum(each or 0 for each in passed)
    assert sum(each.hours for each in pieces) == whole.hours == len(passed)
    assert sum(each.measured for each in pieces) == whole.measured
    assert [each.start for each in pieces] == sorted({each.start for each in pieces})


def test_a_day_is_cut_by_the_town_s_clock_and_may_have_23_or_25_hours() -> None:
    spring = totals(hours([1] * (24 * 14 - 1), first=MONDAY), Cut.DAY)
    autumn = totals(hours([1] * (24 * 14 + 1), first=date(2026, 10, 19)), Cut.DAY)

    assert [each.hours for each in spring] == [24] * 6 + [23] + [24] * 7
    assert [each.both for each in autumn] == [24] * 6 + [25] + [24] * 7


def test_a_week_begins_on_monday_and_a_month_on_its_first() -> None:
    its = hours([1] * 24 * 40, first=date(2026, 1, 15))

    assert [each.start for each in totals(its, Cut.WEEK)][:2] == [date(2026, 1, 12), date(2026, 1, 19)]
    assert [each.start for each in totals(its, Cut.MONTH)] == [date(2026, 1, 1), date(2026, 2, 1)]


def test_what_nobody_measured_is_nothing_and_lowers_the_coverage() -> None:
    measured, silent = totals(hours([5] * 24 + [None] * 24), Cut.DAY)

    assert (measured.in_, measured.coverage, measured.measured) == (120, 1.0, 24)
    assert (silent.in_, silent.both, silent.coverage, silent.measured) == (None, None, 0.0, 0)


def test_the_year_to_date_ends_with_the_day_and_begins_with_the_year() -> None:
    its = hours([1] * 24 * 30, first=date(2025, 12, 20))
    to_date = year_to_date(its, date(2026, 1, 10))

    assert to_date is not None
    assert to_date.both == 240
    assert year_to_date(its, date(2024, 1, 10)) is None


def test_a_weekday_s_mean_is_over_whole_measured_days_only() -> None:
    its = hours([10] * 24 * 6 + [10] * 23 + [20] * 24 + [None] + [10] * 23)
    means = daily_means(its)

    assert (means[0].value, means[0].over) == (360.0, 2)
    assert (means[1].value, means[1].over) == (240.0, 1)
    assert (means[6].value, means[6].over) == (230.0, 1)


def test_an_hour_measured_in_part_counts_in_totals_and_not_in_means() -> None:
    its = hours([10] * WEEK, coverage=0.5)

    assert [each.both for each in totals(its, Cut.WEEK)] == [10 * WEEK]
    assert all(each.over == 0 and isnan(each.value) for each in daily_means(its))
    assert all(mean.over == 0 for day in hourly_means(its) for mean in day)
    assert peaks(its) == []


def test_peaks_are_the_busiest_hours_of_the_week() -> None:
    passed: list[int | None] = [1] * WEEK
    passed[24 * 2 + 10], passed[24 * 5 + 16] = 90, 80

    first, second, *_ = peaks(hours(passed))

    assert (first.weekday, first.hour, first.mean.value) == (2, 10, 90.0)
    assert (second.weekday, second.hour) == (5, 16)


@given(st.lists(st.integers(0, 500), min_size=24, max_size=24 * 7 - 1))
def test_the_parts_of_the_day_share_all_that_was_counted(passed: list[int]) -> None:
    shares = day_parts(hours(list(passed)))

    assert set(shares) == set(DayPart)
    if sum(passed):
        assert sum(shares.values()) == pytest.approx(1)
    else:
        assert all(isnan(share) for share in shares.values())


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=100))
def test_a_street_is_known_only_where_every_counter_of_it_is(passed: list[tuple[int | None, int | None]]) -> None:
    left, right = (hours([pair[side] for pair in passed]) for side in (0, 1))
    street = added_up([left, right])

    for known, (one, other) in zip(street.both, passed, strict=True):
        if one is None or other is None:
            assert isnan(known)
        else:
            assert known == one + other
    assert (street.measured == (left.measured & right.measured)).all()


def test_counters_over_different_hours_are_not_added_up() -> None:
    with pytest.raises(ValueError, match="over the same hours"):
        added_up([hours([1, 2]), hours([1, 2], first=date(2026, 5, 1))])
    with pytest.raises(ValueError, match="at least one"):
        added_up([])
