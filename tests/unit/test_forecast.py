"""Forecasts of free spaces: what they promise of any history, and of drivers whose truth is known."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.forecast.baselines import three_weeks
from cloud_api.forecast.days import SUNDAY, Calendar
from cloud_api.forecast.distribution import Chances, Said, Spaces, density, free_spaces, outlook
from cloud_api.forecast.model import learn
from cloud_api.forecast.occupancy import QUARTER_S, Occupancy, quarter_of, together, told_states
from cloud_api.forecast.quality import FEWEST, Method, Scored, judge
from cloud_api.settings import SchoolZone
from tests.drivers import Played, play

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
chances = st.floats(min_value=0, max_value=1)


@pytest.fixture(scope="module")
def played() -> Played:
    return play(seed=1, every=4)


@given(free=st.integers(0, 40), occupied=st.integers(0, 40), stays=chances, gets=chances, spread=st.floats(0, 2))
def test_the_probabilities_of_all_numbers_of_free_spaces_add_up_to_one(
    free: int, occupied: int, stays: float, gets: float, spread: float
) -> None:
    many = Chances(np.array([stays]), np.array([gets]), np.array([spread]))

    numbers = free_spaces(Spaces(free, occupied), many)
    seen = outlook(numbers)

    assert numbers.shape == (1, free + occupied + 1)
    assert (numbers >= 0).all()
    assert numbers.sum() == pytest.approx(1)
    assert 0 <= seen.low[0] <= seen.high[0] <= free + occupied
    assert -1e-9 <= seen.probability[0] <= 1 + 1e-9


def test_the_number_of_free_spaces_is_that_of_tossed_coins() -> None:
    generator = np.random.default_rng(1)
    tossed = generator.binomial(3, 0.7, 200_000) + generator.binomial(5, 0.2, 200_000)

    numbers = free_spaces(Spaces(3, 5), Chances(np.array([0.7]), np.array([0.2]), np.zeros(1)))

    assert numbers[0] == pytest.approx(np.bincount(tossed, minlength=9) / len(tossed), abs=0.005)


def test_where_spaces_are_many_their_sum_is_about_normal() -> None:
    chances = Chances(np.array([0.8]), np.array([0.3]), np.array([0.7]))
    exact = free_spaces(Spaces(20, 40), chances)[0]
    every = Chances(*(np.repeat(each, 61) for each in (chances.stays_free, chances.gets_free, chances.spread)))

    about = density(np.arange(61.0), np.full(61, 20.0), np.full(61, 40.0), every)

    assert about == pytest.approx(exact, abs=0.002)


def test_at_once_as_many_are_free_as_now(played: Played) -> None:
    numbers = played.model.numbers(played.start, Spaces(4, 6), float("nan"), np.array([0.0]))

    assert outlook(numbers).expected[0] == pytest.approx(4, abs=0.01)


def test_the_interval_covers_at_about_its_rate(played: Played) -> None:
    for minutes, scored in played.scored.items():
        covered = judge(scored).covered
        assert covered is not None
        assert 0.75 <= covered <= 0.97, minutes


def test_among_forecasts_of_a_probability_about_as_many_come_true(played: Played) -> None:
    for scored in played.scored.values():
        for each in judge(scored).calibration:
            if each.count >= 100:
                assert each.observed == pytest.approx(each.forecast, abs=0.2)


def test_a_forecast_is_about_as_good_as_the_better_baseline_or_better(played: Played) -> None:
    for minutes, scored in played.scored.items():
        brier = judge(scored).brier
        model, now, weeks = (brier[method] for method in Method)
        assert model is not None
        assert now is not None
        assert weeks is not None
        assert model <= min(now, weeks) + 0.01, minutes


def test_less_than_a_day_teaches_nothing() -> None:
    short = Occupancy(quarter_of(MONDAY), np.full(95, 0.5))

    assert learn(short, 10, Calendar(None), PARIS) is None


def test_a_space_is_unknown_before_its_first_word_and_after_it_was_silent_too_long() -> None:
    first = quarter_of(MONDAY)
    told = np.array([(first + 1) * QUARTER_S, (first + 2) * QUARTER_S])

    states = told_states(told, np.array([True, False]), range(first, first + 5), hold_s=QUARTER_S)

    assert states == pytest.approx([np.nan, 1, 0, 0, np.nan], nan_ok=True)


def test_a_quarter_hour_of_which_less_than_half_is_known_is_unknown() -> None:
    nan = np.nan

    assert together([np.array([1, 1, 1]), np.array([0, nan, nan]), np.array([0, 0, nan])]) == pytest.approx(
        [1 / 3, 0.5, nan], nan_ok=True
    )


def test_a_series_keeps_its_last_quarters_and_what_was_not_seen_is_unknown() -> None:
    series = Occupancy(100, np.array([0.1, 0.2])).noted(104, 0.5, most=4)

    assert series.first == 101
    assert series.share == pytest.approx([0.2, np.nan, np.nan, 0.5], nan_ok=True)
    assert series.noted(103, 0.9, most=4) is series


def test_a_public_holiday_is_a_sunday_and_school_holidays_are_those_of_the_zone() -> None:
    calendar = Calendar(SchoolZone.B)

    assert calendar.kind(date(2026, 11, 11)).weekday == SUNDAY
    assert calendar.kind(date(2026, 11, 12)).weekday == 3
    assert calendar.kind(date(2026, 12, 22)).school_holiday
    assert not calendar.kind(date(2026, 11, 12)).school_holiday
    assert not Calendar(None).kind(date(2026, 12, 22)).school_holiday


def test_the_last_three_weeks_are_those_of_the_same_hour_by_the_clock_on_the_wall() -> None:
    """The clocks went back on 25 October: 10:00 was 08:00 UTC before it and is 09:00 UTC after."""
    at = datetime(2026, 10, 27, 9, 30, tzinfo=UTC)
    first = quarter_of(datetime(2026, 10, 1, tzinfo=UTC))
    share = np.full(quarter_of(at) - first, 1.0)
    for weeks in (1, 2, 3):
        tuesday = quarter_of(datetime(2026, 10, 27, 8, tzinfo=UTC) - timedelta(weeks=weeks)) - first
        share[tuesday : tuesday + 4] = 0.5

    assert three_weeks(Occupancy(first, share), at, 10, PARIS) == Said(probability=1.0, expected=5.0, low=5, high=5)
    assert three_weeks(Occupancy(first, share[:0]), at, 10, PARIS) is None


def scored(model: float, as_now: float, free: int, many: int = FEWEST) -> Scored:
    filled = np.full(many, free)
    unknown = np.full(many, np.nan)
    return Scored(np.full(many, model), np.full(many, as_now), unknown, filled, filled, filled)


def test_a_model_worse_than_a_baseline_gives_way_to_it() -> None:
    assert judge(scored(0.5, 1.0, free=2)).serves is Method.AS_NOW
    assert judge(scored(0.9, 0.0, free=2)).serves is Method.MODEL
    assert judge(scored(1.0, 1.0, free=2)).serves is Method.MODEL


def test_few_forecasts_condemn_no_model() -> None:
    assert judge(scored(0.5, 1.0, free=2, many=FEWEST - 1)).serves is Method.MODEL


def test_a_baseline_that_had_nothing_to_say_has_no_score() -> None:
    assert judge(scored(0.5, 1.0, free=2)).brier[Method.USUAL] is None


def test_what_was_never_scored_has_no_figures() -> None:
    quality = judge(scored(0.5, 1.0, free=2, many=0))

    assert (quality.scored, quality.covered, quality.calibration) == (0, None, ())
    assert set(quality.brier.values()) == {None}
