"""A car park counted at its entrances: the sum since it was last known, within its bounds, whatever the order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.car_parks import Count, Entered, base_of, count, counted_through, judge_count, refusal, settled
from cloud_api.stores.base import Correction, CorrectionCause
from cloud_api.trust import Cause, Trust, Verdict

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=6)
CAPACITY = 120
MINUTES = timedelta(minutes=5)
FRESH = Verdict(Trust.FRESH)

intervals = st.lists(
    st.builds(
        Entered,
        start=st.integers(-50, 1500).map(lambda number: NOON + number * MINUTES),
        entered=st.integers(0, 60).map(float),
        left=st.integers(0, 60).map(float),
    ),
    max_size=60,
)
occupations = st.integers(0, CAPACITY)


def said(occupied: int, at: datetime = NOON) -> Correction:
    return Correction(place="gare", at=at, occupied=occupied, cause=CorrectionCause.MANUAL)


def cars(base: Correction, passed: list[Entered], now: datetime = NOW) -> Count:
    return count(base, passed, CAPACITY, seen=base.at, as_of=now)


def went(minutes: int, *, entered: int = 0, left: int = 0) -> Entered:
    return Entered(start=NOON + timedelta(minutes=minutes), entered=entered, left=left)


@given(intervals, occupations)
def test_the_count_never_leaves_its_bounds(passed: list[Entered], occupied: int) -> None:
    assert 0 <= cars(said(occupied), passed).occupied <= CAPACITY


@given(intervals, occupations)
def test_the_order_in_which_intervals_come_changes_no_count(passed: list[Entered], occupied: int) -> None:
    assert cars(said(occupied), sorted(passed)) == cars(said(occupied), sorted(passed, reverse=True))


@given(intervals, occupations)
def test_what_stays_within_the_bounds_is_the_plain_sum(passed: list[Entered], occupied: int) -> None:
    known = cars(said(occupied), passed)

    assert known.drift > 0 or known.occupied == known.unbounded


@given(intervals, occupations, st.integers(0, 1500))
def test_the_past_of_a_car_park_is_what_was_counted_then(passed: list[Entered], occupied: int, number: int) -> None:
    then = NOON + number * MINUTES
    measured = [*passed, *(Entered(start=then - each * MINUTES, entered=0, left=0) for each in (1, 2))]

    (inside,) = counted_through([said(occupied)], measured, CAPACITY, [then])

    assert inside == (cars(said(occupied), passed, then).occupied if number > 0 else None)


def test_the_past_is_unknown_before_anybody_said_and_where_nobody_counted() -> None:
    passed = [went(-10, entered=3), went(10, entered=5), went(15, left=1), went(180, entered=2)]
    instants = [NOON + timedelta(minutes=minutes) for minutes in (-5, 15, 30, 60, 195)]

    assert counted_through([said(40)], passed, CAPACITY, instants) == [None, 45, 44, None, 46]


@given(intervals, occupations)
def test_settling_the_past_changes_no_count(passed: list[Entered], occupied: int) -> None:
    fact = settled("gare", said(occupied), passed, CAPACITY, NOW)

    assert fact is not None
    assert cars(fact, passed).occupied == cars(said(occupied), passed).occupied


@given(intervals, occupations, occupations)
def test_nothing_before_a_correction_weighs_any_more(passed: list[Entered], before: int, now: int) -> None:
    corrected = said(now, NOW - MINUTES)
    base = base_of([said(before), corrected])

    assert base == corrected
    assert cars(base, [each for each in passed if each.start < NOW - MINUTES]).occupied == now


def test_two_entrances_of_one_interval_are_summed_before_the_bounds_are_kept() -> None:
    known = cars(said(CAPACITY), [went(5, entered=10), went(5, left=10)])

    assert (known.occupied, known.drift) == (CAPACITY, 0)


def test_a_car_park_that_emptied_beyond_zero_counts_on_from_empty() -> None:
    known = cars(said(2), [went(5, left=5), went(10, entered=1)])

    assert (known.occupied, known.unbounded, known.drift) == (1, -2, 3)


def test_a_settled_past_says_that_a_bound_was_met_and_what_had_been_counted() -> None:
    fact = settled("gare", said(2), [went(5, left=5)], CAPACITY, NOW)

    assert fact is not None
    assert (fact.cause, fact.occupied, fact.counted) == (CorrectionCause.BOUND, 0, -3)
    assert settled("gare", fact, [], CAPACITY, NOW) is None


def test_more_cars_than_fit_are_refused_with_the_capacity() -> None:
    assert refusal(CAPACITY, CAPACITY) is None
    assert refusal(CAPACITY + 1, CAPACITY) == "121 cars; 0 to 120 expected, which is its capacity"
    assert refusal(-1, CAPACITY) is not None


def test_more_free_spaces_than_there_are_make_a_count_implausible() -> None:
    verdict = judge_count(cars(said(10), [went(5, left=60)]), CAPACITY, [FRESH], NOW)

    assert verdict.trust is Trust.IMPLAUSIBLE
    assert verdict.cause is not None
    assert "50 cars" in verdict.cause.en


def test_one_silent_entrance_makes_the_count_stale() -> None:
    silent = Verdict(Trust.STALE, Cause("sans nouvelles depuis 3 h", "no news for 3 h"))

    verdict = judge_count(cars(said(10), []), CAPACITY, [FRESH, silent], NOW)

    assert verdict == Verdict(
        Trust.STALE, Cause("une entrée : sans nouvelles depuis 3 h", "one entrance: no news for 3 h")
    )


def test_nobody_said_and_no_capacity_are_unknown_and_a_store_that_is_away_makes_stale() -> None:
    known = cars(said(10), [])

    assert judge_count(None, CAPACITY, [FRESH], NOW).trust is Trust.UNKNOWN
    assert judge_count(known, 0, [FRESH], NOW).trust is Trust.UNKNOWN
    assert judge_count(known, CAPACITY, [FRESH], NOW + timedelta(minutes=6)).trust is Trust.STALE


def test_a_count_says_when_somebody_last_checked_it() -> None:
    verdict = judge_count(cars(said(10), []), CAPACITY, [FRESH], NOW)

    assert verdict.trust is Trust.FRESH
    assert verdict.cause == Cause(
        "compté aux entrées, vérifié il y a 6 jours", "counted at the entrances, checked 6 days ago"
    )
