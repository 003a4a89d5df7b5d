"""A frozen space is found from its own past, and a sound one is hardly ever called frozen."""

from datetime import timedelta
from itertools import pairwise

import pytest

from cloud_api.frozen import FALSE_ALARMS_PER_YEAR, WEEKS, calendar
from cloud_api.stores.base import SpaceChange
from tests.parked import DAY, MONDAY, ZONE, looked_at, quiet, year_of

SPACES = 60
LEARNED = MONDAY + timedelta(weeks=WEEKS)
WATCHED_WEEKS = 8
Town = list[list[SpaceChange]]


@pytest.fixture(scope="module")
def town() -> Town:
    return [year_of(number, WEEKS + WATCHED_WEEKS, seed=1) for number in range(SPACES)]


def test_sound_spaces_are_called_frozen_no_more_often_than_stated(town: Town) -> None:
    """Looked at twice a day for eight weeks; a stay that is called frozen counts once."""
    alarms = {
        (key, still.since)
        for day in range(0, 7 * WATCHED_WEEKS, 2)
        for key, still in looked_at(town, LEARNED + day * DAY).items()
    }

    space_years = SPACES * WATCHED_WEEKS / 52

    assert len(alarms) <= FALSE_ALARMS_PER_YEAR * space_years + 2 * (FALSE_ALARMS_PER_YEAR * space_years) ** 0.5


def test_sensors_that_hang_are_found_within_days(town: Town) -> None:
    hung = [list(quiet(changes, LEARNED, LEARNED + 60 * DAY)) for changes in town[:12]]

    found = looked_at([*hung, *town[12:]], LEARNED + 14 * DAY)

    assert {f"d{number}" for number in range(12)} == {device for device, _ in found}


def test_a_holiday_of_the_whole_town_is_no_fault_of_its_sensors(town: Town) -> None:
    still = [list(quiet(changes, LEARNED, LEARNED + 1.5 * DAY)) for changes in town]

    assert looked_at(still, LEARNED + 1.5 * DAY) == {}


def test_a_space_of_which_little_is_known_is_frozen_only_after_all_the_weeks_looked_back_upon(town: Town) -> None:
    few = town[0][:6]

    assert looked_at([few], few[-1].at + timedelta(weeks=WEEKS) - DAY) == {}
    assert len(looked_at([few], few[-1].at + timedelta(weeks=WEEKS) + DAY)) == 1


def test_the_weeks_are_cut_by_the_clock_on_the_wall_also_where_it_is_changed() -> None:
    known = calendar(MONDAY + timedelta(weeks=6, minutes=50), ZONE)
    hours = known.hour_of_week[:: len(known.hour_of_week) // (WEEKS * 168)]

    jumps = [(int(before), int(after)) for before, after in pairwise(hours) if (after - before) % 168 != 1]

    assert jumps == [(6 * 24 + 1, 6 * 24 + 3)]
    assert known.end == MONDAY + timedelta(weeks=6)
