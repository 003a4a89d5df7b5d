"""Periods are cut where the town's clocks cut them, and what makes none says what was expected."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud_api.periods import PeriodError, parse_period

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("day", "next_day", "hours"),
    [("2026-03-28", "2026-03-29", 24), ("2026-03-29", "2026-03-30", 23), ("2026-10-25", "2026-10-26", 25)],
)
def test_a_day_has_as_many_hours_as_the_clocks_give_it(day: str, next_day: str, hours: int) -> None:
    assert len(list(parse_period(day, next_day, PARIS).hours())) == hours


def test_a_period_takes_in_the_hours_it_only_touches() -> None:
    period = parse_period("2026-11-21T09:10:00+01:00", "2026-11-21T10:20:00Z", PARIS)

    assert (period.start, period.end) == (datetime(2026, 11, 21, 8, tzinfo=UTC), datetime(2026, 11, 21, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "end", "field", "words"),
    [
        ("yesterday", "2026-11-22", "from", "a date (2026-03-29)"),
        ("2026-11-21", "2026-11-22T08:00:00", "to", "with its offset"),
        ("2026-11-21T08:00:00 01:00", "2026-11-22", "from", "%2B"),
        ("2026-11-21", "2026-11-21", "to", "one day ends on the next"),
        ("2026-11-22", "2026-11-21", "to", "after `from`"),
        ("2024-01-01", "2026-01-01", "to", "at most 400 days"),
        ("0001-01-01", "2026-01-01", "from", "a year from 2000 to 2099"),
        ("2026-01-01", "9999-12-31", "to", "a year from 2000 to 2099"),
    ],
)
def test_what_is_no_period_says_which_end_is_wrong_and_what_was_expected(
    start: str, end: str, field: str, words: str
) -> None:
    with pytest.raises(PeriodError, match=r".") as caught:
        parse_period(start, end, PARIS)

    assert caught.value.field == field
    assert words in caught.value.reason
