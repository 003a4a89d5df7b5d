"""The length of the day, held against another's reckoning (the package `astral`, 3.2)."""

from datetime import date

import numpy as np
import pytest

from cloud_api.reports.daylight import daylight_h

PARIS, TROMSO = 48.857, 69.65


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 6, 21), 16 + 10 / 60),
        (date(2026, 12, 21), 8 + 14 / 60),
        (date(2026, 3, 20), 12 + 9 / 60),
        (date(2026, 11, 1), 9 + 52 / 60),
    ],
)
def test_the_days_of_paris_are_as_long_as_others_reckon(day: date, hours: float) -> None:
    (told,) = daylight_h(np.array([day.toordinal()]), PARIS)

    assert told == pytest.approx(hours, abs=1.5 / 60)


def test_beyond_the_polar_circle_the_sun_stays_up_or_down() -> None:
    summer, winter = daylight_h(np.array([date(2026, 6, 21).toordinal(), date(2026, 12, 21).toordinal()]), TROMSO)

    assert (summer, winter) == (24, 0)
