"""Counts that cannot be so are found, each with its cause, and ordinary streets are left in peace."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cloud_api.plausibility import MOST_ON_FOOT, Counted, Finding, Street, findings
from firmware_sim.footfall import hourly, sensors, weeks_without_gaps

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
STREET = Street(mode="pedestrian", in_="vers la gare", out="vers la mairie", zone=ZoneInfo("Europe/Paris"))
HOUR = timedelta(hours=1)

Counts = Callable[[datetime], tuple[int | None, int | None]]


def ordinary(at: datetime) -> tuple[int | None, int | None]:
    """Some dozens by day, one or two at night."""
    local = at.astimezone(STREET.zone).hour
    return (60, 50) if 8 <= local < 20 else (1, 1)


def found(counts: Counts, hours: int = 7 * 24) -> list[Finding]:
    starts = [MONDAY + index * HOUR for index in range(hours)]
    return findings([Counted(start=at, in_=counts(at)[0], out=counts(at)[1]) for at in starts], STREET)


def test_an_ordinary_week_raises_no_doubt() -> None:
    assert found(ordinary) == []


def test_more_than_a_street_can_carry_is_found_in_its_hour() -> None:
    noon = MONDAY + 12 * HOUR

    (finding,) = found(lambda at: (MOST_ON_FOOT, 1) if at == noon else ordinary(at))

    assert (finding.start, finding.end) == (noon, noon + HOUR)
    assert "20001" in finding.cause.fr
    assert "more than a street can carry" in finding.cause.en


def test_a_night_as_busy_as_the_day_is_found_by_the_clock_on_the_wall() -> None:
    """A branch in the wind: the same at every hour."""
    night = [MONDAY + timedelta(days=3, hours=2), MONDAY + timedelta(days=3, hours=5)]

    (finding,) = found(lambda at: (40, 40) if night[0] <= at < night[1] else ordinary(at))

    assert [finding.start, finding.end] == night
    assert "between 3:00 and 6:00" in finding.cause.en


def test_the_nights_of_a_street_that_goes_out_are_believed() -> None:
    goes_out = msgspec.structs.replace(STREET, lively_at_night=True)
    night = [Counted(start=MONDAY + number * HOUR, in_=90, out=80) for number in range(72)]

    assert findings(night, STREET)
    assert findings(night, goes_out) == []


def test_a_night_that_belongs_to_a_great_day_is_believed() -> None:
    def fete(at: datetime) -> tuple[int | None, int | None]:
        local = at.astimezone(STREET.zone).hour
        return (900, 900) if 8 <= local < 20 else (40, 40)

    assert found(fete, 24) == []


def test_zeros_for_days_are_found_where_people_used_to_pass() -> None:
    gone = MONDAY + timedelta(days=4)

    (finding,) = found(lambda at: (0, 0) if at >= gone else ordinary(at))

    assert (finding.start, finding.end) == (gone, MONDAY + timedelta(days=7))
    assert finding.cause.fr == "aucun passage pendant 3 jours"


def test_a_path_where_hardly_anybody_walks_may_be_empty_for_days() -> None:
    assert found(lambda at: (int((at - MONDAY) % timedelta(days=3) == timedelta(0)), 0), 21 * 24) == []


def test_a_counter_that_never_counted_anybody_is_found() -> None:
    assert len(found(lambda _: (0, 0))) == 1


@pytest.mark.parametrize(
    ("counts", "direction"),
    [(lambda at: (0, ordinary(at)[1]), STREET.in_), (lambda at: (ordinary(at)[0], 0), STREET.out)],
)
def test_one_silent_direction_is_found_and_named(counts: Counts, direction: str) -> None:
    (finding,) = found(counts)

    assert direction in finding.cause.en
    assert direction in finding.cause.fr


def test_a_sensor_of_one_direction_is_not_blamed_for_the_other() -> None:
    assert found(lambda at: (ordinary(at)[0], None)) == []


def test_hours_that_nobody_measured_are_no_zeros() -> None:
    hours = [Counted(start=MONDAY + index * HOUR, in_=5, out=5) for index in range(0, 7 * 24, 30)]

    assert findings(hours, STREET) == []


def test_real_streets_are_hardly_ever_doubted() -> None:
    """Eight weeks of each of Auckland's counters, where hundreds are out on a Saturday night."""
    weeks = [date(2024, 10, 7) + timedelta(weeks=week) for week in range(8)]
    known = [(name, week) for name in sensors() for week in weeks_without_gaps([name], weeks[0], weeks[-1])]
    assert len(known) > 100

    doubted = [(name, week) for name, week in known if findings(_auckland(name, week), STREET)]

    assert len(doubted) <= len(known) / 50


def _auckland(name: str, week: date) -> list[Counted]:
    start = datetime.combine(week, datetime.min.time(), STREET.zone).astimezone(UTC)
    counts = hourly(name, week, 7)
    return [
        Counted(start=start + index * HOUR, in_=count // 2, out=count - count // 2)
        for index, count in enumerate(counts)
        if count is not None
    ]
