"""The last word of a space stands, however fast it came upon the one before."""

from datetime import UTC, datetime, timedelta

from edge.aggregator.spaces import take_presence
from edge.messages import SpaceState, TimeSource
from edge.readings import Presence

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def after(known: SpaceState | None, *, occupied: bool, at: datetime = AT) -> SpaceState:
    presence = Presence(channel="1", occupied=occupied)
    state = told(known, presence, at)
    assert state is not None
    return state


def told(known: SpaceState | None, presence: Presence, at: datetime) -> SpaceState | None:
    state, change = take_presence(
        known,
        None,
        presence,
        device="d1",
        at=at,
        source=TimeSource.GATEWAY,
        inverted=False,
        longest_silence_s=60,
        debounce_s=0,
    )
    assert change is None
    return state


def test_changes_within_one_second_have_times_in_their_order() -> None:
    first = after(None, occupied=True)
    second = after(first, occupied=False)
    third = after(second, occupied=True)
    assert first.at < second.at < third.at < AT + timedelta(seconds=1)


def test_the_same_state_again_within_a_second_is_no_other_fact() -> None:
    assert after(after(None, occupied=True), occupied=True).at == AT


def test_a_clock_that_steps_back_is_told_as_it_is() -> None:
    earlier = AT - timedelta(hours=1)
    assert after(after(None, occupied=True), occupied=False, at=earlier).at == earlier


def test_a_change_just_a_second_later_keeps_its_own_time() -> None:
    first = after(None, occupied=True)
    assert after(first, occupied=False, at=AT + timedelta(seconds=1)).at == AT + timedelta(seconds=1)
    assert after(first, occupied=False, at=AT - timedelta(seconds=1)).at == AT - timedelta(seconds=1)


def test_since_is_known_after_the_longest_silence_and_not_after_a_longer_one() -> None:
    first = after(None, occupied=True)
    on_time, late = AT + timedelta(seconds=60), AT + timedelta(seconds=61)
    assert after(first, occupied=False, at=on_time).since == on_time
    assert after(first, occupied=False, at=late).since is None


def test_what_the_sensor_dated_before_its_last_word_is_left_out_and_the_same_moment_is_not() -> None:
    known = after(None, occupied=True)
    earlier = AT - timedelta(milliseconds=1)
    assert told(known, Presence(channel="1", occupied=False, at=earlier), earlier) is known
    assert told(known, Presence(channel="1", occupied=False, at=AT), AT) is not known
