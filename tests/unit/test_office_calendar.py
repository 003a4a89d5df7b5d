"""The office's calendar: which days are a market's or an event's, and every broken line by its number."""

from datetime import date
from pathlib import Path

import pytest

from cloud_api.registry.files.draft import PlacesError
from cloud_api.reports.calendar import load_calendar, parse_calendar

FILE = Path("calendrier.toml")
CALENDAR = """\
[[market]]
name = "Marché des Lices"
weekdays = ["samedi"]
from = 2024-01-06
not_on = [2026-12-26]
also_on = [2026-12-24]
places = ["rue-haute"]

[[event]]
name = "Marché de Noël"
from = 2026-11-27
to = 2026-12-24
hours = "10:00-20:00"
places = ["place-du-marche"]

[[event]]
name = "Fête de la musique"
from = 2026-06-21
to = 2026-06-21
hours = "18h00-01h30"
"""


def test_markets_and_events_are_known_by_their_days() -> None:
    calendar = parse_calendar(CALENDAR, FILE)

    assert calendar.markets_on(date(2026, 11, 28)) == ("Marché des Lices",)
    assert [calendar.markets_on(date(2026, 12, day)) for day in (24, 25, 26)] == [("Marché des Lices",), (), ()]
    assert calendar.markets_on(date(2023, 12, 30)) == ()
    assert calendar.markets_on(date(2026, 11, 28), ["rue-basse"]) == ()
    assert date(2026, 12, 24) in calendar.special_days()
    assert calendar.special_days(["rue-haute"]) == {date(2026, 6, 21), date(2026, 6, 22)}


def test_an_event_has_the_hours_that_it_touches_past_midnight_too() -> None:
    event = parse_calendar(CALENDAR, FILE).event("Fête de la musique")

    assert event is not None
    first, second = date(2026, 6, 21), date(2026, 6, 22)
    assert event.days == [first, second]
    assert event.cells == [*((first, hour) for hour in range(18, 24)), (second, 0), (second, 1)]


def test_the_latest_event_of_a_name_is_meant() -> None:
    again = '[[event]]\nname = "Braderie"\nfrom = 20{year}-09-05\nto = 20{year}-09-06\n'
    event = parse_calendar("".join(again.format(year=year) for year in (25, 26, 24)), FILE).event("Braderie")

    assert event is not None
    assert event.start == date(2026, 9, 5)
    assert len(event.cells) == 48


@pytest.mark.parametrize(
    ("line", "by", "told"),
    [
        ("weekdays", 'weekdays = ["caturday"]', "line 3, field weekdays: 'caturday': a day such as samedi"),
        ("weekdays", "weekdays = []", "line 3, field weekdays: none; at least one day"),
        ("from = 2026-11-27", 'from = "27/11/2026"', "line 11, field from: '27/11/2026': a date as 2026-11-27"),
        ("from = 2026-11-27", "", "line 9, field from: missing"),
        ("to = 2026-12-24", "to = 2025-12-24", "line 12, field to: 2025-12-24 is before 2026-11-27"),
        ("to = 2026-12-24", "to = 2028-12-24", "line 12, field to: 2028-12-24: an event of a year at most"),
        ("from = 2026-11-27", "from = 1999-11-27", "line 11, field from: 1999-11-27: an event from 2000 to 2199"),
        ("hours", 'hours = "20:00-24:59"', "line 13, field hours: '20:00-24:59': hours as 10:00-20:00 expected"),
        ("hours", 'hours = "all day"', "line 13, field hours: 'all day': hours as 10:00-20:00 expected"),
        ("not_on", "not_in = [2026-12-26]", "line 5, field not_in: not known; one of name, weekdays, from"),
        ("[[event]]", "[[fête]]", "line 9: no TOML"),
        ("[[event]]", "[[party]]", "line 9, field party: not known; [[market]] and [[event]] expected"),
        ("[[event]]", "[event]", "not known; [[market]] and [[event]] expected"),
    ],
)
def test_a_broken_line_is_named_with_what_was_expected(line: str, by: str, told: str) -> None:
    lines = CALENDAR.splitlines()
    number = next(number for number, each in enumerate(lines) if each.startswith(line))
    last = 15 if by == "[event]" else None
    broken = "\n".join([*lines[:number], by, *lines[number + 1 : last]])

    with pytest.raises(PlacesError) as error:
        parse_calendar(broken, FILE)

    assert told in str(error.value)


def test_all_mistakes_are_told_at_once_and_a_file_that_is_not_there_too(tmp_path: Path) -> None:
    with pytest.raises(PlacesError) as error:
        parse_calendar(CALENDAR.replace("samedi", "x").replace("10:00-20:00", "y"), FILE)
    assert [each.line for each in error.value.mistakes] == [3, 13]

    with pytest.raises(PlacesError, match="cannot be read"):
        load_calendar(tmp_path / "none.toml")


def test_a_calendar_of_inline_tables_or_of_nothing_is_one() -> None:
    assert parse_calendar("", FILE).special_days() == frozenset()
    inline = 'event = [{name = "Braderie", from = 2026-09-05, to = 2026-09-05}]'
    assert parse_calendar(inline, FILE).special_days() == {date(2026, 9, 5)}
