"""What a report says where the data do not allow figures, or make them hard: words, never an empty chart."""

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, timedelta
from pathlib import Path

import openpyxl
import pypdf
import pytest
from msgspec import structs

from cloud_api.flows import hourly_flows
from cloud_api.periods import Period
from cloud_api.plausibility import NIGHT
from cloud_api.registry import Registry
from cloud_api.registry.event_editions import EventEdition
from cloud_api.registry.places import MaxStay
from cloud_api.reports.asking import Texts
from cloud_api.reports.calendar import Event, OfficeCalendar
from cloud_api.reports.flow_reporting import make_flow_report
from cloud_api.reports.flow_words import FlowWords
from cloud_api.reports.gathering import Town
from cloud_api.reports.making import asked_of, make_report
from cloud_api.reports.named_events import body_of
from cloud_api.reports.pdf import pdf
from cloud_api.reports.report import Cell, Kind, KnownHours, Language, Report
from cloud_api.reports.writing import ENGLISH, FRENCH
from cloud_api.reports.xlsx import workbook
from cloud_api.stores import open_store
from cloud_api.stores.base import Store
from cloud_api.trust import Trust
from tests.history import flow
from tests.reporting import HIGH_STREET, NOW, PARIS, REGISTRY, asked, fill, midnight, parked, town

SUNDAY = 6
FAIR = Event(name="Foire", start=date(2026, 11, 7), end=date(2026, 11, 7), hours="10:00-20:00", places=("rue-haute",))
LONG = Event(name="Saison", start=date(2026, 7, 1), end=date(2026, 11, 20), places=("rue-haute",))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    file = tmp_path_factory.mktemp("answers") / "history.db"
    with closing(open_store(f"sqlite:///{file}", lambda: NOW - timedelta(hours=1))) as opened:
        fill(opened)
        parked(opened)
        yield opened


def assert_in_words(report: Report, words: str) -> None:
    """Neither figure, table nor chart, and it can still be printed and opened."""
    assert words in " ".join(report.summary)
    assert report.is_empty
    assert (report.figures, report.tables, report.charts) == ((), (), ())
    assert pdf(report).startswith(b"%PDF")
    assert workbook(report)


def event_report(store: Store, event: Event) -> Report:
    its = replace(town(store), office=OfficeCalendar(events=(event,)))
    return make_report(its, asked_of(its, Texts(kind=Kind.EVENT, start="", end="", event=event.name), NOW))


def test_a_period_without_data_is_answered_in_words(store: Store) -> None:
    report = make_flow_report(town(store), asked("2026-03-01", "2026-04-01", "rue-haute"))

    assert_in_words(report, "Rien n’a été mesuré")
    assert report.quality.coverage == 0
    assert "aucun capteur n’y était en service" in " ".join(report.quality.notes)


def test_a_counter_that_nothing_ever_served_is_answered_in_words(store: Store) -> None:
    report = make_flow_report(town(store), asked("2026-10-01", "2026-11-01", "place-neuve", language=Language.ENGLISH))

    assert_in_words(report, "Nothing was measured")


def test_a_comparison_without_a_comparable_day_says_so(store: Store) -> None:
    report = make_flow_report(town(store), asked("2026-10-01", "2026-11-01", "rue-haute", compare="last-year"))

    assert "ne peut pas être faite" in " ".join(report.summary)
    assert "change" not in {each.key for each in report.figures}


@pytest.mark.parametrize(
    ("compare", "said"), [("2026-07-06/2026-08-03", True), ("2026-09-28/2026-10-05", False)], ids=["summer", "autumn"]
)
def test_a_comparison_over_the_seasons_says_how_much_longer_the_days_are(
    store: Store, compare: str, said: bool
) -> None:
    report = make_flow_report(town(store), asked("2026-10-05", "2026-10-12", "rue-haute", compare=compare))

    assert ("de moins que dans l’autre période" in " ".join(report.summary)) == said
    assert "Du lever au coucher du soleil" in report.table("comparison").note


def test_a_counter_installed_in_the_middle_is_told_with_its_day(store: Store) -> None:
    report = make_flow_report(town(store), asked("2026-10-01", "2026-11-01", "venelle"))

    assert "en service depuis le 14 octobre 2026 à 11" in " ".join(report.quality.notes)
    assert report.quality.known.missing == 13 * 24 + 11


@pytest.mark.parametrize(("day", "hours"), [("2026-10-25", 25), ("2026-10-24", 24)])
def test_a_day_over_a_change_of_time_has_all_its_hours(store: Store, day: str, hours: int) -> None:
    report = make_flow_report(town(store), asked(day, str(date.fromisoformat(day) + timedelta(days=1)), "rue-haute"))

    assert report.quality.known == KnownHours(
        hours=hours, measured=hours, partial=0, doubtful=0, estimated=0, missing=0
    )
    assert len(report.table("days").rows) == 1


@pytest.mark.parametrize(
    ("known", "fr", "en"),
    [
        ((10, 0, 0), "Toutes les heures ont été mesurées et sont fiables.", "All hours"),
        (
            (9, 0, 1),
            "aucune n’est écartée des moyennes et une manque.",
            "none is left out of means and one is missing.",
        ),
        (
            (7, 3, 0),
            "3 sont écartées des moyennes et aucune ne manque.",
            "3 are left out of means and none is missing.",
        ),
    ],
)
def test_how_much_is_known_is_told_as_people_say_it(known: tuple[int, int, int], fr: str, en: str) -> None:
    measured, doubtful, missing = known
    hours = KnownHours(hours=10, measured=measured, partial=0, doubtful=doubtful, estimated=0, missing=missing)
    wish = asked("2026-10-01", "2026-11-01", "rue-haute")

    assert FlowWords(FRENCH, wish, ["Rue Haute"]).coverage(hours).endswith(fr)
    assert en in FlowWords(ENGLISH, wish, ["Rue Haute"]).coverage(hours)


def test_a_street_that_goes_out_on_saturday_nights_is_believed_by_its_own_history(tmp_path: Path) -> None:
    nights = {day for day in range(90) if (NOW - timedelta(days=day)).weekday() == SUNDAY}
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        fill(store)
        out_late = [
            midnight(str((NOW - timedelta(days=day)).date())) + timedelta(hours=hour)
            for day in nights
            for hour in NIGHT
        ]
        store.write([flow(at, in_=90 + at.day, out=80, part=7, covered_s=0, channel=HIGH_STREET) for at in out_late])
        period = Period(out_late[0].astimezone(UTC) - timedelta(days=2), NOW.replace(hour=0))
        api = hourly_flows(REGISTRY, store, REGISTRY.counters["rue-haute"], period, PARIS)

        report = make_flow_report(town(store), asked("2026-11-01", "2026-11-27", "rue-haute"))

    assert api.trust is Trust.IMPLAUSIBLE, "who knows a few days doubts it"
    assert report.quality.known.doubtful == 0


def test_a_period_that_is_not_over_tells_what_is_known_so_far(store: Store) -> None:
    report = make_flow_report(town(store), asked("2026-11-26", "2026-12-01", "rue-haute"))

    assert report.quality.known.measured == 34
    assert report.quality.known.missing == 5 * 24 - 34
    assert "mesurés pendant 2 des 5 jours" in report.summary[0]


def test_days_of_a_named_event_are_not_compared_and_an_older_report_does_not_know_them(store: Store) -> None:
    works = Event(name="Travaux", start=date(2026, 11, 3), end=date(2026, 11, 3), places=("rue-haute",))
    edition = EventEdition(number=1, event="3f0a5c2d9b1e4477", at=NOW, who="Claire", body=body_of(works))
    its, unnamed = replace(town(store), named=(edition,)), town(store)
    month = Texts(kind=Kind.FLOWS, start="2026-10-26", end="2026-11-23", places=("rue-haute",), compare="week-before")
    earlier = structs.replace(month, as_of="2026-11-27T08:30:00Z")

    def compared(place: Town, texts: Texts) -> Cell:
        return make_report(place, asked_of(place, texts, NOW)).table("comparison").rows[0][1]

    assert compared(unnamed, month) == compared(its, earlier) == 22
    assert compared(its, month) == 21


def test_an_event_tells_its_effect_with_an_interval(store: Store) -> None:
    report = event_report(store, FAIR)

    low, high = (report.table("hours").rows[0][at] for at in (3, 4))
    assert isinstance(low, int)
    assert isinstance(high, int)
    assert low < high
    assert "comme" in str(report.table("streets").rows[0][-1])
    assert pdf(report).startswith(b"%PDF")


def test_counters_of_one_street_are_one_street_elsewhere_in_town(store: Store) -> None:
    quay = [structs.replace(REGISTRY.counters[name], street="quai Neuf") for name in ("venelle", "place-neuve")]
    registry = Registry(
        counters=[REGISTRY.counters["rue-haute"], *quay],
        installations=[each for each in REGISTRY.installations if each.place in ("rue-haute", "venelle")],
    )
    its = replace(town(store, registry), office=OfficeCalendar(events=(FAIR,)))
    report = make_report(its, asked_of(its, Texts(kind=Kind.EVENT, start="", end="", event=FAIR.name), NOW))

    assert [row[0] for row in report.table("elsewhere").rows] == ["Quai Neuf"]


def test_an_event_longer_than_the_history_cannot_be_told(store: Store) -> None:
    assert_in_words(event_report(store, LONG), "ne peut pas être établi")


def test_parking_before_any_sensor_spoke_is_answered_in_words(store: Store) -> None:
    its = town(store)
    texts = Texts(kind=Kind.PARKING, start="2026-09-01", end="2026-09-08")

    assert_in_words(make_report(its, asked_of(its, texts, NOW)), "Aucun capteur n’a parlé")


def test_parking_tells_the_spaces_that_are_known(store: Store) -> None:
    its = town(store)
    texts = Texts(kind=Kind.PARKING, start="2026-11-02", end="2026-11-09")
    report = make_report(its, asked_of(its, texts, NOW))

    assert len(report.table("hours").rows) == 7 * 24
    assert report.table("zones").rows[0][1:3] == (4, 3)
    assert report.figure("occupancy").value == pytest.approx(2 / 24)
    assert pdf(report).startswith(b"%PDF")
    assert workbook(report)


def limited(limit: MaxStay | None, own: MaxStay | None = None) -> Registry:
    """The town, a limit on its square and another on one of its spaces."""
    return Registry(
        zones=[structs.replace(REGISTRY.zones["marche"], max_stay=limit)],
        spaces=[structs.replace(each, max_stay=own if each.id == "m0" else None) for each in REGISTRY.spaces],
        installations=[each for each in REGISTRY.installations if each.place.startswith("m")],
    )


def test_parking_tells_who_stayed_for_longer_than_the_space_allows_in_every_form(store: Store) -> None:
    """Two cars a day stay for an hour on each of three spaces, one of them after noon."""
    mornings, longer = MaxStay(minutes=45, hours="Mo-Sa 09:00-12:00"), MaxStay(minutes=120)
    report = parking_report(store, limited(mornings, longer))
    table = report.table("overstays")

    assert [row[2:] for row in table.rows] == [(14, 0, 0.0), (28, 12, 12 / 28)], "never on Sunday"
    assert [row[1] for row in table.rows] == ["2\u202fh", "45\u202fmin, lundi–samedi 9\u202fh–12\u202fh"]
    assert report.figure("overstay").value == 12 / 42
    assert "12 sur 42" in " ".join(report.summary)
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(report)))[table.title[:31]]
    assert [cell.value for cell in list(sheet.rows)[3]][2:4] == [28, 12]
    pages = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf(report))).pages)
    assert "12 sur 42" in pages


def test_where_no_limit_is_set_nobody_knows_who_stayed_too_long(store: Store) -> None:
    report = parking_report(store, limited(None))

    assert "aucune durée maximale n’est indiquée" in " ".join(report.summary)
    assert "overstays" not in {each.key for each in report.tables}
    assert "overstay" not in {each.key for each in report.figures}


def parking_report(store: Store, registry: Registry) -> Report:
    its = town(store, registry)
    texts = Texts(kind=Kind.PARKING, start="2026-11-02", end="2026-11-09")
    return make_report(its, asked_of(its, texts, NOW))
