"""The last word of a space stands, however fast it came upon the one before."""

from datetime import UTC, datetime, timedelta

from edge.aggregator.spaces import take_presence
from edge.messages import SpaceState, TimeSource
from edge.readings import Presence

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def after(known: SpaceState | None, *, occupied: bool, at: datetime = AT) -> SpaceState:
    presence = Presence(channel="1", occupied=occupied)
    state = take_presence(
        known, presence, device="d1", at=at, source=TimeSource.GATEWAY, inverted=False, longest_silence_s=60
    )
    assert state is not None
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
