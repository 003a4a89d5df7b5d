"""The promise of the aggregator: a passage that a sensor counted is in exactly one part of exactly one interval."""

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from edge.aggregator.counting import Moment
from edge.aggregator.device import DeviceState, Identity, Observation, close_due, observe
from edge.aggregator.spans import split
from edge.aggregator.totals import StepBack, step
from edge.messages import Flag, FlowInterval, TimeSource
from edge.readings import AnyReading, Delta, Event, Health, Total

START = int(datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp())
PERIOD = 600
SECONDS = 300
IDENTITY = Identity(device="d1", model="parametric-pcr2")
FAR = 10**9


def total(in_: int, out: int = 0, bits: int = 16) -> Total:
    return Total(channel="line1", mode="pedestrian", in_=in_, out=out, bits=bits)


def delta(in_: int, out: int = 0, at_s: int | None = None) -> Delta:
    at = None if at_s is None else datetime.fromtimestamp(at_s, UTC)
    return Delta(channel="line1", mode="pedestrian", in_=in_, out=out, at=at)


def frame(at_s: int, *readings: AnyReading, in_order: bool = True, seconds: int = SECONDS) -> Observation:
    moment = Moment(at_s, TimeSource.NETWORK, PERIOD, seconds, in_order=in_order)
    return Observation(readings=readings, moment=moment)


def facts_of(*frames: Observation, identity: Identity = IDENTITY) -> list[FlowInterval]:
    """All parts that these frames give, the last open intervals closed at the end of time."""
    state, facts = DeviceState(), list[FlowInterval]()
    for observation in frames:
        state, more = observe(state, identity, observation)
        facts.extend(fact for fact in more if isinstance(fact, FlowInterval))
    _, rest = close_due(state, identity.device, now_s=FAR * 2, period_s=PERIOD, seconds=SECONDS)
    return facts + rest


def counted(facts: list[FlowInterval]) -> tuple[int, int]:
    return sum(fact.in_ for fact in facts), sum(fact.out or 0 for fact in facts)


def by_start(facts: list[FlowInterval]) -> dict[int, int]:
    sums: Counter[int] = Counter()
    for fact in facts:
        sums[int(fact.start.timestamp()) - START] += fact.in_
    return dict(sums)


def flags_of(facts: list[FlowInterval]) -> set[Flag]:
    return {flag for fact in facts for flag in fact.flags}


@given(
    start=st.integers(0, 10**7),
    length=st.integers(0, 400 * 86_400),
    counts=st.tuples(st.integers(0, 2**40), st.integers(0, 2**32)),
    seconds=st.sampled_from([60, 300, 900]),
)
def test_splitting_keeps_every_sum_and_every_second(
    start: int, length: int, counts: tuple[int, int], seconds: int
) -> None:
    length = min(length, 5_000 * seconds)
    pieces = list(split(start, start + length, counts, seconds))
    assert [sum(piece[2][direction] for piece in pieces) for direction in (0, 1)] == list(counts)
    assert sum(covered for _, covered, _ in pieces) == length
    assert all(0 <= covered <= seconds and min(parts) >= 0 for _, covered, parts in pieces)
    assert all(begin % seconds == 0 for begin, _, _ in pieces)


def test_a_rollover_is_a_step_and_a_fall_is_a_reset() -> None:
    assert step(65_530, 10, 16, PERIOD) == 16
    assert step(1_000, 5, 16, PERIOD) is StepBack.RESET
    assert step(120, 3, 7, PERIOD) == 11
    assert step(5, 5, 16, 0) == 0


@given(
    bits=st.sampled_from([7, 8, 16, 32]),
    old=st.integers(0, 2**32),
    new=st.integers(0, 2**32),
    gap=st.integers(0, 10**6),
)
def test_a_step_is_never_negative(bits: int, old: int, new: int, gap: int) -> None:
    result = step(old % 2**bits, new % 2**bits, bits, gap)
    assert result is StepBack.RESET or 0 <= result < 2**bits


@given(
    steps=st.lists(st.tuples(st.integers(10, 4_000), st.integers(0, 60), st.integers(0, 60)), max_size=40),
    first=st.integers(0, 2**16 - 1),
    kept=st.data(),
)
def test_totals_recover_every_passage_whatever_is_lost(
    steps: list[tuple[int, int, int]], first: int, kept: st.DataObject
) -> None:
    at, total_in, total_out = START, first, first
    frames = [frame(at, total(total_in % 2**16, total_out % 2**16))]
    for pause, came, went in steps:
        at, total_in, total_out = at + pause, total_in + came, total_out + went
        last = (frame(at, total(total_in % 2**16, total_out % 2**16)), total_in, total_out)
        if kept.draw(st.booleans()):
            frames.append(last[0])
    if steps:
        frames.append(last[0])
    facts = facts_of(*frames)
    assert counted(facts) == (total_in - first, total_out - first)
    assert len({(fact.start, fact.part) for fact in facts}) == len(facts)


@given(order=st.permutations(range(8)), repeats=st.lists(st.integers(0, 7), max_size=8))
def test_older_totals_and_repeats_change_no_sum(order: list[int], repeats: list[int]) -> None:
    frames, newest = [frame(START, total(0))], 0
    for number in [*order, *repeats]:
        newer = number + 1 > newest
        newest = max(newest, number + 1)
        frames.append(frame(START + (number + 1) * PERIOD, total(10 * (number + 1)), in_order=newer))
    assert counted(facts_of(*frames))[0] == 10 * 8


def test_the_first_total_is_a_beginning_and_counts_nothing() -> None:
    assert counted(facts_of(frame(START, total(500)))) == (0, 0)


def test_a_missed_report_is_spread_over_the_gap_and_says_so() -> None:
    facts = facts_of(frame(START, total(0)), frame(START + 3 * PERIOD, total(60)))
    assert by_start(facts) == dict.fromkeys(range(0, 1800, 300), 10)
    assert flags_of(facts) == {Flag.SPREAD}


def test_a_delta_beside_the_total_says_where_its_passages_were() -> None:
    facts = facts_of(frame(START, total(0)), frame(START + 3 * PERIOD, total(60), delta(40)))
    assert by_start(facts) == {0: 5, 300: 5, 600: 5, 900: 5, 1200: 20, 1500: 20}


def test_a_delta_that_disagrees_with_the_total_is_told_and_not_believed() -> None:
    facts = facts_of(frame(START, total(0)), frame(START + PERIOD, total(6), delta(9)))
    assert counted(facts) == (6, 0)
    assert Flag.DISAGREES in flags_of(facts)


def test_a_reset_is_flagged_and_counts_only_what_is_known() -> None:
    facts = facts_of(frame(START, total(1_000)), frame(START + PERIOD, total(12)))
    assert counted(facts) == (0, 0)
    assert Flag.RESET in flags_of(facts)
    known = facts_of(frame(START, total(1_000)), frame(START + PERIOD, total(12), delta(12)))
    assert counted(known) == (12, 0)


def test_after_an_announced_restart_the_counter_began_at_zero() -> None:
    facts = facts_of(
        frame(START, total(1_000)), frame(START + 60, Health(reset="power_on")), frame(START + PERIOD, total(12))
    )
    assert counted(facts) == (12, 0)
    assert Flag.RESET in flags_of(facts)


def test_a_rejoin_restarts_no_counter() -> None:
    facts = facts_of(
        frame(START, total(1_000)), frame(START + 60, Health(reset="rejoin")), frame(START + PERIOD, total(12))
    )
    assert counted(facts) == (0, 0)


def test_a_total_from_the_devices_history_is_placed_where_it_was_and_once() -> None:
    history = Total(
        channel="line1", mode="pedestrian", in_=40, out=0, bits=16, at=datetime.fromtimestamp(START + 600, UTC)
    )
    facts = facts_of(
        frame(START, total(0)), frame(START + 3 * PERIOD, history, total(60)), frame(START + 4 * PERIOD, history)
    )
    assert by_start(facts) == {0: 20, 300: 20, 600: 5, 900: 5, 1200: 5, 1500: 5}


def test_a_period_that_is_not_over_is_not_counted() -> None:
    running = Delta(channel="line1", mode="pedestrian", in_=5, out=0, running=True)
    assert counted(facts_of(frame(START, delta(3)), frame(START + 60, running))) == (3, 0)


def test_totals_that_come_one_direction_at_a_time_lose_nothing() -> None:
    def half(in_: int | None, out: int | None) -> Total:
        return Total(channel="line1", mode="pedestrian", in_=in_, out=out, bits=32)

    facts = facts_of(
        frame(START, half(5, None)),
        frame(START + 1, half(None, 7)),
        frame(START + PERIOD, half(9, None)),
        frame(START + PERIOD + 1, half(None, 10)),
        frame(START + 2 * PERIOD, half(12, 11)),
    )
    assert counted(facts) == (7, 4)
    assert Flag.RESET not in flags_of(facts)


def test_deltas_alone_add_up_and_a_hole_is_marked_not_invented() -> None:
    facts = facts_of(frame(START, delta(6)), frame(START + PERIOD, delta(8)), frame(START + 4 * PERIOD, delta(4)))
    assert counted(facts) == (18, 0)
    assert Flag.LOST in flags_of(facts)
    assert sum(fact.covered_s for fact in facts) == 3 * PERIOD


def test_a_history_frame_fills_its_hole_once() -> None:
    late = frame(START + 5 * PERIOD, delta(7, at_s=START + 2 * PERIOD), in_order=False)
    facts = facts_of(frame(START, delta(6)), frame(START + 3 * PERIOD, delta(8)), late, late)
    assert counted(facts) == (21, 0)
    assert sum(fact.covered_s for fact in facts) == 3 * PERIOD


def test_deltas_that_were_overtaken_by_seconds_are_counted_all_the_same() -> None:
    late = 20
    order = [frame(START, delta(5)), frame(START + 2 * PERIOD, delta(1))]
    overtaken = frame(START + PERIOD + late, delta(7), in_order=False)
    assert counted(facts_of(*order, overtaken))[0] == 13


def test_a_delta_that_was_overtaken_by_a_moment_is_counted_beside() -> None:
    order = [frame(START, delta(5)), frame(START + PERIOD, delta(1))]
    overtaken = frame(START + PERIOD - 1, delta(7), in_order=False)
    facts = facts_of(*order, overtaken)
    assert counted(facts)[0] == 13
    assert sum(fact.covered_s for fact in facts) == 2 * PERIOD


def test_what_comes_after_an_interval_was_closed_is_a_further_part() -> None:
    state, _ = observe(DeviceState(), IDENTITY, frame(START, total(0)))
    state, _ = observe(state, IDENTITY, frame(START + 150, total(3)))
    state, closed = close_due(state, "d1", now_s=START + 7200, period_s=PERIOD, seconds=SECONDS)
    assert [(fact.part, fact.in_, fact.covered_s) for fact in closed] == [(0, 3, 150)]
    _, late = observe(state, IDENTITY, frame(START + 300, total(7)))
    assert [(fact.part, fact.in_, fact.covered_s) for fact in late if isinstance(fact, FlowInterval)] == [(1, 4, 150)]
    assert Flag.LATE in flags_of([fact for fact in late if isinstance(fact, FlowInterval)])


def test_single_passages_count_and_watching_is_coverage() -> None:
    radar = Identity(device="r", model="hlk-ld2450", watches=(("line1", "pedestrian"),))
    passage = Event(channel="line1", mode="pedestrian", direction="out")
    frames = [
        Observation(
            readings=(passage,) if second == 250 else (),
            moment=Moment(START + second, TimeSource.GATEWAY, 10, SECONDS),
        )
        for second in range(0, 601, 10)
    ]
    facts = facts_of(*frames, identity=radar)
    assert [(fact.in_, fact.out, fact.covered_s, fact.flags) for fact in facts] == [(0, 1, 300, ()), (0, 0, 300, ())]


def test_a_clock_that_steps_back_neither_drops_nor_repeats() -> None:
    facts = facts_of(
        frame(START, total(0)),
        frame(START + PERIOD, total(10)),
        frame(START - 7200, total(15)),
        frame(START, total(21)),
    )
    assert counted(facts) == (21, 0)


def test_intervals_that_are_open_when_their_length_changes_are_published_under_the_length_they_were_measured_with() -> (
    None
):
    facts = facts_of(
        frame(START, total(0), seconds=900),
        frame(START + 400, total(40), seconds=900),
        frame(START + 800, total(80), seconds=300),
        frame(START + 1200, total(120), seconds=300),
    )

    assert [(fact.start.minute, fact.seconds, fact.in_, fact.covered_s, fact.part) for fact in facts] == [
        (0, 900, 40, 400, 0),
        (5, 300, 20, 200, 0),
        (10, 300, 30, 300, 0),
        (15, 300, 30, 300, 0),
    ]


def test_after_a_change_to_longer_intervals_the_one_under_way_gets_a_further_part() -> None:
    facts = facts_of(
        frame(START, total(0), seconds=300),
        frame(START + 200, total(20), seconds=300),
        frame(START + 900, total(90), seconds=900),
    )

    assert [(fact.start.minute, fact.seconds, fact.in_, fact.covered_s, fact.part) for fact in facts] == [
        (0, 300, 20, 200, 0),
        (0, 900, 70, 700, 1),
    ]
