"""Which hours are left out and why: nothing that a street does is accused, nothing that it cannot do is believed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.forecast.days import Calendar
from cloud_api.plausibility import Counted, Street, findings
from cloud_api.reports.filling import LEAST_ALIKE, filled
from cloud_api.reports.hours import Floats, Hours, make_hours
from cloud_api.reports.quality import FAULTS, SOUND, Fault, judged
from tests.unit.test_flow_indicators import PARIS, hours

STREET = Street(mode="pedestrian", in_="vers la gare", out="vers le marché", zone=PARIS)
MONDAY = date(2026, 1, 5)
"""Summer time begins on the Sunday of the twelfth week."""
NIGHT, NOON = 3, 12
NO_SCHOOLS = Calendar(None)


def street(weeks: int, *, busiest: float = 300, seed: int = 1) -> Floats:
    """float64[hour] of a lively street: hardly anybody at night, and days that differ by their weather."""
    random = np.random.default_rng(seed)
    rhythm = busiest * np.clip(np.sin((np.arange(24) - 5) / 19 * np.pi), 0.1, None) ** 2
    weather = random.lognormal(0, 0.2, size=7 * weeks)
    return random.poisson(np.outer(weather, rhythm).ravel()).astype(np.float64)


def counted(in_: Floats, out: Floats | None = None, *, first: date = MONDAY) -> Hours:
    """Measured hours from a local midnight on; NaN is an hour that nobody measured."""
    midnight = datetime.combine(first, time.min, PARIS).astimezone(UTC)
    return make_hours(
        [midnight + timedelta(hours=number) for number in range(len(in_))],
        PARIS,
        in_=in_,
        out=np.full(len(in_), np.nan) if out is None else out,
        coverage=np.where(np.isnan(in_), 0.0, 1.0),
        sound=np.ones(len(in_), dtype=np.bool_),
    )


def faults(its: Hours) -> dict[int, Fault]:
    """By position, what is wrong with an hour."""
    codes = judged(its, STREET).fault
    return {int(at): FAULTS[codes[at]] for at in np.flatnonzero(codes != SOUND)}


def at(day: int, hour: int) -> int:
    return 24 * day + hour


@given(st.integers(0, 10_000))
def test_a_street_with_its_weather_is_not_accused(seed: int) -> None:
    assert faults(counted(street(10, seed=seed), street(10, seed=seed + 1))) == {}


def test_weeks_of_zeros_are_left_out_with_their_length_in_words() -> None:
    counts = street(20)
    counts[at(30, 0) - 1 : at(58, 0) + 1] = [1, *[0] * 672, 1]
    quality = judged(counted(counts), STREET)

    assert [(each.fault, each.hours, each.cause.fr, each.cause.en) for each in quality.left_out] == [
        (Fault.SILENT, 28 * 24, "aucun passage pendant 28 jours", "nobody counted for 28 days")
    ]
    assert quality.count(Fault.SILENT) == quality.missing.sum() == 28 * 24
    assert np.isnan(quality.measured[quality.missing]).all()


def test_two_silent_hours_at_noon_are_left_out_and_a_silent_night_is_not() -> None:
    counts = street(20)
    counts[at(30, NOON) : at(30, NOON + 2)] = 0
    counts[at(40, 0) : at(40, 6)] = 0

    assert faults(counted(counts)) == dict.fromkeys(range(at(30, NOON), at(30, NOON + 2)), Fault.SILENT)


def test_a_lane_where_nobody_comes_for_a_night_and_a_morning_is_believed() -> None:
    assert faults(counted(street(20, busiest=3))) == {}


def test_a_sensor_that_says_the_same_hour_after_hour_is_stuck() -> None:
    counts = street(20)
    counts[at(30, 9) : at(30, 18)] = 217

    assert faults(counted(counts)) == dict.fromkeys(range(at(30, 9), at(30, 18)), Fault.STUCK)


def test_a_few_equal_counts_of_one_or_two_are_chance() -> None:
    counts = street(20)
    counts[at(30, 0) : at(30, 6)] = 1

    assert faults(counted(counts)) == {}


def test_days_that_were_copied_from_earlier_ones_are_left_out_and_the_first_ones_stay() -> None:
    counts = street(20)
    counts[at(40, 0) : at(42, 0)] = counts[at(33, 0) : at(35, 0)]
    (left_out,) = judged(counted(counts), STREET).left_out

    assert (left_out.fault, left_out.hours) == (Fault.COPIED, 48)
    assert left_out.cause.en == "the same counts, hour by hour, as 7 days before, for 2 days"


def test_days_with_the_same_totals_and_other_directions_are_no_copies() -> None:
    both, share = street(20), np.random.default_rng(5)
    both[at(40, 0) : at(42, NOON)] = both[at(33, 0) : at(35, NOON)]
    in_ = share.binomial(both.astype(np.int64), 0.5).astype(np.float64)

    assert faults(counted(in_, both - in_)) == {}


def test_a_street_that_is_lively_every_saturday_night_is_believed() -> None:
    counts = street(20)
    for week in range(20):
        counts[at(7 * week + 5, 3) : at(7 * week + 5, 6)] = 180 + week

    assert faults(counted(counts)) == {}


def test_the_night_of_new_year_is_believed() -> None:
    counts = street(20)
    counts[at(7, 3) : at(7, 6)] = [180, 190, 201]

    assert faults(counted(counts, first=date(2025, 12, 25))) == {}


def test_one_blind_direction_is_left_out_and_named() -> None:
    in_, out = street(20), street(20, seed=2)
    out[at(50, 0) - 1 : at(57, 0) + 1] = [1, *[0] * 168, 1]
    (left_out,) = judged(counted(in_, out), STREET).left_out

    assert (left_out.fault, left_out.hours) == (Fault.ONE_SIDED, 168)
    assert left_out.cause.fr == "personne compté dans le sens « vers le marché » pendant 7 jours"


def test_more_than_a_street_can_carry_is_impossible() -> None:
    counts = street(20)
    counts[at(3, NOON)] = 20_001

    assert faults(counted(counts)) == {at(3, NOON): Fault.IMPOSSIBLE}


def test_a_night_as_lively_as_the_day_is_left_out() -> None:
    counts = street(20)
    counts[at(3, 3) : at(3, 6)] = [180, 190, 201]

    assert faults(counted(counts)) == dict.fromkeys(range(at(3, 3), at(3, 6)), Fault.NIGHT)


def test_a_street_of_which_the_town_says_that_it_is_lively_at_night_is_believed() -> None:
    counts = street(4)
    counts[at(3, 3) : at(3, 6)] = [180, 190, 201]
    goes_out = msgspec.structs.replace(STREET, lively_at_night=True)

    assert judged(counted(counts), goes_out).left_out == ()
    assert judged(counted(counts), STREET).left_out != ()


def test_what_nobody_measured_is_told_as_such_and_what_was_measured_in_part_too() -> None:
    counts = street(4)
    counts[at(2, 0) : at(3, 0)] = np.nan
    its = counted(counts)
    its.coverage[at(9, NOON)] = 0.6
    quality = judged(its, STREET)

    assert [(each.fault, each.cause.en) for each in quality.left_out] == [
        (Fault.NOT_MEASURED, "nothing measured for 24 h"),
        (Fault.PARTLY_MEASURED, "measured for less than nine tenths for 60 min"),
    ]
    assert [(each.day, each.measured, each.hours) for each in quality.short_days] == [(date(2026, 1, 14), 23, 24)]


def test_a_day_that_lacks_a_row_is_short_and_the_day_of_23_hours_is_not() -> None:
    its = counted(street(14)[:-1])
    lacking = np.delete(np.arange(len(its)), at(5, 7))
    quality = judged(
        replace(its, **{name: getattr(its, name)[lacking] for name in its.__slots__ if name != "zone"}), STREET
    )

    assert [(each.day, each.cause.fr) for each in quality.short_days] == [(date(2026, 1, 10), "heures connues : 23/24")]


def test_what_the_platform_doubted_before_stays_left_out() -> None:
    its = counted(street(4))
    its.sound[at(2, 10)] = False

    assert faults(its) == {at(2, 10): Fault.DOUBTED}


def zeros(counts: Floats) -> None:
    counts[at(10, 7) : at(13, 9)] = 0


def beyond(counts: Floats) -> None:
    counts[at(10, 7)] = 30_000


def lively_night(counts: Floats) -> None:
    counts[at(10, 3) : at(10, 6)] = 400


@pytest.mark.parametrize("spoil", [zeros, beyond, lively_night])
def test_the_api_and_the_report_leave_the_same_hours_out(spoil: Callable[[Floats], None]) -> None:
    counts = street(4)
    spoil(counts)
    its = counted(counts)
    told = [
        Counted(start=datetime.fromtimestamp(int(start), UTC), in_=int(count), out=None)
        for start, count in zip(its.start, counts, strict=True)
    ]
    periods = [(each.start, each.end) for each in findings(told, STREET)]

    assert [(each.start, each.end) for each in judged(its, STREET).left_out] == periods != []


@pytest.mark.parametrize("counts", [[], [None] * 48, [5]])
def test_hardly_any_hour_is_no_error(counts: Sequence[int | None]) -> None:
    assert len(judged(hours(counts), STREET).fault) == len(counts)


def test_a_gap_is_filled_by_the_median_of_hours_alike_in_a_column_of_its_own() -> None:
    counts = street(13)[: 12 * 168]
    alike = [counts[at(23 + 7 * weeks, NOON)] for weeks in (-3, -2, -1, 1, 2, 3, 4, 5, 6)]
    counts[at(23, 0) : at(24, 0)] = np.nan
    found = filled(judged(counted(counts), STREET), NO_SCHOOLS)

    gap = np.isnan(counts)
    assert found.estimated[at(23, NOON)] == np.median(alike)
    assert (found.alike[gap] == 9).all()
    assert np.isnan(found.estimated[~gap]).all()
    assert np.isnan(found.measured[gap]).all()
    assert not found.missing.any()


def test_a_gap_without_enough_hours_alike_stays_missing() -> None:
    counts = street(LEAST_ALIKE)
    counts[at(3, NOON)] = np.nan
    found = filled(judged(counted(counts), STREET), NO_SCHOOLS)

    assert np.flatnonzero(found.missing).tolist() == [at(3, NOON)]
