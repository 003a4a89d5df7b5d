"""Auckland's hourly counts, read by calendar day: what the file's traps hide is unknown, everything else is exact."""

from datetime import date, timedelta

import pytest

from firmware_sim.footfall import NoDataError, hourly, sensors, weeks_without_gaps

QUEEN_STREET = "45 Queen Street"
HIGH_STREET = "2 High Street"


def test_there_are_21_sensors() -> None:
    assert len(sensors()) == 21
    assert QUEEN_STREET in sensors()


def test_the_hours_from_six_on_are_those_of_the_count_days_own_date() -> None:
    assert hourly(QUEEN_STREET, date(2019, 1, 1), 1)[6:9] == [151, 113, 279]


def test_the_hours_before_six_belong_to_the_next_calendar_day() -> None:
    assert hourly(QUEEN_STREET, date(2019, 1, 2), 1)[:7] == [84, 40, 23, 17, 31, 8, 40]


def test_days_follow_each_other_in_24_hours_each() -> None:
    two_days = hourly(HIGH_STREET, date(2024, 11, 30), 2)
    assert two_days == hourly(HIGH_STREET, date(2024, 11, 30), 1) + hourly(HIGH_STREET, date(2024, 12, 1), 1)
    assert len(two_days) == 48


def test_what_the_file_does_not_reach_is_unknown() -> None:
    assert hourly(QUEEN_STREET, date(2019, 1, 1), 1)[:6] == [None] * 6
    assert hourly(QUEEN_STREET, date(2018, 12, 31), 1) == [None] * 24
    assert hourly(QUEEN_STREET, date(2026, 1, 2), 1) == [None] * 24
    assert hourly(QUEEN_STREET, date(2026, 1, 1), 1)[5:7] == [153, None]


def test_a_quiet_hour_is_a_zero() -> None:
    assert hourly("19 Shortland Street", date(2019, 1, 2), 1)[2] == 0


def test_an_outage_is_unknown_and_no_long_quiet_night() -> None:
    assert hourly("107 Quay Street", date(2019, 4, 1), 2)[6:] == [None] * 42
    assert hourly("107 Quay Street", date(2019, 4, 1), 1)[5] is not None


def test_an_empty_cell_is_unknown() -> None:
    assert hourly("188 Quay Street Lower Albert (EW)", date(2019, 6, 1), 1) == [None] * 24


@pytest.mark.parametrize("count_day", [date(2024, 9, 28), date(2024, 9, 29), date(2025, 1, 1), date(2025, 1, 5)])
def test_a_count_day_with_rows_of_another_is_unknown_as_a_whole(count_day: date) -> None:
    from_six_to_six = hourly(QUEEN_STREET, count_day, 2)[6:30]
    assert from_six_to_six == [None] * 24


def test_weeks_without_gaps_begin_on_mondays_and_have_none() -> None:
    wanted = (QUEEN_STREET, HIGH_STREET, "107 Quay Street")
    weeks = weeks_without_gaps(wanted)
    assert len(weeks) > 100
    assert all(week.weekday() == 0 for week in weeks)
    assert all(None not in hourly(sensor, week, 7) for week in weeks for sensor in wanted)


def test_a_week_with_one_unknown_hour_is_left_out() -> None:
    broken = date(2024, 9, 23)
    assert None in hourly(QUEEN_STREET, broken, 7)
    around = weeks_without_gaps([QUEEN_STREET], broken - timedelta(days=7), broken + timedelta(days=15))
    assert around == [date(2024, 9, 16), date(2024, 10, 7)]


def test_an_unknown_sensor_is_named() -> None:
    with pytest.raises(NoDataError, match="no sensor 'Champs-Élysées'"):
        hourly("Champs-Élysées", date(2024, 1, 1), 1)
