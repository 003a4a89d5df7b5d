"""`passerelle event` and the editions that it writes: only added to, in trail and backup, known as of a date."""

import re
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud_api.backup.archive import RegistryPart
from cloud_api.backup.registry_rows import dump_registry, load_registry
from cloud_api.event_commands import event
from cloud_api.event_writing import Writer, keep_calendar
from cloud_api.registry.office_events import EditedMeanwhileError
from cloud_api.reports.calendar import Event, OfficeCalendar
from cloud_api.reports.named_events import body_of, last_written, named_events, with_named
from tests.registries import registry_at
from tests.reporting import REGISTRY
from tests.town import kept

FAIR = Event(name="Foire", start=date(2026, 11, 7), end=date(2026, 11, 8), places=("rue-haute",))
FIRST = datetime(2026, 11, 27, 9, 0, 0, 250_000, tzinfo=UTC)
ID = "3f0a5c2d9b1e4477"


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A registry with the streets of the reports' town."""
    kept(REGISTRY, tmp_path).close()
    return tmp_path / "registry.db"


def by_hand(town: Path, *words: str) -> Result:
    return CliRunner().invoke(event, [*words, "--registry", str(town)])


def test_an_event_is_named_corrected_and_withdrawn_and_nothing_of_it_is_lost(town: Path) -> None:
    added = by_hand(town, "add", "Foire", "--from", "2026-11-07", "--opens", "18:00", "--closes", "01:30")
    assert added.exit_code == 0, added.output
    name = added.output.partition(":")[0]

    assert "2026-11-07 to 2026-11-08" in by_hand(town, "change", name, "--to", "2026-11-08").output
    assert by_hand(town, "change", name, "--to", "2026-11-08").output == "nothing to do\n"
    assert "withdrawn: Foire" in by_hand(town, "withdraw", name).output
    assert by_hand(town, "list").output == "0 events\n"
    assert re.search(rf"{name}.*18:00-01:30.*withdrawn", by_hand(town, "list", "--withdrawn").output, re.DOTALL)

    with closing(registry_at(town)) as store:
        assert [each.body is None for each in store.office_events.all()] == [False, False, True]
        trail = store.trail(key=name)
    assert [(each.kind, each.before is None, each.after is None) for each in reversed(trail)] == [
        ("office_event", True, False),
        ("office_event", False, False),
        ("office_event", False, True),
    ]
    assert trail[0].who.startswith("event withdraw")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "Foire", "--from", "samedi"), "start: 'samedi': a day (2026-11-27) expected"),
        (("add", "Foire", "--from", "2026-11-07", "--to", "2026-11-06"), "end: the last day expected"),
        (("add", "Foire", "--from", "2026-11-07", "--to", "2028-11-06"), "a year later at most"),
        (("add", "Foire", "--from", "9999-12-31"), "start: '9999-12-31': a day from 2000 to 2199 expected"),
        (("add", "Foire", "--from", "2026-11-07", "--opens", "10 h"), "opens: '10 h': a time (10:00) expected"),
        (
            ("add", "Foire", "--from", "2026-11-07", "--closes", "18:00:30"),
            "closes: '18:00:30': a time (10:00) expected",
        ),
        (("add", "Foire", "--from", "2026-11-07", "--place", "nulle-part"), "place: no place 'nulle-part'; known:"),
        (("add", " ", "--from", "2026-11-07"), "name: a name of 1 to 200"),
        (("add", "=1+1", "--from", "2026-11-07"), "spreadsheet's formula"),
        (("withdraw", "0000"), "no event '0000'"),
    ],
)
def test_what_cannot_be_an_event_is_refused_in_one_line_that_names_the_field(
    town: Path, words: tuple[str, ...], told: str
) -> None:
    refused = by_hand(town, *words)

    assert refused.exit_code == 2
    assert told in refused.output
    assert by_hand(town, "list", "--withdrawn").output == "0 events\n"


def test_a_date_knows_the_events_as_they_were_then(town: Path) -> None:
    with closing(registry_at(town)) as store:
        events = store.office_events
        written = [
            events.write(ID, body_of(FAIR), seen=0, by="Claire", at=FIRST),
            events.write(
                ID, body_of(Event(name="Foire", start=FAIR.start, end=FAIR.start)), seen=1, by="Claire", at=FIRST
            ),
            events.write(ID, None, seen=2, by="Claire", at=FIRST + timedelta(hours=1)),
        ]
        editions = events.all()
    assert list(editions) == written

    calendar, last, instant = OfficeCalendar(), editions[-1].at, timedelta(microseconds=1)
    assert with_named(calendar, editions[:1], FIRST - instant).events == ()
    assert with_named(calendar, editions[:1], FIRST).events == (FAIR,)
    assert [each.end for each in with_named(calendar, editions, last - instant).events] == [FAIR.start]
    assert with_named(calendar, editions, last).events == ()
    assert [(each.event.end, each.withdrawn) for each in named_events(editions)] == [(FAIR.start, True)]
    assert last_written(editions, FIRST + timedelta(minutes=5)) == FIRST + instant


def test_a_date_knows_the_calendars_file_as_it_was_then_and_what_it_said_first_before_that(
    town: Path, tmp_path: Path
) -> None:
    file = tmp_path / "agenda.toml"
    said = [f'[[market]]\nname = "Lices"\nweekdays = ["{day}"]\n' for day in ("samedi", "samedi", "lundi")]
    with closing(registry_at(town)) as store:
        for number, text in enumerate(said):
            file.write_text(text, encoding="utf-8")
            keep_calendar(store.office_events, file, Writer("Claire", FIRST + number * timedelta(hours=1)))
        editions = store.office_events.all()

    assert [each.at - FIRST for each in editions] == [timedelta(), timedelta(hours=2)], "what says nothing new is none"
    assert named_events(editions) == []
    for hours, day in ((-1, "samedi"), (1, "samedi"), (2, "lundi")):
        (market,) = with_named(OfficeCalendar(), editions, FIRST + timedelta(hours=hours)).markets
        assert market.weekdays == (day,)


def test_who_saw_an_older_edition_writes_over_nobody(town: Path) -> None:
    with closing(registry_at(town)) as store:
        events = store.office_events
        events.write(ID, body_of(FAIR), seen=0, by="Claire", at=FIRST)

        with pytest.raises(EditedMeanwhileError, match="look again"):
            events.write(ID, None, seen=0, by="Paul", at=FIRST)
        assert events.write(ID, body_of(FAIR), seen=0, by="Claire", at=FIRST) is None
        assert len(events.all()) == 1


def test_every_edition_is_in_the_backup(town: Path, tmp_path: Path) -> None:
    with closing(registry_at(town)) as store:
        store.office_events.write(ID, body_of(FAIR), seen=0, by="Claire", at=FIRST)
        store.office_events.write(ID, None, seen=1, by="Claire", at=FIRST)
        editions = store.office_events.all()
    part: RegistryPart = dump_registry(str(town), tmp_path / "rows")
    load_registry(str(tmp_path / "again.db"), BytesIO((tmp_path / "rows").read_bytes()), part)

    with closing(registry_at(tmp_path / "again.db")) as store:
        assert store.office_events.all() == editions
