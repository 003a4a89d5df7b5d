"""The state of a space: what the sensor said last, and since when, where that is known. Nothing is guessed."""

from datetime import UTC, datetime, timedelta

from edge.aggregator.spaces import take_presence
from edge.messages import SpaceState, TimeSource
from edge.readings import Presence

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONGEST_SILENCE_S = 900.0


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def state(*, occupied: bool, at: datetime, since: datetime | None) -> SpaceState:
    return SpaceState(device="d1", channel="1", occupied=occupied, at=at, since=since, source=TimeSource.NETWORK)


def take(known: SpaceState | None, *, occupied: bool, at: datetime, dated: bool = False) -> SpaceState | None:
    return take_presence(
        known,
        Presence(channel="1", occupied=occupied, at=at if dated else None),
        device="d1",
        at=at,
        source=TimeSource.NETWORK,
        inverted=False,
        longest_silence_s=LONGEST_SILENCE_S,
    )


def test_the_first_word_of_a_sensor_does_not_tell_since_when() -> None:
    assert take(None, occupied=True, at=NOON, dated=True) == state(occupied=True, at=NOON, since=None)


def test_a_change_that_was_heard_in_time_tells_since_when() -> None:
    known = state(occupied=False, at=NOON, since=None)
    assert take(known, occupied=True, at=after(15)) == state(occupied=True, at=after(15), since=after(15))


def test_a_change_after_too_long_a_silence_came_at_an_unknown_moment() -> None:
    known = state(occupied=False, at=NOON, since=after(-30))
    assert take(known, occupied=True, at=after(15.1)) == state(occupied=True, at=after(15.1), since=None)


def test_the_same_again_keeps_since_when_however_late_it_comes() -> None:
    known = state(occupied=True, at=NOON, since=after(-30))
    assert take(known, occupied=True, at=after(600)) == state(occupied=True, at=after(600), since=after(-30))


def test_history_that_the_sensor_dated_changes_no_present() -> None:
    known = state(occupied=False, at=NOON, since=None)
    assert take(known, occupied=True, at=after(-1), dated=True) is None


def test_what_the_sensor_dated_at_the_same_moment_is_its_last_word() -> None:
    known = state(occupied=False, at=NOON, since=None)
    assert take(known, occupied=True, at=NOON, dated=True) == state(occupied=True, at=NOON, since=NOON)


def test_a_state_without_a_date_of_its_own_is_believed_though_the_clock_stepped_back() -> None:
    known = state(occupied=False, at=NOON, since=None)
    taken = take(known, occupied=True, at=after(-60))
    assert taken is not None
    assert taken.occupied
