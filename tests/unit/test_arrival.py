"""What a driver is told of an arrival: within bounds whatever was learned, and by the word of the better method."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.forecast.arrival import JUDGED, Arrival, Known, arrivals, nearest
from cloud_api.forecast.days import Calendar
from cloud_api.forecast.distribution import Spaces
from cloud_api.forecast.model import learn
from cloud_api.forecast.occupancy import Occupancy, quarter_of
from cloud_api.forecast.present import Present
from cloud_api.forecast.quality import Method, Scored
from cloud_api.forecast.record import LeadQuality, Outcomes, judged
from cloud_api.settings import SchoolZone
from cloud_api.trust import Trust, Verdict
from tests.foretold import PARIS

NOW = datetime(2026, 3, 10, 9, 7, tzinfo=UTC)
MOST = 60


def known(seed: int, quality: LeadQuality | None = None) -> Known:
    """What is learned of three weeks of whatever, with gaps."""
    generator = np.random.default_rng(seed)
    share = np.clip(np.cumsum(generator.normal(0, 0.2, 21 * 96)) % 2 - 0.5, 0, 1)
    share[generator.random(len(share)) < 0.1] = np.nan
    past = Occupancy(quarter_of(NOW) - len(share), share)
    judged_ = {} if quality is None else dict.fromkeys(JUDGED, quality)
    return Known(past=past, model=learn(past, MOST, Calendar(SchoolZone.B), PARIS), judged=judged_)


def quality(model: float, free: int, free_then: int, many: int = 400) -> LeadQuality:
    """What comes of a model that always gives the same probability, where the same always comes."""
    filled, after = np.full(many, free), np.full(many, free_then)
    scored = Scored(
        model=np.full(many, model),
        as_now=(after > 0).astype(float),
        usual=np.full(many, np.nan),
        low=filled,
        high=filled,
        free=filled,
    )
    return judged(15, Outcomes(scored, after, np.arange(many), 0))


def counted(free: int, occupied: int) -> Present:
    return Present(
        audience=None,
        capacity=free + occupied,
        verdict=Verdict(Trust.FRESH),
        occupied={},
        counted=Spaces(free, occupied),
    )


def told_of(which: Known, seen: Present, minutes: int = 15) -> Arrival:
    (told,) = arrivals(which, seen, {minutes: {}}, "halles", NOW, PARIS)
    return told


def known_of(share: float) -> Known:
    """What is learned of a day at whose every quarter-hour it was the same."""
    past = Occupancy(quarter_of(NOW) - 96, np.full(96, share))
    return Known(past=past, model=learn(past, MOST, Calendar(None), PARIS))


LEARNED = [
    *(known_of(share) for share in (0, 0.5, 1)),
    *(known(seed) for seed in range(3)),
    known(3, quality(0.5, free=4, free_then=9)),
]


@given(
    which=st.sampled_from(LEARNED),
    free=st.integers(0, MOST),
    occupied=st.integers(0, MOST),
    minutes=st.integers(5, 180),
)
def test_whatever_is_told_is_possible(which: Known, free: int, occupied: int, minutes: int) -> None:
    told = told_of(which, counted(free, occupied), minutes)

    assert (told.at - NOW).total_seconds() == 60 * minutes
    if free + occupied == 0:
        assert (told.probability, told.expected, told.low, told.high) == (None,) * 4
        return
    assert told.probability is not None
    assert told.low is not None
    assert told.expected is not None
    assert told.high is not None
    assert 0 <= told.probability <= 1
    assert 0 <= told.low <= told.expected <= told.high <= free + occupied


def test_a_lead_time_in_between_is_served_as_the_nearest_that_is_judged() -> None:
    assert [nearest(minutes) for minutes in (5, 20, 40, 100, 180)] == [15, 15, 30, 120, 180]


def test_as_now_comes_with_the_interval_that_its_past_had() -> None:
    told = told_of(known(1, quality(0.5, free=4, free_then=9)), counted(9, 3))

    assert told.method is Method.AS_NOW
    assert (told.probability, told.expected, told.low, told.high) == (1.0, 9, 4, 9)


@pytest.mark.parametrize("trust", [Trust.STALE, Trust.UNKNOWN, Trust.CLOSED])
def test_what_cannot_be_believed_now_is_not_forecast(trust: Trust) -> None:
    seen = Present(audience=None, capacity=12, verdict=Verdict(trust), occupied={}, counted=Spaces(3, 9))

    assert told_of(known(1), seen).probability is None
