"""What every store promises, on SQLite and on a real InfluxDB server."""

from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cloud_api.stores import open_store
from cloud_api.stores.base import (
    LATEST,
    Channel,
    Hour,
    Passed,
    RefusedFactError,
    Store,
    StoredFlow,
)
from edge.messages import Flag
from tests.history import CHANNEL, DAY, HOUR, MIDNIGHT, OTHER_EPOCH, day, flow, space, summed
from tests.stores import AWKWARD_NAMES, day_of
from tests.stores import influx as influx
from tests.stores import store as store
from tests.stores import url as url
from tests.town import Clock


def test_a_new_store_is_ready_and_knows_nothing(store: Store) -> None:
    store.ready()

    assert store.channels() == []
    assert store.last_states() == []
    assert day_of(store) == []


def test_a_part_is_in_its_hour(store: Store) -> None:
    store.write([flow(MIDNIGHT + timedelta(minutes=55), in_=4, out=7)])

    assert day_of(store) == [
        Hour(channel=CHANNEL, start=MIDNIGHT, in_=4, out=7, covered_s=300, flags=frozenset(), parts=1)
    ]


def test_a_day_is_the_sum_of_its_parts(store: Store) -> None:
    facts = day()

    store.write(facts)

    assert day_of(store) == summed(facts)


def test_writing_nothing_is_no_error(store: Store) -> None:
    store.write([])

    assert store.channels() == []


def test_writing_ten_times_changes_nothing(store: Store) -> None:
    facts = day()[:30]
    store.write(facts)
    once = day_of(store)

    for _ in range(9):
        store.write(facts)

    assert day_of(store) == once


def test_a_fact_twice_in_one_write_counts_once(store: Store) -> None:
    store.write([flow(), flow()])

    assert [hour.parts for hour in day_of(store)] == [1]


def test_a_late_part_adds_to_its_interval(store: Store) -> None:
    store.write([flow(in_=10, out=1)])

    store.write([flow(in_=5, out=2, part=1, covered_s=0, flags=(Flag.LATE,))])

    (hour,) = day_of(store)
    assert (hour.in_, hour.out, hour.covered_s, hour.parts) == (15, 3, 300, 2)


def test_parts_of_two_epochs_both_count(store: Store) -> None:
    store.write([flow(in_=10), flow(in_=20, epoch=OTHER_EPOCH)])

    (hour,) = day_of(store)
    assert (hour.in_, hour.parts) == (30, 2)


def test_parts_of_two_gateways_both_count(store: Store) -> None:
    store.write([flow(in_=10), flow(in_=20, gateway="gare")])

    (hour,) = day_of(store)
    assert (hour.in_, hour.parts) == (30, 2)


def test_out_is_unknown_where_no_part_counts_it(store: Store) -> None:
    store.write([flow(out=None), flow(out=None, part=1)])

    assert [hour.out for hour in day_of(store)] == [None]


@pytest.mark.parametrize("outs", [(None, 5), (5, None)])
def test_out_is_the_sum_of_the_parts_that_count_it(store: Store, outs: tuple[int | None, int | None]) -> None:
    first, second = outs
    store.write([flow(out=first), flow(out=second, part=1)])

    assert [hour.out for hour in day_of(store)] == [5]


def test_nobody_passing_is_known_to_be_nobody(store: Store) -> None:
    store.write([flow(in_=0, out=0)])

    assert [(hour.in_, hour.out) for hour in day_of(store)] == [(0, 0)]


def test_flags_of_an_hour_are_those_of_all_its_parts(store: Store) -> None:
    facts = [
        flow(MIDNIGHT, flags=(Flag.LATE, Flag.SPLIT)),
        flow(MIDNIGHT, part=1, flags=(Flag.SPLIT,)),
        flow(MIDNIGHT + timedelta(minutes=5), flags=(Flag.RESET,)),
        flow(MIDNIGHT + HOUR),
    ]

    store.write(facts)

    assert [hour.flags for hour in day_of(store)] == [{Flag.LATE, Flag.SPLIT, Flag.RESET}, frozenset()]


@pytest.mark.parametrize("flag", list(Flag))
def test_every_flag_is_kept(store: Store, flag: Flag) -> None:
    store.write([flow(flags=(flag,))])

    assert [hour.flags for hour in day_of(store)] == [{flag}]


def test_an_hour_has_no_more_than_3600_seconds(store: Store) -> None:
    store.write([flow(part=part, covered_s=900) for part in range(5)])

    assert [hour.covered_s for hour in day_of(store)] == [3600]


def test_large_counts_are_exact(store: Store) -> None:
    store.write([flow(in_=2**40, out=2**40 - 1, part=part) for part in range(4)])

    assert [(hour.in_, hour.out) for hour in day_of(store)] == [(2**42, 2**42 - 4)]


def test_the_start_is_in_the_range_and_the_end_is_not(store: Store) -> None:
    store.write(day())

    hours = store.hours([CHANNEL], MIDNIGHT + 2 * HOUR, MIDNIGHT + 4 * HOUR)

    assert [hour.start for hour in hours] == [MIDNIGHT + 2 * HOUR, MIDNIGHT + 3 * HOUR]


def test_an_hour_cut_by_the_range_is_answered_whole_or_not_at_all(store: Store) -> None:
    facts = day()
    store.write(facts)

    hours = store.hours([CHANNEL], MIDNIGHT + timedelta(minutes=90), MIDNIGHT + timedelta(minutes=210))

    assert hours == summed(facts)[2:4]


def test_local_midnight_is_understood(store: Store) -> None:
    store.write(day())
    paris = timezone(timedelta(hours=2))

    hours = store.hours([CHANNEL], datetime(2026, 3, 29, 10, tzinfo=paris), datetime(2026, 3, 29, 12, tzinfo=paris))

    assert [hour.start for hour in hours] == [MIDNIGHT + 8 * HOUR, MIDNIGHT + 9 * HOUR]


def test_a_part_dated_in_local_time_is_in_its_utc_hour(store: Store) -> None:
    store.write([flow(datetime(2026, 3, 29, 10, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))))])

    assert [hour.start for hour in day_of(store)] == [datetime(2026, 3, 29, 5, tzinfo=UTC)]


def test_an_empty_range_has_no_hours(store: Store) -> None:
    store.write(day())

    assert store.hours([CHANNEL], MIDNIGHT, MIDNIGHT) == []
    assert store.hours([CHANNEL], MIDNIGHT + DAY, MIDNIGHT) == []
    assert store.hours([], MIDNIGHT, MIDNIGHT + DAY) == []


def test_a_year_is_answered_in_order(store: Store) -> None:
    starts = [datetime(2025, month, 1, 12, tzinfo=UTC) for month in range(12, 0, -1)]
    store.write([flow(start) for start in starts])

    hours = store.hours([CHANNEL], datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))

    assert [hour.start for hour in hours] == sorted(starts)


def test_only_the_channels_asked_for_are_answered(store: Store) -> None:
    other_line = Channel(CHANNEL.device, "line2", CHANNEL.mode)
    other_mode = Channel(CHANNEL.device, CHANNEL.name, "bicycle")
    store.write([flow(in_=1), flow(in_=2, channel=other_line), flow(in_=4, channel=other_mode)])

    assert [hour.in_ for hour in store.hours([CHANNEL, CHANNEL, other_mode], MIDNIGHT, MIDNIGHT + HOUR)] == [4, 1]


def test_more_channels_than_one_query_asks_for_are_all_answered(store: Store) -> None:
    channels = [Channel(f"{number:04x}", "line1", "vehicle") for number in range(120)]
    store.write([flow(channel=channel) for channel in channels])

    assert [hour.channel for hour in store.hours(channels, MIDNIGHT, MIDNIGHT + HOUR)] == channels


def test_channels_are_listed_once_and_in_order(store: Store) -> None:
    channels = [Channel("b", "line1", "bicycle"), Channel("a", "line2", "pedestrian"), Channel("a", "line1", "")]
    store.write([fact for channel in channels for fact in day(channel)[:2]])

    assert store.channels() == sorted(channels)


def test_a_space_is_no_channel(store: Store) -> None:
    store.write([space()])

    assert store.channels() == []


def test_a_channel_without_a_mode_has_its_own_hours(store: Store) -> None:
    nameless = Channel(CHANNEL.device, CHANNEL.name)
    store.write([flow(in_=1), flow(in_=2, channel=nameless)])

    assert [hour.in_ for hour in day_of(store, nameless)] == [2]


@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_any_name_comes_back_as_it_was(store: Store, name: str) -> None:
    channel = Channel(name, name, name)
    store.write([flow(channel=channel), flow(), space(device=name, name=name)])

    assert channel in store.channels()
    assert [hour.channel for hour in day_of(store, channel)] == [channel]
    assert [(known.state.device, known.state.channel) for known in store.last_states()] == [(name, name)]


def test_names_that_differ_by_what_must_be_escaped_stay_apart(store: Store) -> None:
    names = ["a\\", "a%5C", "a\n", "a\\n", "a", "a "]
    channels = [Channel(name, "line1", "") for name in names]
    store.write([flow(channel=channel) for channel in channels])

    assert store.channels() == sorted(channels)


@pytest.mark.parametrize(
    "impossible",
    [
        flow(MIDNIGHT + timedelta(microseconds=1)),
        flow(datetime(1969, 12, 31, 23, tzinfo=UTC)),
        flow(LATEST),
        space(datetime(9999, 12, 31, tzinfo=UTC)),
        space(since=datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_cannot_be_dated_is_refused_and_the_rest_is_kept(store: Store, impossible: StoredFlow) -> None:
    with pytest.raises(RefusedFactError) as refusal:
        store.write([flow(), impossible, flow(part=1)])

    assert refusal.value.fact is impossible
    assert [hour.parts for hour in day_of(store)] == [2]


def test_all_refusals_of_a_write_are_told_at_once(store: Store) -> None:
    first, second = flow(LATEST), flow(LATEST + HOUR)

    with pytest.raises(RefusedFactError) as refusal:
        store.write([first, flow(), second])

    assert refusal.value.fact is first
    assert [other.fact for other in refusal.value.others] == [second]


def test_what_was_written_is_there_after_opening_again(url: str) -> None:
    facts = day()
    with closing(open_store(url)) as first:
        first.write([*facts, space()])

    with closing(open_store(url)) as second:
        assert day_of(second) == summed(facts)
        assert second.channels() == [CHANNEL]
        assert second.last_states() == [space()]


def test_an_interval_is_the_sum_of_its_parts_and_no_more(store: Store) -> None:
    later = MIDNIGHT + timedelta(minutes=5)
    store.write([flow(in_=10, out=None), flow(in_=2, out=4, part=1), flow(in_=1, out=1, epoch=OTHER_EPOCH)])
    store.write(
        [flow(later, in_=3, out=None, covered_s=120), flow(MIDNIGHT + HOUR), flow(channel=Channel("other", "line1"))]
    )

    assert store.intervals([CHANNEL], MIDNIGHT, MIDNIGHT + HOUR) == [
        Passed(channel=CHANNEL, start=MIDNIGHT, seconds=300, in_=13, out=5, covered_s=300),
        Passed(channel=CHANNEL, start=later, seconds=300, in_=3, out=None, covered_s=120),
    ]
    assert store.intervals([], MIDNIGHT, MIDNIGHT + HOUR) == []


def test_what_came_after_a_date_is_told_apart_for_ever(url: str) -> None:
    clock = Clock(MIDNIGHT + DAY)
    with closing(open_store(url, clock)) as store:
        store.write([flow(in_=10, out=1), flow(MIDNIGHT + HOUR, in_=4)])
        then = clock.now
        clock.now += HOUR
        store.write([flow(in_=5, out=2, part=1, covered_s=0, flags=(Flag.LATE,)), flow(MIDNIGHT + 2 * HOUR)])

        known = store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY, then)

        assert known == summed([flow(in_=10, out=1), flow(MIDNIGHT + HOUR, in_=4)])
        assert day_of(store) == store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY, clock.now)
        assert [hour.in_ for hour in day_of(store)] == [15, 4, 3]
        assert store.newest([CHANNEL], MIDNIGHT, MIDNIGHT + DAY) == clock.now
        assert store.newest([CHANNEL], MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR) == then
        assert store.newest([CHANNEL], MIDNIGHT - DAY, MIDNIGHT) is None
