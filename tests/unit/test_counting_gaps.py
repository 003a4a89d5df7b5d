"""Gaps and repeats to the second: what fills a gap or lies beside it, what was told before, whose clock it was."""

from msgspec.structs import replace

from edge.aggregator.counting import Moment, take_delta, take_event, take_total, watched
from edge.aggregator.flows import ChannelState, Span, add, close
from edge.messages import Flag, TimeSource
from edge.readings import Delta, Event
from tests.counts import NAME, PERIOD_S, SECONDS, START, counted, delta, in_and_out, instant, moment, total

GAP = (START + 600, START + 1_200)
AFTER_A_GAP = ChannelState(measured_until_s=START + 9_000, gaps=(GAP,))


def overtaken(at_s: int, period_s: int) -> tuple[Delta, Moment]:
    """A count of 6 over the period that ends so late, in a frame that others have overtaken on its way."""
    return delta(6, period_s=period_s), replace(moment(at_s), in_order=False)


def covered(state: ChannelState) -> list[tuple[int, int, int]]:
    """Start, passages and measured seconds of every part."""
    return [(int(fact.start.timestamp()) - START, fact.in_, fact.covered_s) for fact in counted(state)]


def test_a_period_that_the_device_dates_and_tells_again_is_counted_once() -> None:
    state = take_delta(ChannelState(), delta(4, at=instant(600)), moment(600))
    assert take_delta(state, delta(4, at=instant(600)), moment(700)) == state


def test_history_that_ends_where_a_gap_begins_was_counted_before() -> None:
    assert take_delta(AFTER_A_GAP, delta(6, at=instant(600), period_s=600), moment(9_000)) == AFTER_A_GAP


def test_history_that_reaches_one_second_into_a_gap_fills_that_second() -> None:
    state = take_delta(AFTER_A_GAP, delta(6, at=instant(601), period_s=600), moment(9_000))
    assert state.gaps == ((START + 601, START + 1_200),)
    assert covered(state) == [(600, 6, 1)]


def test_history_that_ends_with_a_gap_closes_it() -> None:
    state = take_delta(AFTER_A_GAP, delta(6, at=instant(1_200), period_s=600), moment(9_000))
    assert state.gaps == ()
    assert covered(state) == [(600, 3, 300), (900, 3, 300)]


def test_an_overtaken_frame_fills_what_it_shares_with_a_gap() -> None:
    later = take_delta(AFTER_A_GAP, *overtaken(1_500, period_s=600))
    assert later.gaps == ((START + 600, START + 900),)
    assert covered(later) == [(900, 6, 300)]
    earlier = take_delta(AFTER_A_GAP, *overtaken(900, period_s=600))
    assert earlier.gaps == ((START + 900, START + 1_200),)
    assert covered(earlier) == [(600, 6, 300)]


def test_an_overtaken_frame_that_touches_a_gap_is_counted_beside_it_and_measures_nothing() -> None:
    behind = take_delta(AFTER_A_GAP, *overtaken(1_800, period_s=600))
    assert behind.gaps == (GAP,)
    assert covered(behind) == [(1_200, 3, 0), (1_500, 3, 0)]
    before = take_delta(AFTER_A_GAP, *overtaken(600, period_s=600))
    assert before.gaps == (GAP,)
    assert covered(before) == [(0, 3, 0), (300, 3, 0)]


def test_over_a_gap_a_delta_that_tells_every_passage_is_not_doubted() -> None:
    state = take_total(ChannelState(), total(0, 0), None, moment(0))
    facts = counted(take_total(state, total(4, 6), delta(4, 6), moment(3 * PERIOD_S)))
    assert in_and_out(facts) == [(0, 0)] * 4 + [(2, 3)] * 2
    assert {flag for fact in facts for flag in fact.flags} == {Flag.SPLIT}


def test_two_totals_of_one_second_say_nothing_of_a_clock() -> None:
    state = take_total(ChannelState(), total(0), None, moment(0))
    assert [fact.flags for fact in counted(take_total(state, total(3), None, moment(0)))] == [()]


def test_after_an_announced_restart_a_direction_that_was_never_told_stays_at_nothing() -> None:
    second_only = replace(total(0, 100), in_=None)
    state = take_total(ChannelState(), second_only, None, moment(0))
    state = take_total(state, replace(second_only, out=5), None, replace(moment(300), restarted=True))
    assert in_and_out(counted(state)) == [(0, 5)]


def test_a_passage_measures_no_time() -> None:
    event = Event(channel="line1", direction="out")
    assert in_and_out(counted(take_event(ChannelState(), event, moment(10), one_way=False))) == [(0, 1)]
    assert covered(take_event(ChannelState(), event, moment(10), one_way=True)) == [(0, 0, 0)]


def test_a_watching_device_whose_clock_was_set_back_measures_on_from_there() -> None:
    state = watched(ChannelState(), moment(3_600), one_way=False)
    set_back = watched(state, moment(60), one_way=False)
    assert covered(watched(set_back, moment(120), one_way=False)) == [(0, 0, 60), (3_600, 0, 0)]


def test_an_older_sign_of_life_takes_nothing_back_from_what_was_measured() -> None:
    state = watched(ChannelState(), moment(60), one_way=False)
    assert watched(state, replace(moment(0), in_order=False), one_way=False) == state
    assert covered(watched(state, moment(120), one_way=False)) == [(0, 0, 60)]


def test_an_interval_that_was_measured_to_its_end_is_closed_without_waiting() -> None:
    source = TimeSource.NETWORK
    state = add(ChannelState(), Span(START, START + SECONDS, 4, 0, source), SECONDS)
    measured = replace(state, measured_until_s=START + SECONDS)
    short = replace(state, measured_until_s=START + SECONDS - 1)
    assert [fact.in_ for fact in close(measured, NAME, SECONDS, START + SECONDS, 1_000)[1]] == [4]
    assert close(short, NAME, SECONDS, START + SECONDS, 1_000)[1] == []
