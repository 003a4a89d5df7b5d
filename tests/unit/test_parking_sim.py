"""The drivers' truth: a bay is taken or free at any moment, and its changes say the same."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.parking import QUIET_START, Drivers, Habits

DRIVERS = Drivers("place-1", Habits(stay_min=35, gap_min=8, at_night=0.3), seed=3)
MONDAY = datetime(2026, 11, 16, 2, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
SECOND = timedelta(seconds=1)


@given(start=MOMENTS, hours=st.integers(0, 2_000))
def test_the_state_is_what_the_changes_make_of_it(start: datetime, hours: int) -> None:
    end = start + timedelta(hours=hours)
    state = DRIVERS.occupied(start - SECOND)
    for change in DRIVERS.changes_between(start, end):
        assert change.occupied is not state
        state = change.occupied
        assert DRIVERS.occupied(change.at) is state
        assert DRIVERS.since(change.at) == change.at
    assert DRIVERS.occupied(end - timedelta(microseconds=1)) is state or hours == 0


@given(start=MOMENTS, hours=st.integers(0, 2_000))
def test_changes_are_counted_without_walking_through_them(start: datetime, hours: int) -> None:
    end = start + timedelta(hours=hours)
    assert DRIVERS.changes_since(start, end) == len(list(DRIVERS.changes_between(start, end)))


@given(moment=MOMENTS)
def test_a_state_began_with_the_last_change(moment: datetime) -> None:
    since = DRIVERS.since(moment)
    assert since <= moment
    assert list(DRIVERS.changes_between(since + SECOND, moment)) == []
    assert DRIVERS.occupied(since) is DRIVERS.occupied(moment)


def test_no_state_is_shorter_than_a_sensor_notices() -> None:
    times = [change.at for change in DRIVERS.changes_between(MONDAY, MONDAY + timedelta(days=56))]
    assert all(later - earlier >= timedelta(seconds=60) for earlier, later in pairwise(times))


def test_the_rhythm_starts_over_after_four_weeks() -> None:
    cycle = timedelta(days=28)
    one = [change.at + cycle for change in DRIVERS.changes_between(MONDAY, MONDAY + cycle)]
    assert one == [change.at for change in DRIVERS.changes_between(MONDAY + cycle, MONDAY + 2 * cycle)]


def test_shops_fill_the_square_and_the_night_empties_it() -> None:
    square = [Drivers(f"place-{number}", DRIVERS.habits, seed=3) for number in range(100)]
    by_day = sum(drivers.occupied(MONDAY + timedelta(hours=12)) for drivers in square)
    by_night = sum(drivers.occupied(MONDAY + timedelta(hours=0)) for drivers in square)
    assert by_night < 45
    assert by_day > 65


def test_bays_and_seeds_differ() -> None:
    span = (MONDAY, MONDAY + timedelta(days=1))
    others = (Drivers("place-2", DRIVERS.habits, 3), Drivers("place-1", DRIVERS.habits, 4))
    assert list(Drivers("place-1", DRIVERS.habits, 3).changes_between(*span)) == list(DRIVERS.changes_between(*span))
    for other in others:
        assert list(other.changes_between(*span)) != list(DRIVERS.changes_between(*span))


def test_days_begin_in_the_dead_of_night() -> None:
    assert QUIET_START.weekday() == 0
    assert QUIET_START.hour == 2
