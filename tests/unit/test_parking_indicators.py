"""Indicators of parking: every car occupies for as long as it stays, and no length is made of an end nobody saw."""

from datetime import UTC, datetime, timedelta
from math import isnan
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.reports.open_hours import open_time
from cloud_api.reports.parking_indicators import (
    Limit,
    Overstays,
    Stays,
    Within,
    occupancy,
    overstays,
    saturated_s,
    stay_lengths,
    stays_of,
    turnover,
)
from cloud_api.stores.base import SpaceChange

UTC_ZONE = ZoneInfo("UTC")
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
START = MIDNIGHT.timestamp()
DAY = Within(START, START + 86_400)
EDGES = START + 3600.0 * np.arange(25, dtype=np.float64)
HOURS = 3600.0


def change(hour: float, *, occupied: bool, channel: str = "1") -> SpaceChange:
    return SpaceChange(device="d", channel=channel, at=MIDNIGHT + timedelta(hours=hour), occupied=occupied)


def parked(*hours: tuple[float, float]) -> Stays:
    return Stays(
        np.array([START + arrived * HOURS for arrived, _ in hours]),
        np.array([START + left * HOURS for _, left in hours]),
    )


@st.composite
def towns(draw: st.DrawFn) -> tuple[int, list[SpaceChange]]:
    """Some spaces, and a day's changes of each."""
    spaces = draw(st.integers(1, 5))
    changes = []
    for number in range(spaces):
        minutes = sorted(draw(st.sets(st.integers(0, 24 * 60 - 1), max_size=20)))
        occupied = draw(st.booleans())
        for minute in minutes:
            changes.append(change(minute / 60, occupied=occupied, channel=str(number)))
            occupied = not occupied
    return spaces, changes


@given(towns())
def test_the_occupied_time_of_a_day_is_that_of_its_stays(town: tuple[int, list[SpaceChange]]) -> None:
    spaces, changes = town
    stays = stays_of(changes)
    share = occupancy(stays, spaces, EDGES)

    clipped = np.clip(stays.left, START, START + 86_400) - np.clip(stays.arrived, START, START + 86_400)
    assert ((share >= 0) & (share <= 1 + 1e-9)).all()
    assert share.sum() * spaces * HOURS == pytest.approx(clipped.sum(), abs=1e-3)


@given(towns())
def test_no_hour_is_saturated_for_longer_than_it_is_occupied(town: tuple[int, list[SpaceChange]]) -> None:
    spaces, changes = town
    stays = stays_of(changes)

    assert (saturated_s(stays, spaces, EDGES) <= occupancy(stays, spaces, EDGES) * HOURS + 1e-3).all()


def test_a_car_that_stays_from_half_past_nine_to_eleven_fills_half_an_hour_and_an_hour() -> None:
    share = occupancy(parked((9.5, 11)), 2, EDGES)

    assert share[8:12].tolist() == pytest.approx([0, 0.25, 0.5, 0])


def test_full_is_when_every_space_is_occupied() -> None:
    full = saturated_s(parked((9, 11), (10, 10.5), (10.25, 12)), 3, EDGES)

    assert full[10] == pytest.approx(900)
    assert full.sum() == pytest.approx(900)


def test_a_car_that_was_there_before_anything_is_known_occupies_and_has_no_length() -> None:
    stays = stays_of([change(10, occupied=False), change(12, occupied=True), change(13, occupied=False)])

    assert occupancy(stays, 1, EDGES)[9:14].tolist() == pytest.approx([1, 0, 0, 1, 0])
    assert stay_lengths(stays, DAY).stays == 1
    assert stays.lengths.tolist() == [3600.0]


def test_a_sensor_that_says_the_same_twice_begins_no_second_stay() -> None:
    stays = stays_of([change(8, occupied=True), change(9, occupied=True), change(10, occupied=False)])

    assert stays.lengths.tolist() == [7200.0]


def test_turnover_counts_arrivals_per_space_and_day() -> None:
    assert turnover(parked((1, 2), (3, 4), (23, 30)), 2, DAY) == pytest.approx(1.5)
    assert turnover(parked((-1, 2)), 2, DAY) == 0


def test_lengths_are_of_cars_that_left_within_the_period() -> None:
    lengths = stay_lengths(parked((-1, 1), (2, 3), (4, 8), (23, 30)), DAY)

    assert (lengths.stays, lengths.mean_s, lengths.median_s) == (3, 8400.0, 7200.0)
    assert overstays(parked((-1, 1), (2, 3), (4, 8), (23, 30)), DAY, Limit(120, None)) == Overstays(3, 1)


def test_of_nothing_there_is_no_length_and_no_share() -> None:
    nothing = stays_of([])

    assert stay_lengths(nothing, DAY).stays == 0
    assert isnan(stay_lengths(nothing, DAY).mean_s)
    assert overstays(nothing, DAY, Limit(60, None)).share is None
    assert occupancy(nothing, 3, EDGES).tolist() == [0.0] * 24


def test_only_the_time_at_which_a_limit_holds_counts() -> None:
    """A blue zone from 9 to 12 and from 14 to 19: overnight, and over lunch, nobody overstays."""
    day = open_time("09:00-12:00,14:00-19:00", UTC_ZONE, int(START) - 86_400, int(START) + 86_400)
    overnight, over_lunch, all_morning = (-6, 9.5), (11.5, 14.75), (9, 11)

    stays = parked(overnight, over_lunch, all_morning)
    assert overstays(stays, DAY, Limit(90, day)) == Overstays(3, 1)
    assert overstays(stays, DAY, Limit(90, None)) == Overstays(3, 3)


@given(towns(), st.integers(1, 24 * 60), st.integers(1, 24 * 60))
def test_a_longer_limit_is_never_broken_more_often(town: tuple[int, list[SpaceChange]], one: int, other: int) -> None:
    stays = stays_of(town[1])
    short, long_ = (overstays(stays, DAY, Limit(minutes, None)) for minutes in sorted((one, other)))

    assert 0 <= long_.over <= short.over <= short.stays == long_.stays == stay_lengths(stays, DAY).stays
