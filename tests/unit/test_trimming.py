"""Merging intervals into hours changes no sum; what is superseded is told apart from what is the last word."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from edge import messages
from edge.entries import Entry
from edge.messages import (
    RETAINED,
    Dropped,
    Epoch,
    Flag,
    Flow,
    FlowInterval,
    GatewayName,
    Limit,
    OutboxMessage,
    Space,
    SpaceState,
    TimeSource,
    Trimmed,
)
from edge.trimming import Sweep, merged, onward, relieve

HOUR = datetime(2026, 11, 22, 10, tzinfo=UTC)
GATEWAY, EPOCH = GatewayName("mairie"), Epoch("0" * 16)
ALL_OLD = Sweep(why=Limit.DAYS, until=1_000)
ALL_OLD_MERGE = Sweep(why=Limit.DAYS, until=1_000, what=Trimmed.MERGED)

parts = st.builds(
    lambda slot, **fields: FlowInterval(start=HOUR + slot * timedelta(seconds=fields["seconds"]), **fields),
    slot=st.integers(0, 11),
    device=st.sampled_from(["d1", "d2"]),
    channel=st.just("line1"),
    mode=st.sampled_from(["", "bicycle"]),
    seconds=st.sampled_from([300, 900]),
    part=st.integers(0, 3),
    in_=st.integers(0, 200),
    out=st.none() | st.integers(0, 200),
    covered_s=st.integers(0, 300),
    flags=st.sets(st.sampled_from(Flag)).map(lambda flags: tuple(sorted(flags))),
    source=st.sampled_from(TimeSource),
)
Key = tuple[str, str, str, datetime, int]


def key(part: FlowInterval) -> Key:
    return part.device, part.channel, part.mode, part.start, part.part


different_parts = st.lists(parts, max_size=40, unique_by=key)


Hours = dict[tuple[object, ...], tuple[int, int | None, int, frozenset[Flag]]]


def hours_of(intervals: Iterable[FlowInterval]) -> Hours:
    """What a store makes of parts: in, out, covered seconds and flags of every hour of every channel."""
    hours: Hours = defaultdict(lambda: (0, None, 0, frozenset()))
    for part in intervals:
        hour = (part.device, part.channel, part.mode, part.start.replace(minute=0))
        in_, out, covered_s, flags = hours[hour]
        known = [count for count in (out, part.out) if count is not None]
        total = sum(known) if known else None
        hours[hour] = (in_ + part.in_, total, min(covered_s + part.covered_s, 3600), flags | frozenset(part.flags))
    return {hour: (in_, out, covered, flags - {Flag.MERGED}) for hour, (in_, out, covered, flags) in hours.items()}


@given(intervals=different_parts)
def test_an_hour_of_merged_intervals_is_the_hour_of_its_parts(intervals: list[FlowInterval]) -> None:
    assert hours_of(merged(intervals)) == hours_of(intervals)


@given(intervals=different_parts)
def test_merged_intervals_have_keys_of_their_parts_each_once_and_lie_within_their_hour(
    intervals: list[FlowInterval],
) -> None:
    hours = merged(intervals)
    assert len({key(each) for each in hours}) == len(hours)
    assert {key(each) for each in hours} <= {key(each) for each in intervals}
    assert all(each.start.minute * 60 + each.seconds <= messages.HOUR_S for each in hours)
    assert all(messages.decode(*on_the_wire(flow(each))) for each in hours)


@given(intervals=different_parts)
def test_merging_again_changes_nothing(intervals: list[FlowInterval]) -> None:
    assert merged(merged(intervals)) == merged(intervals)


def test_what_was_handed_to_a_broker_is_not_merged() -> None:
    stretch = entries(*(flow(interval(minute)) for minute in (0, 5, 10, 15)))

    relief = relieve(ALL_OLD_MERGE, stretch, sent_until=2, excess=0)

    assert relief.kept[:2] == tuple(stretch[:2])
    assert [part.start for entry in relief.kept[2:] for part in intervals_in(entry)] == [HOUR + timedelta(minutes=10)]
    assert (relief.told and relief.told.messages) == 2


def test_a_state_goes_only_when_every_space_in_its_message_has_a_newer_one() -> None:
    both, one, other = space(0, "1", "2"), space(1, "1"), space(2, "2")

    assert left_of_spaces(both, one) == [1, 2]
    assert left_of_spaces(both, one, other) == [2, 3]
    assert left_of_spaces(space(3, "1"), space(1, "1")) == [1, 2]


def test_only_as_much_is_dropped_as_is_too_much_and_the_oldest_first() -> None:
    stretch = entries(*(flow(interval(minute)) for minute in (0, 5, 10, 15)))
    sweep = Sweep(why=Limit.BYTES, until=10, what=Trimmed.FLOW)

    relief = relieve(sweep, stretch, sent_until=1, excess=len(stretch[0].body) + 1)

    assert [entry.seq for entry in relief.kept] == [3, 4]
    assert relief.told == Dropped(
        gateway=GATEWAY,
        epoch=EPOCH,
        what=Trimmed.FLOW,
        why=Limit.BYTES,
        messages=2,
        in_=6,
        out=2,
        start=HOUR,
        end=HOUR + timedelta(minutes=10),
        perhaps_stored=1,
    )


def test_what_cannot_be_read_stays() -> None:
    damaged = Entry(1, "passerelle/1/mairie/flow", retain=False, body=b"{")
    stranger = Entry(2, "passerelle/1/mairie/nothing", retain=False, body=b"{}")

    assert relieve(ALL_OLD_MERGE, [damaged, stranger], sent_until=0, excess=0).kept == (damaged, stranger)


def test_age_alone_ends_before_counts_are_dropped() -> None:
    stages = []
    sweep: Sweep | None = ALL_OLD
    while sweep is not None:
        stages.append(sweep.what)
        sweep = onward(sweep, [], None)
    assert stages == [Trimmed.HEALTH, Trimmed.MERGED, Trimmed.SPACE]


def interval(minute: int) -> FlowInterval:
    start = HOUR + timedelta(minutes=minute)
    return FlowInterval(device="d1", channel="line1", start=start, seconds=300, in_=3, out=1, covered_s=300)


def flow(*intervals: FlowInterval) -> Flow:
    return Flow(gateway=GATEWAY, epoch=EPOCH, intervals=intervals)


def space(minute: int, *channels: str) -> Space:
    at = HOUR + timedelta(minutes=minute)
    states = tuple(SpaceState(device="d1", channel=channel, occupied=True, at=at) for channel in channels)
    return Space(gateway=GATEWAY, epoch=EPOCH, states=states)


def on_the_wire(message: OutboxMessage) -> tuple[str, bytes]:
    return messages.topic_of(message), messages.encode(message)


def entries(*several: OutboxMessage) -> list[Entry]:
    numbered = [structs.replace(message, seq=seq) for seq, message in enumerate(several, 1)]
    return [
        Entry(each.seq, messages.topic_of(each), type(each) in RETAINED, messages.encode(each)) for each in numbered
    ]


def intervals_in(entry: Entry) -> Sequence[FlowInterval]:
    message = messages.decode(entry.topic, entry.body)
    assert isinstance(message, Flow)
    return message.intervals


def left_of_spaces(*states: Space) -> list[int]:
    sweep = Sweep(why=Limit.DAYS, until=1_000, what=Trimmed.SPACE)
    return [entry.seq for entry in relieve(sweep, entries(*states), sent_until=0, excess=0).kept]
