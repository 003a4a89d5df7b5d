"""The walkers' truth: as many people as the data set says, each at a moment and in a direction that the seed says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.footfall import NoDataError, hourly
from firmware_sim.walkers import Count, Direction, Passage, Rhythm, Walkers

PARIS = ZoneInfo("Europe/Paris")
RHYTHM = Rhythm(real=date(2024, 10, 7), town=date(2026, 1, 5), days=56)
QUIET = Walkers(
    counter="passage",
    sensor="1 Courthouse Lane",
    rhythm=RHYTHM,
    zone=PARIS,
    opened=datetime(2026, 1, 5, tzinfo=UTC),
    seed=7,
    at_once=3,
)
BUSY = replace(QUIET, counter="rue", sensor="45 Queen Street", at_once=None)
HOUR = timedelta(hours=1)


def counted(passages: list[Passage]) -> Count:
    ins = sum(passage.direction is Direction.IN for passage in passages)
    return Count(ins, len(passages) - ins)


def real_count(walkers: Walkers, local_day: date, hour: int) -> int | None:
    return hourly(walkers.sensor, walkers.rhythm.real_day(local_day), 1)[hour]


@pytest.mark.parametrize("walkers", [QUIET, BUSY])
def test_in_and_out_of_every_hour_sum_to_the_data_sets_count(walkers: Walkers) -> None:
    midnight = datetime(2026, 2, 2, tzinfo=PARIS).astimezone(UTC)
    truth = [walkers.count(midnight + hour * HOUR).both for hour in range(7 * 24)]
    assert truth == hourly(walkers.sensor, walkers.rhythm.real_day(date(2026, 2, 2)), 7)


def test_the_rhythm_keeps_weekdays_and_starts_over() -> None:
    assert RHYTHM.real_day(date(2026, 1, 5)) == date(2024, 10, 7)
    assert RHYTHM.real_day(date(2026, 1, 4)) == date(2024, 12, 1)
    assert RHYTHM.real_day(date(2026, 3, 2)) == date(2024, 10, 7)
    assert RHYTHM.real_day(date(2026, 11, 22)).weekday() == date(2026, 11, 22).weekday()


def test_the_hour_that_summer_time_leaves_out_is_not_walked() -> None:
    day = date(2026, 3, 29)
    first = datetime(2026, 3, 29, tzinfo=PARIS).astimezone(UTC)
    walked = [BUSY.count(first + hour * HOUR).both for hour in range(23)]
    assert walked == [real_count(BUSY, day, hour) for hour in range(24) if hour != 2]


def test_the_hour_that_comes_twice_is_walked_twice_with_the_full_count() -> None:
    day = date(2026, 10, 25)
    first = datetime(2026, 10, 25, tzinfo=PARIS).astimezone(UTC)
    walked = [BUSY.count(first + hour * HOUR).both for hour in range(25)]
    assert walked == [real_count(BUSY, day, hour) for hour in (0, 1, 2, *range(2, 24))]


@pytest.mark.parametrize("walkers", [QUIET, BUSY])
def test_the_passages_of_an_hour_are_its_count(walkers: Walkers) -> None:
    for hour in range(24):
        start = datetime(2026, 6, 12, hour, tzinfo=UTC)
        passages = list(walkers.passages_between(start, start + HOUR))
        assert counted(passages) == walkers.count(start)
        assert all(start < passage.at < start + HOUR for passage in passages)


@given(
    start_s=st.integers(-3_600, 40 * 86_400),
    lengths=st.lists(st.integers(0, 9_000_000), min_size=1, max_size=4),
)
def test_totals_grow_by_who_passes_wherever_one_cuts(start_s: int, lengths: list[int]) -> None:
    moments = [QUIET.opened + timedelta(seconds=start_s)]
    for length_ms in lengths:
        moments.append(moments[-1] + timedelta(milliseconds=length_ms))
    whole = list(QUIET.passages_between(moments[0], moments[-1]))
    pieces = [passage for start, end in pairwise(moments) for passage in QUIET.passages_between(start, end)]
    assert pieces == whole
    assert QUIET.totals_at(moments[-1]) == QUIET.totals_at(moments[0]) + counted(whole)


def test_totals_of_a_long_time_are_the_sum_of_its_hours() -> None:
    hours = (datetime(2026, 1, 5, tzinfo=UTC) + hour * HOUR for hour in range(1_000))
    total = sum((QUIET.count(hour) for hour in hours), Count(0, 0))
    assert QUIET.totals_at(datetime(2026, 1, 5, tzinfo=UTC) + 1_000 * HOUR) == total


def test_nobody_is_counted_before_the_sensor_is_switched_on() -> None:
    noon = datetime(2026, 1, 7, 12, tzinfo=UTC)
    late = replace(BUSY, opened=noon)
    assert late.count(noon - HOUR) == Count(0, 0)
    assert list(late.passages_between(noon - 2 * HOUR, noon)) == []
    assert late.totals_at(noon) == Count(0, 0)
    assert late.totals_at(noon + HOUR) == BUSY.count(noon)


def test_the_seed_alone_makes_the_difference() -> None:
    noon = datetime(2026, 5, 5, 12, tzinfo=UTC)
    same, other = replace(BUSY), replace(BUSY, seed=8)
    assert list(same.passages_between(noon, noon + HOUR)) == list(BUSY.passages_between(noon, noon + HOUR))
    assert list(other.passages_between(noon, noon + HOUR)) != list(BUSY.passages_between(noon, noon + HOUR))
    assert other.count(noon).both == BUSY.count(noon).both


def test_no_more_people_come_together_than_the_place_allows() -> None:
    crowded = replace(BUSY, at_once=3, together_ms=4_500)
    start = datetime(2026, 6, 12, 11, tzinfo=UTC)
    passages = list(crowded.passages_between(start, start + HOUR))
    assert counted(passages) == crowded.count(start)
    times = [passage.at for passage in passages]
    assert all(fourth - first >= timedelta(milliseconds=4_500) for first, fourth in zip(times, times[3:], strict=False))


def test_an_hour_that_nobody_knows_is_not_walked_with_invented_people() -> None:
    gap = replace(QUIET, rhythm=Rhythm(real=date(2024, 9, 23), town=date(2026, 1, 5), days=7))
    with pytest.raises(NoDataError, match="1 Courthouse Lane: no count for 2024-09-2"):
        gap.count(datetime(2026, 1, 10, 12, tzinfo=UTC))
