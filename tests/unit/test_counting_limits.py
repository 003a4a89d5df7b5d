"""Where counting turns from one judgement to the other: widths, gaps, late parts, directions, whose time it was."""

import pytest
from msgspec.structs import replace

from edge.aggregator.admission import REMEMBERED, Admission, Arrived, admit, fingerprint
from edge.aggregator.counting import GAPS_REMEMBERED, take_delta, take_total
from edge.aggregator.flows import LATE_REMEMBERED, ChannelState, Span, add, close
from edge.aggregator.spans import split
from edge.aggregator.totals import StepBack, step
from edge.messages import Flag, TimeSource
from edge.readings import Delta, DeviceAddress, Frame
from tests.counts import END_OF_TIME, NAME, PERIOD_S, SECONDS, START, counted, delta, in_and_out, instant, moment, total


@pytest.mark.parametrize(
    ("old", "new", "bits", "elapsed_s", "passages"),
    [
        (7, 7, 16, 0, 0),
        (65_535, 9, 16, 0, 10),
        (65_535, 10, 16, 0, StepBack.RESET),
        (65_535, 14, 16, 1, 15),
        (65_535, 15, 16, 1, StepBack.RESET),
        (255, 254, 8, 0, 255),
        (511, 10, 9, 0, StepBack.RESET),
        (40_000, 7_232, 16, 10**6, 32_768),
        (40_000, 7_233, 16, 10**6, StepBack.RESET),
        (65_535, 9, 16, -50, 10),
    ],
)
def test_a_step_back_is_a_rollover_up_to_what_fits(
    old: int, new: int, bits: int, elapsed_s: int, passages: int | StepBack
) -> None:
    assert step(old, new, bits, elapsed_s) == passages


def test_a_division_rounds_the_cumulated_count_down_at_each_border() -> None:
    assert list(split(START + 100, START + 700, (3, 5), SECONDS)) == [
        (START, 200, [1, 1]),
        (START + 300, 300, [1, 3]),
        (START + 600, 100, [1, 1]),
    ]


def test_a_period_without_length_lies_in_its_interval_and_covers_nothing() -> None:
    assert list(split(START + 299, START + 299, (3,), SECONDS)) == [(START, 0, [3])]


def test_both_directions_are_counted_apart() -> None:
    state = take_total(ChannelState(), total(65_530, 10), None, moment(0))
    state = take_total(state, total(4, 25), None, moment(300))
    assert in_and_out(counted(state)) == [(10, 15)]


def test_the_other_direction_rolls_over_by_itself() -> None:
    state = take_total(ChannelState(), total(10, 65_530), None, moment(0))
    assert in_and_out(counted(take_total(state, total(25, 4), None, moment(300)))) == [(15, 10)]


def test_a_direction_that_no_total_tells_is_unknown() -> None:
    state = take_total(ChannelState(), total(10), None, moment(0))
    assert in_and_out(counted(take_total(state, total(25), None, moment(300)))) == [(15, None)]


def test_a_direction_that_a_total_leaves_out_comes_with_its_next() -> None:
    state = take_total(ChannelState(), total(10, 20), None, moment(0))
    state = take_total(state, total(25), None, moment(300))
    assert in_and_out(counted(take_total(state, total(30, 26), None, moment(600)))) == [(15, 0), (5, 6)]


def test_a_direction_that_is_told_for_the_first_time_begins_there() -> None:
    state = take_total(ChannelState(), total(10), None, moment(0))
    assert in_and_out(counted(take_total(state, total(25, 20), None, moment(300)))) == [(15, 0)]


def test_a_total_that_the_device_dated_has_the_devices_time() -> None:
    state = take_total(ChannelState(), total(0, at=instant(0)), None, moment(900))
    facts = counted(take_total(state, total(6, at=instant(300)), None, moment(900)))
    assert [(fact.start, fact.in_, fact.source) for fact in facts] == [(instant(0), 6, TimeSource.DEVICE)]


def test_a_first_total_of_the_history_is_a_beginning() -> None:
    state = take_total(ChannelState(), total(5, at=instant(0)), None, moment(900))
    assert state.total is not None
    assert (state.total.in_, state.total.at_s) == (5, START)


def test_after_more_than_four_hundred_days_a_total_is_a_new_beginning() -> None:
    four_hundred_days_s = 400 * 86_400
    state = take_total(ChannelState(), total(0), None, moment(0))
    in_time = take_total(state, total(6), None, moment(four_hundred_days_s))
    assert sum(fact.in_ for fact in counted(in_time)) == 6
    assert counted(take_total(state, total(6), None, moment(four_hundred_days_s + 1))) == []


def test_the_delta_beside_a_first_total_is_counted_in_its_own_period() -> None:
    facts = counted(take_total(ChannelState(), total(500, 400), delta(4, 6), moment(PERIOD_S)))
    assert [(fact.start, fact.in_, fact.out, fact.covered_s) for fact in facts] == [
        (instant(0), 2, 3, 300),
        (instant(300), 2, 3, 300),
    ]


def test_a_reset_says_of_each_direction_only_what_is_known() -> None:
    def reset(out_before: int | None, out_after: int | None) -> list[tuple[int, int | None, int, tuple[str, ...]]]:
        state = take_total(ChannelState(), total(1_000, out_before), None, moment(0))
        state = take_total(state, total(5, out_after), None, moment(300))
        return [(fact.in_, fact.out, fact.covered_s, fact.flags) for fact in counted(state)]

    assert reset(1_000, 5) == [(0, 0, 0, (Flag.RESET,))]
    assert reset(None, None) == [(0, None, 0, (Flag.RESET,))]


def test_after_an_announced_restart_both_directions_began_at_zero() -> None:
    state = take_total(ChannelState(), total(1_000, 900), None, moment(0))
    state = take_total(state, total(5, 7), None, replace(moment(300), restarted=True))
    assert in_and_out(counted(state)) == [(5, 7)]


def test_totals_that_agree_with_their_deltas_are_not_doubted() -> None:
    state = take_total(ChannelState(), total(0, 0), None, moment(0))
    state = take_total(state, total(4, 6), delta(4, 6), moment(PERIOD_S))
    assert [(fact.in_, fact.out, fact.flags) for fact in counted(state)] == [
        (2, 3, (Flag.SPLIT,)),
        (2, 3, (Flag.SPLIT,)),
    ]


def test_a_report_is_missing_when_one_comes_later_than_a_period_and_a_half() -> None:
    state = take_total(ChannelState(), total(0), None, moment(0))
    in_time = counted(take_total(state, total(9), None, moment(900)))
    assert {flag for fact in in_time for flag in fact.flags} == {Flag.SPLIT}
    late = counted(take_total(state, total(9), None, moment(901)))
    assert {flag for fact in late for flag in fact.flags} == {Flag.SPREAD}


def test_over_a_gap_the_delta_takes_its_part_of_each_direction() -> None:
    state = take_total(ChannelState(), total(0, 0), None, moment(0))
    facts = counted(take_total(state, total(4, 10), delta(4, 6), moment(3 * PERIOD_S)))
    assert in_and_out(facts) == [(0, 1), (0, 1), (0, 1), (0, 1), (2, 3), (2, 3)]
    assert {fact.source for fact in facts} == {TimeSource.NETWORK}


@pytest.mark.parametrize("beyond", [delta(5, 0), delta(0, 5)])
def test_over_a_gap_a_delta_greater_than_the_step_is_told_and_not_believed(beyond: Delta) -> None:
    state = take_total(ChannelState(), total(0, 0), None, moment(0))
    facts = counted(take_total(state, total(4, 4), beyond, moment(4 * SECONDS)))
    assert in_and_out(facts) == [(1, 1)] * 4
    assert {fact.flags for fact in facts} == {(Flag.DISAGREES, Flag.SPREAD)}


def test_over_a_gap_a_direction_that_nobody_told_stays_unknown() -> None:
    state = take_total(ChannelState(), total(0), None, moment(0))
    facts = counted(take_total(state, total(8), delta(4), moment(4 * SECONDS)))
    assert in_and_out(facts) == [(2, None)] * 4


def test_a_delta_is_dated_by_the_device_where_it_is() -> None:
    state = take_delta(ChannelState(), delta(4, 6, at=instant(600), period_s=300), moment(3_000))
    assert [(fact.start, fact.in_, fact.out, fact.source) for fact in counted(state)] == [
        (instant(300), 4, 6, TimeSource.DEVICE)
    ]
    state = take_delta(ChannelState(), delta(4, period_s=300), moment(600))
    assert [fact.source for fact in counted(state)] == [TimeSource.NETWORK]


def test_a_delta_may_come_half_a_period_late_before_one_is_missing() -> None:
    state = take_delta(ChannelState(), delta(4), moment(PERIOD_S))
    assert take_delta(state, delta(4), moment(PERIOD_S + 900)).gaps == ()
    assert take_delta(state, delta(4), moment(PERIOD_S + 901)).gaps == ((START + 600, START + 901),)


def test_two_reports_of_one_second_are_both_counted() -> None:
    state = take_delta(ChannelState(), delta(4), moment(PERIOD_S))
    assert sum(fact.in_ for fact in counted(take_delta(state, delta(4), moment(PERIOD_S)))) == 8


def test_a_clock_that_was_set_back_costs_no_delta_and_says_so() -> None:
    state = take_delta(ChannelState(), delta(4), moment(20 * PERIOD_S))
    for number in (2, 3, 4):
        state = take_delta(state, delta(4), moment(number * PERIOD_S))
    facts = counted(state)
    assert sum(fact.in_ for fact in facts) == 16
    assert sum(fact.covered_s for fact in facts) == 3 * PERIOD_S
    assert sum(Flag.CLOCK in fact.flags for fact in facts) == 1


def test_a_total_after_the_clock_was_set_back_says_so() -> None:
    state = take_total(ChannelState(), total(0), None, moment(20 * PERIOD_S))
    facts = counted(take_total(state, total(8), None, moment(PERIOD_S)))
    assert [(fact.in_, fact.flags) for fact in facts] == [(8, (Flag.CLOCK,))]


def test_only_the_latest_gaps_are_remembered() -> None:
    state = ChannelState()
    for number in range(GAPS_REMEMBERED + 3):
        state = take_delta(state, delta(1), moment(number * 3 * PERIOD_S))
    assert len(state.gaps) == GAPS_REMEMBERED
    assert state.gaps[-1][1] == START + (GAPS_REMEMBERED + 2) * 3 * PERIOD_S - PERIOD_S


def test_history_that_fills_a_part_of_a_gap_leaves_the_rest_to_be_filled() -> None:
    gap, other = (START, START + 1_800), (START + 5_000, START + 6_000)
    state = ChannelState(measured_until_s=START + 9_000, gaps=(gap, other))
    state = take_delta(state, delta(3, at=instant(1_200), period_s=600), moment(9_000))
    assert state.gaps == ((START, START + 600), (START + 1_200, START + 1_800), other)
    state = take_delta(state, delta(3, at=instant(600), period_s=600), moment(9_000))
    assert state.gaps == ((START + 1_200, START + 1_800), other)
    assert sum(fact.in_ for fact in counted(state)) == 6
    assert {fact.source for fact in counted(state)} == {TimeSource.DEVICE}


def span(at_s: int, in_: int, out: int | None, length_s: int = 300, *flags: Flag) -> Span:
    return Span(START + at_s, START + at_s + length_s, in_, out, TimeSource.NETWORK, flags)


@pytest.mark.parametrize(
    ("divided", "flags"),
    [
        (span(0, 1, None, 600), (Flag.SPLIT,)),
        (span(0, 0, 1, 600), (Flag.SPLIT,)),
        (span(0, 0, 0, 600), ()),
        (span(0, 0, None, 600), ()),
        (span(0, 0, 0, 600, Flag.SPREAD), ()),
        (span(0, 1, 1, 600, Flag.SPREAD), (Flag.SPREAD,)),
        (span(0, 1, 1, 300), ()),
    ],
)
def test_only_what_was_divided_is_flagged_so(divided: Span, flags: tuple[Flag, ...]) -> None:
    assert {fact.flags for fact in counted(add(ChannelState(), divided, SECONDS))} == {flags}


def test_an_unknown_direction_stays_unknown_and_a_known_one_is_kept() -> None:
    one_way = add(ChannelState(), span(0, 1, None), SECONDS)
    assert in_and_out(counted(one_way)) == [(1, None)]
    assert in_and_out(counted(add(one_way, span(0, 2, None), SECONDS))) == [(3, None)]
    assert in_and_out(counted(add(one_way, span(0, 2, 5), SECONDS))) == [(3, 5)]
    both = add(ChannelState(), span(0, 1, 4), SECONDS)
    assert in_and_out(counted(add(both, span(0, 2, None), SECONDS))) == [(3, 4)]


def test_an_interval_is_closed_when_its_grace_is_over_and_not_before() -> None:
    state = add(ChannelState(), span(0, 1, 1), SECONDS)
    assert close(state, NAME, SECONDS, START + 359, 60)[1] == []
    assert len(close(state, NAME, SECONDS, START + 360, 60)[1]) == 1


def test_late_parts_of_an_interval_are_numbered_one_by_one() -> None:
    state, parts = ChannelState(), []
    for start in (0, 300, 0, 0, 300, 0):
        state, facts = close(add(state, span(start, 1, 1), SECONDS), NAME, SECONDS, END_OF_TIME, 0)
        parts += [(fact.start, fact.part) for fact in facts]
    assert parts == [
        *((instant(0), 0), (instant(300), 0), (instant(0), 1), (instant(0), 2), (instant(300), 1), (instant(0), 3)),
    ]


def test_no_part_number_comes_twice_though_the_oldest_are_forgotten() -> None:
    at_most = {START + number * SECONDS: 7 for number in range(LATE_REMEMBERED)}
    state = ChannelState(closed_until_s=START + 2 * LATE_REMEMBERED * SECONDS, late_parts=at_most)
    newer = LATE_REMEMBERED * SECONDS
    state, facts = close(add(state, span(newer, 1, 1), SECONDS), NAME, SECONDS, END_OF_TIME, 0)
    assert [fact.part for fact in facts] == [1]
    assert (len(state.late_parts), state.late_floor, START in state.late_parts) == (LATE_REMEMBERED, 7, False)
    _, facts = close(add(state, span(0, 1, 1), SECONDS), NAME, SECONDS, END_OF_TIME, 0)
    assert [fact.part for fact in facts] == [7]


def test_as_many_part_numbers_as_may_be_are_all_remembered() -> None:
    late = {START + number * SECONDS: 7 for number in range(LATE_REMEMBERED)}
    state = ChannelState(closed_until_s=START + LATE_REMEMBERED * SECONDS, late_parts=late)
    state, _ = close(add(state, span(0, 1, 1), SECONDS), NAME, SECONDS, END_OF_TIME, 0)
    assert state.late_parts == {**late, START: 8}
    assert state.late_floor == 1


def frame(counter: int, session: str = "a") -> Frame:
    return Frame(device=DeviceAddress("d1"), payload=b"x", port=1, counter=counter, session=session)


def test_a_fingerprint_has_sixteen_digits() -> None:
    assert len(fingerprint(frame(1))) == 16


def test_as_many_frames_are_remembered_as_may_come_out_of_order() -> None:
    memory = Admission()
    for counter in range(REMEMBERED + 5):
        memory, _ = admit(memory, frame(counter))
    assert len(memory.recent) == REMEMBERED
    assert admit(memory, frame(5))[1] is Arrived.REPEAT
    assert admit(memory, frame(4))[1] is not Arrived.REPEAT


def test_a_counter_was_restarted_when_it_falls_below_all_that_is_remembered() -> None:
    memory, _ = admit(Admission(), frame(100))
    assert admit(memory, frame(101 - REMEMBERED))[1] is Arrived.OLDER
    assert admit(memory, frame(99 - REMEMBERED))[1] is Arrived.IN_ORDER


def test_another_frame_with_the_same_counter_is_older() -> None:
    memory, _ = admit(Admission(), frame(5))
    other = Frame(device=DeviceAddress("d1"), payload=b"y", port=1, counter=5, session="a")
    assert admit(memory, other)[1] is Arrived.OLDER


def test_an_older_frame_is_remembered_too_and_loses_nothing() -> None:
    memory, _ = admit(Admission(), frame(5))
    memory, _ = admit(memory, frame(4))
    assert memory.lost == 0
    assert admit(memory, frame(4))[1] is Arrived.REPEAT


def test_a_new_session_keeps_the_number_of_lost_frames() -> None:
    memory, _ = admit(Admission(), frame(1))
    memory, _ = admit(memory, frame(4))
    memory, _ = admit(memory, frame(0, session="b"))
    assert memory.lost == 2


def test_a_step_back_must_fit_into_the_time_between() -> None:
    state = take_total(ChannelState(), total(40_000), None, moment(0))
    assert {fact.flags for fact in counted(take_total(state, total(7_232), None, moment(300)))} == {(Flag.RESET,)}


def test_history_that_is_as_old_as_the_last_total_says_nothing_new() -> None:
    state = take_total(ChannelState(), total(10, at=instant(0)), None, moment(0))
    assert take_total(state, total(15, at=instant(0)), None, moment(300)) == state


def test_parts_of_an_interval_have_the_source_of_the_latest() -> None:
    state = add(ChannelState(), replace(span(0, 1, 1), source=TimeSource.DEVICE), SECONDS)
    assert [fact.source for fact in counted(add(state, span(0, 1, 1), SECONDS))] == [TimeSource.NETWORK]
