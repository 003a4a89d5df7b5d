"""How much of each hour shops are open: by the town's clock, to the minute, and in words that a shopkeeper reads."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.reports.open_hours import in_words, open_share, open_time, understood
from cloud_api.reports.report import SHOP_HOURS
from cloud_api.reports.writing import ENGLISH, FRENCH
from tests.unit.test_flow_indicators import PARIS, hours


def by_day(text: str, first: date, days: int) -> list[float]:
    """Open hours of each day."""
    shares = open_share(text, hours([1] * 24 * days, first=first))
    return [float(each) for each in shares.reshape(days, 24).sum(axis=1)]


def test_shops_are_open_from_monday_to_saturday_and_not_on_a_public_holiday() -> None:
    armistice = date(2026, 11, 11)
    assert by_day(SHOP_HOURS, date(2026, 11, 9), 7) == [9, 9, 0, 9, 9, 9, 0], armistice


def test_an_hour_that_is_open_in_part_is_open_in_proportion() -> None:
    shares = open_share("09:30-19:15", hours([1] * 24))

    assert (shares[8], shares[9], shares[10], shares[19], shares[20]) == pytest.approx((0, 0.5, 1, 0.25, 0))


def test_what_is_open_all_night_is_open_for_23_hours_of_the_day_the_clocks_go_on() -> None:
    assert open_share("24/7", hours([1] * 23, first=date(2026, 3, 29))).sum() == 23


@given(st.integers(0, 23 * 60), st.integers(1, 24 * 60), st.integers(0, 20))
def test_all_hours_together_are_as_long_open_as_the_period(opens: int, lasts: int, day: int) -> None:
    closes = min(opens + lasts, 24 * 60)
    text = f"{opens // 60:02d}:{opens % 60:02d}-{closes // 60:02d}:{closes % 60:02d}"
    its = hours([1] * 24 * 3, first=date(2026, 6, 1 + day))
    first, last = int(its.start[0]), int(its.start[-1]) + 3600
    whole = open_time(text, PARIS, first, last).until(np.array([float(first), float(last)]))

    assert (
        open_share(text, its).sum() * 3600
        == pytest.approx(whole[1] - whole[0])
        == pytest.approx(3 * 60 * (closes - opens))
    )


def test_a_text_that_is_no_opening_hours_is_not_understood() -> None:
    assert [understood(text) for text in (SHOP_HOURS, "10:00-19:00", "10h-19h", "lundi", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_opening_hours_are_told_in_words() -> None:
    longer = "Tu-Fr 09:30-12:30,14:00-19:00; PH off"

    assert in_words(SHOP_HOURS, FRENCH) == "lundi–samedi 10\u202fh–19\u202fh\u202f; fermé les jours fériés"
    assert in_words(longer, FRENCH).startswith("mardi–vendredi 9\u202fh\u202f30–12\u202fh\u202f30, 14\u202fh")
    assert in_words(SHOP_HOURS, ENGLISH) == "Mo–Sa 10:00–19:00; closed on public holidays"
