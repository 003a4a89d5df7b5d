"""Where a zone is going: what the last half-hour says, and no more."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.feeds.lots import Tendency
from cloud_api.registry.places import Audience
from cloud_api.trend import WINDOW, Sample, Trails, Trend, trend
from tests.town import NOW

MINUTE = timedelta(minutes=1)


def minutes(free: list[int], capacity: int = 100) -> list[Sample]:
    """One sample a minute, the last of them now."""
    return [
        Sample(NOW - MINUTE * (len(free) - 1 - index), number, capacity - number) for index, number in enumerate(free)
    ]


def test_a_zone_that_loses_a_space_a_minute_fills_by_sixty_an_hour() -> None:
    assert trend(minutes(list(range(60, 29, -1)))) == Trend(direction=Tendency.FILLING, free_per_hour=-60)


def test_a_zone_that_gains_two_spaces_a_minute_empties_by_a_hundred_and_twenty_an_hour() -> None:
    assert trend(minutes(list(range(0, 60, 2)))) == Trend(direction=Tendency.EMPTYING, free_per_hour=120)


def test_coming_and_going_is_steady() -> None:
    told = trend(minutes([40, 41, 40, 39] * 7))

    assert told is not None
    assert told.direction is Tendency.STEADY


def test_less_than_ten_minutes_say_nothing() -> None:
    assert trend(minutes([40, 35, 30, 25])) is None
    assert trend([]) is None


def test_sensors_that_come_back_move_no_car() -> None:
    half, whole = (
        Sample(NOW - 20 * MINUTE, 10, 10),
        Sample(NOW, 20, 20),
    )

    assert trend([half, whole]) == Trend(direction=Tendency.STEADY, free_per_hour=0)


@given(st.lists(st.integers(0, 30), min_size=11, max_size=31))
def test_a_trend_is_turned_round_with_the_time(free: list[int]) -> None:
    forth, back = trend(minutes(free, capacity=30)), trend(minutes(free[::-1], capacity=30))

    assert forth is not None
    assert back is not None
    assert abs((forth.free_per_hour or 0) + (back.free_per_hour or 0)) <= 1


def test_the_past_that_is_kept_is_half_an_hour_whatever_is_noted() -> None:
    trails, series = Trails(), ("z", Audience.PUBLIC)
    for minute in range(300):
        trails.note({series: Sample(NOW + minute * MINUTE, minute % 2, 9)}, NOW + minute * MINUTE)

    assert len(trails._samples[series]) == WINDOW / MINUTE + 1


def test_a_series_that_is_no_longer_known_has_no_trend() -> None:
    trails = Trails()
    for sample in minutes(list(range(60, 29, -1))):
        trails.note({("z", None): sample}, sample.at)
    assert trails.trend("z") is not None

    trails.note({}, NOW + MINUTE)

    assert trails.trend("z") is None
