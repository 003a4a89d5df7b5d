"""Exports of other systems: every count at its instant, exactly, and every line that cannot be taken by its number."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cloud_api.counts_import import akl, comptage, eco_visio
from cloud_api.counts_import.counts import Count, Empty, Profile, Refused, UnreadableError, Way, passages_in
from cloud_api.counts_import.places import id_of
from cloud_api.counts_import.wall_clock import ONCE, REPEATED, SKIPPED, instants
from tests.drivers import PARIS

AUCKLAND = ZoneInfo("Pacific/Auckland")
HOURS = (*range(6, 24), *range(6))


def lines(*texts: str) -> list[str]:
    return [f"{text}\n" for text in texts]


def counts(profile: Profile, texts: Sequence[str], zone: ZoneInfo = PARIS) -> list[Count]:
    return [each for each in profile(lines(*texts), zone) if isinstance(each, Count)]


def refusals(profile: Profile, texts: Sequence[str], zone: ZoneInfo = PARIS) -> list[Refused]:
    return [each for each in profile(lines(*texts), zone) if isinstance(each, Refused)]


def count_day(day: str, hours: Sequence[int] = HOURS) -> list[str]:
    """A row for each hour, whose counts are the row's number."""
    return [f"{day},{hour}:00-{hour}:59,2024,{number}.0," for number, hour in enumerate(hours)]


def akl_file(*days: Sequence[str]) -> list[str]:
    return ["date,hour,year,Queen Street,K Road", *(row for day in days for row in day)]


def test_a_count_day_begins_at_six_and_ends_on_the_next() -> None:
    read = counts(akl.read, akl_file(count_day("2024-01-31")), AUCKLAND)
    begin = datetime(2024, 1, 31, 6, tzinfo=AUCKLAND).astimezone(UTC)

    assert [(each.start, each.passages) for each in read] == [
        (begin + timedelta(hours=number), number) for number in range(24)
    ]
    assert {(each.counter, each.way, each.seconds) for each in read} == {("Queen Street", Way.BOTH, 3600)}


def test_an_empty_cell_is_nothing_measured() -> None:
    read = list(akl.read(lines(*akl_file(count_day("2024-01-31"))), AUCKLAND))

    assert sum(isinstance(each, Empty) for each in read) == 24


@pytest.mark.parametrize(
    ("day", "hours", "taken"),
    [
        ("2023-09-23", HOURS, 23),
        ("2023-09-23", (*range(6, 24), 0, 1, 3, 4, 5), 23),
        ("2023-04-01", HOURS, 23),
        ("2023-04-01", (*range(6, 24), 0, 1, 2, 2, 3, 4, 5), 25),
    ],
)
def test_a_change_of_time_in_auckland_is_taken_as_far_as_it_is_known(
    day: str, hours: Sequence[int], taken: int
) -> None:
    read = counts(akl.read, akl_file(count_day(day, hours)), AUCKLAND)
    begin = datetime.combine(date.fromisoformat(day), datetime.min.time(), AUCKLAND).replace(hour=6)

    assert len({each.start for each in read}) == len(read) == taken
    local = [each.start.astimezone(AUCKLAND) for each in read]
    assert [each.hour for each in local] == [hour for hour in hours if taken == len(hours) or hour != 2]
    assert read[0].start == begin


def test_a_count_day_that_was_cut_off_is_taken_and_one_with_rows_of_another_is_refused() -> None:
    cut_off = count_day("2024-01-31", HOURS[:21])
    stray = count_day("2024-02-01", (3,))
    mixed = count_day("2024-02-02", (*HOURS, 6))
    text = akl_file(cut_off, stray, mixed)

    assert len(counts(akl.read, text, AUCKLAND)) == 21
    found = refusals(akl.read, text, AUCKLAND)
    assert [each.line for each in found] == [23, *range(24, 49)]
    assert found[0].reason == "count day 2024-02-01: the hours from 6:00 to 5:59 expected in their order; 1 other rows"


def test_bad_cells_are_refused_alone() -> None:
    day = count_day("2024-01-31")
    day[3] = day[3].replace(",3.0,", ",many,-4")
    day[5] = "2024-01-31,11:00-11:59,2024"
    found = refusals(akl.read, akl_file(day, ["soon,6:00-6:59,2024,1,1"]), AUCKLAND)

    assert [(each.line, each.field, each.text) for each in found] == [
        (5, "Queen Street", "many"),
        (5, "K Road", "-4"),
        (7, "", ""),
        (26, "", "soon,6:00-6:59,2024"),
    ]


ECO = ["Sites piétons", "", "Horodatage;Rue Haute;Rue Haute IN;Rue Haute OUT;Pont", "31/01/2024 00:00;5;3;2;1 204"]


def test_directions_are_told_apart_and_their_sum_is_left_out() -> None:
    read = counts(eco_visio.read, [*ECO, "31/01/2024 01:00;;4;;"])

    start = datetime(2024, 1, 30, 23, tzinfo=UTC)
    assert [(each.counter, each.way, each.start, each.passages, each.line) for each in read] == [
        ("Rue Haute", Way.IN, start, 3, 4),
        ("Rue Haute", Way.OUT, start, 2, 4),
        ("Pont", Way.BOTH, start, 1204, 4),
        ("Rue Haute", Way.IN, start + timedelta(hours=1), 4, 5),
    ]


def eco_day(day: str, hours: Sequence[int]) -> list[str]:
    return ["Date,Heure,Pont", *(f"{day},{hour:02}:00,{number}" for number, hour in enumerate(hours))]


def test_the_hour_that_comes_twice_is_two_hours_where_it_is_here_twice() -> None:
    read = counts(eco_visio.read, eco_day("2024-10-27", (0, 1, 2, 2, *range(3, 24))))
    begin = datetime(2024, 10, 26, 22, tzinfo=UTC)

    assert [each.start for each in read] == [begin + timedelta(hours=number) for number in range(25)]
    assert [each.passages for each in read] == list(range(25))


def test_the_hour_that_comes_twice_is_refused_where_it_is_here_once_and_the_skipped_one_always() -> None:
    autumn = refusals(eco_visio.read, eco_day("2024-10-27", range(24)))
    spring = refusals(eco_visio.read, eco_day("2024-03-31", range(24)))

    assert [(each.line, each.text, each.reason) for each in autumn] == [(4, "2024-10-27 02:00", ONCE)]
    assert [(each.line, each.text, each.reason) for each in spring] == [(4, "2024-03-31 02:00", SKIPPED)]


def test_quarters_of_an_hour_and_times_with_an_offset_are_taken() -> None:
    read = counts(
        eco_visio.read, ["Time\tPont", "2024-10-27T02:45:00+02:00\t7", "2024-10-27T02:00:00+01:00\t8", "bad\t9"]
    )

    assert [(each.start, each.seconds) for each in read] == [
        (datetime(2024, 10, 27, 0, 45, tzinfo=UTC), 900),
        (datetime(2024, 10, 27, 1, 0, tzinfo=UTC), 900),
    ]


def test_lines_of_an_eco_visio_export_that_are_none_are_refused() -> None:
    rows = ["31/01/2024 01:00;1;1", "soon;1;1;1;1", "31/01/2024 02:30;1;1;1;1", "31/01/2024 03:00;1;x;1;1"]
    found = refusals(eco_visio.read, [*ECO, *rows, "31/01/2024 04:00;;;;", "31/01/2024 04:30;;;;"])

    assert [(each.line, each.field, each.text) for each in found] == [
        (5, "", "1;1"),
        (6, "", "soon"),
        (8, "Rue Haute IN", "x"),
    ]


@pytest.mark.parametrize(
    ("profile", "texts", "told"),
    [
        (akl.read, [], "line 1: the columns date, hour, year and counters expected"),
        (akl.read, ["date,hour,year"], "line 1: the columns date, hour, year and counters expected"),
        (eco_visio.read, ["a;b", "1;2"], "no heading in the first 20 lines"),
        (eco_visio.read, ["Time;Pont", "31/01/2024 00:00;1", "01/02/2024 00:00;1"], "lie 86400 s apart"),
        (eco_visio.read, ["Time;Pont"], "times such as 31/01/2024 13:00"),
        (comptage.read, ["channel_id,count"], "no start_datetime, end_datetime found"),
    ],
)
def test_a_file_that_is_no_such_export_is_told_as_such(profile: Profile, texts: Sequence[str], told: str) -> None:
    with pytest.raises(UnreadableError) as error:
        list(profile(lines(*texts), PARIS))

    assert told in str(error.value)


COMPTAGE = "channel_id,counter_id,start_datetime,end_datetime,count"


def test_measures_of_the_schema_are_read_by_channel() -> None:
    read = counts(
        comptage.read,
        [
            COMPTAGE,
            "rue-haute-in,,2024-01-31T12:00:00Z,2024-01-31T13:00:00Z,7",
            "rue-haute-out,,2024-01-31T12:00:00Z,2024-01-31T13:00:00Z,",
            "pont,,2024-01-31T13:00:00+01:00,2024-01-31T13:15:00+01:00,3",
        ],
    )

    noon = datetime(2024, 1, 31, 12, tzinfo=UTC)
    assert [(each.counter, each.way, each.start, each.seconds, each.passages) for each in read] == [
        ("rue-haute", Way.IN, noon, 3600, 7),
        ("pont", Way.BOTH, noon, 900, 3),
    ]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("a,,2024-01-31T12:00:00,2024-01-31T13:00:00Z,7", "start_datetime"),
        ("a,,2024-01-31T12:00:00Z,soon,7", "end_datetime"),
        ("a,,2024-01-31T12:00:00Z,2024-02-01T12:00:00Z,7", "end_datetime"),
        ("a,,2024-01-31T12:10:00Z,2024-01-31T13:10:00Z,7", "end_datetime"),
        ("a,,2024-01-31T12:00:00Z,2024-01-31T11:00:00Z,7", "end_datetime"),
        ("a,,2024-01-31T12:00:00Z,2024-01-31T13:00:00Z,7.5", "count"),
        (",,2024-01-31T12:00:00Z,2024-01-31T13:00:00Z,7", "channel_id"),
        ("a", "start_datetime"),
    ],
)
def test_a_measure_that_is_none_is_refused_by_its_field(row: str, field: str) -> None:
    found = list(comptage.read(lines(COMPTAGE, row), PARIS))

    assert [(each.line, each.field) for each in found if isinstance(each, Refused)] == [(2, field)] or found == [
        Empty(2)
    ]


def test_a_label_that_stands_three_times_is_no_time() -> None:
    twice = datetime.fromisoformat("2024-10-27T02:00")
    assert instants([twice] * 3, PARIS) == [REPEATED] * 3
    assert instants([twice + timedelta(hours=5)] * 2, PARIS) == [REPEATED] * 2


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("12.0", 12),
        ("12,00", 12),
        ("1 234", 1234),
        ("1.5", None),
        ("-1", None),
        ("", None),
        ("9" * 20, None),
    ],
)
def test_a_number_of_passages_is_a_whole_one(text: str, number: int | None) -> None:
    assert passages_in(text) == number


def test_a_counters_id_is_made_of_its_name() -> None:
    assert id_of("188 Quay Street Lower Albert (EW)") == "188-quay-street-lower-albert-ew"
    assert id_of("Passerelle Éric-Tabarly – été") == "passerelle-eric-tabarly-ete"
    assert id_of("(…)") == "compteur"
