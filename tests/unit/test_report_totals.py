"""One report, many forms: the same totals, to the unit, in all of them and in the API."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from zipfile import ZipFile

import altair as alt
import msgspec
import openpyxl
import pyarrow.parquet as pq
import pypdf
import pytest
from openpyxl import Workbook

from cloud_api.flows import hourly_flows
from cloud_api.formats import comptage
from cloud_api.registry import Registry
from cloud_api.reports.asking import period_of
from cloud_api.reports.flow_reporting import make_flow_report
from cloud_api.reports.formats import Format, written
from cloud_api.reports.gathering import Town, every_place, place_hours
from cloud_api.reports.pdf import pdf, written_out
from cloud_api.reports.quality import FAULTS, Fault
from cloud_api.reports.report import Asked, Report, Span, Table
from cloud_api.reports.writing import FRENCH
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel, Hour, Store
from tests.history import flow
from tests.reporting import HIGH_STREET, NOW, PARIS, REGISTRY, asked, fill, midnight, town
from tests.town import Clock

TOTALS = {
    "one": asked("2026-10-01", "2026-11-01", "rue-haute", compare="week-before"),
    "both": asked("2026-10-01", "2026-11-01", "rue-haute", "venelle", filled=True),
    "long": asked("2026-07-01", "2026-11-01", "rue-haute"),
}
BOTH = ["rue-haute", "place-neuve"]
FEASTS = {date(2026, 7, 14), date(2026, 8, 15)}
"""Public holidays of those periods."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    file = tmp_path_factory.mktemp("reports") / "history.db"
    with closing(open_store(f"sqlite:///{file}", lambda: NOW - timedelta(hours=1))) as opened:
        fill(opened)
        yield opened


@pytest.fixture(params=TOTALS)
def wish(request: pytest.FixtureRequest) -> Asked:
    return TOTALS[request.param]


@cache
def file_of(store: Store, wish: Asked, form: Format) -> bytes:
    return made(store, wish, form)


def made(store: Store, wish: Asked, form: Format) -> bytes:
    return its_file(town(store), wish, form)


def api_totals(store: Store, wish: Asked) -> tuple[int, int]:
    """In and out, as `/v1/flows/hourly` tells them."""
    told = [
        hourly_flows(REGISTRY, store, REGISTRY.counters[place], period_of(wish.period), PARIS).totals
        for place in wish.places
    ]
    return sum(each.in_ or 0 for each in told), sum(each.out or 0 for each in told)


def rows_of(data: bytes, delimiter: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")), delimiter=delimiter))


def summed(rows: Sequence[dict[str, str]], *names: str) -> tuple[int, ...]:
    return tuple(sum(int(row[name]) for row in rows if row[name]) for name in names)


def test_every_form_tells_the_totals_of_the_api(store: Store, wish: Asked) -> None:
    in_, out = api_totals(store, wish)
    both = in_ + out
    report = make_flow_report(town(store), wish)
    sound = report.table("days").total
    assert sound is not None

    assert report.figure("total").value == both
    assert sound[1:5] == (in_, out, both, sum_of_measures(store, wish))
    french = rows_of(file_of(store, wish, Format.CSV), ";")
    assert summed(french, "entrées", "sorties", "total", "dont mesuré et fiable") == sound[1:5]
    assert summed(rows_of(file_of(store, wish, Format.OPEN), ","), "in", "out", "total", "sound") == sound[1:5]
    table = pq.read_table(io.BytesIO(file_of(store, wish, Format.PARQUET)))
    assert tuple(sum(table[name].drop_null().to_pylist()) for name in ("in", "out", "total", "sound")) == sound[1:5]
    book = workbook(file_of(store, wish, Format.XLSX))
    assert [cell.value for cell in list(book["Par jour"].rows)[len(report.table("days").rows) + 2]][1:5] == list(
        sound[1:5]
    )
    assert str(both) in text_of(file_of(store, wish, Format.PDF))


@cache
def workbook(data: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def sum_of_measures(store: Store, wish: Asked) -> int:
    """What the Schéma comptage tells: hours that were measured whole and can be believed."""
    flows = [
        hourly_flows(REGISTRY, store, REGISTRY.counters[place], period_of(wish.period), PARIS) for place in wish.places
    ]
    (total,) = summed(rows_of(comptage.write_measures(flows, head=True), ","), "count")
    return total


def test_the_share_within_opening_hours_is_that_of_the_raw_hours_in_every_form(store: Store, wish: Asked) -> None:
    raw = rows_of(file_of(store, wish, Format.OPEN), ",")
    sound = [(datetime.fromisoformat(row["start"]), int(row["sound"])) for row in raw if row["sound"]]
    while_open = sum(
        count for at, count in sound if 10 <= at.hour < 19 and at.weekday() < 6 and at.date() not in FEASTS
    )
    report = make_flow_report(town(store), wish)
    table = report.table("open")

    assert sum_of_column(table, 1) == sum(count for _, count in sound)
    assert sum_of_column(table, 2) == while_open
    assert report.figure("open_share").value == pytest.approx(while_open / sum(count for _, count in sound))
    told = FRENCH.share(while_open / sum(count for _, count in sound))
    assert re.sub(r"\s", "", told) in re.sub(r"\s", "", text_of(file_of(store, wish, Format.PDF)))
    sheet = workbook(file_of(store, wish, Format.XLSX))[table.title]
    assert [cell.value for cell in list(sheet.rows)[2]][1:3] == list(table.rows[0][1:3])
    tables = {each["key"]: each for each in msgspec.json.decode(file_of(store, wish, Format.JSON))["tables"]}
    assert [tuple(row) for row in tables["open"]["rows"]] == list(table.rows)


def sum_of_column(table: Table, at: int) -> int:
    return sum(each for each in (row[at] for row in table.rows) if isinstance(each, int))


@pytest.mark.parametrize("sections", [(None, None), ("n° 1", "n° 1")], ids=["one behind the other", "side by side"])
def test_a_street_is_what_the_raw_hours_of_its_counters_say_in_every_form(
    store: Store, sections: tuple[str | None, str | None]
) -> None:
    its = town(store, one_street(sections))
    wish = asked("2026-10-01", "2026-11-01", "rue-haute", "venelle")
    report = make_flow_report(its, wish)
    street, files = report.table("streets"), {form: its_file(its, wish, form) for form in (Format.OPEN, Format.PARQUET)}

    (row,) = street.rows
    raw = rows_of(files[Format.OPEN], ",")
    assert row[0] == "Rue Haute"
    assert row[3] == street_from(raw) == report.figure("streets").value
    assert (
        street_from([{k: "" if v is None else str(v) for k, v in each.items()} for each in parquet_rows(files)])
        == row[3]
    )
    sheet = openpyxl.load_workbook(io.BytesIO(its_file(its, wish, Format.XLSX)))[street.title]
    assert [cell.value for cell in list(sheet.rows)[2]][:4] == list(row[:4])
    assert str(row[3]) in text_of(its_file(its, wish, Format.PDF))


def one_street(sections: Sequence[str | None]) -> Registry:
    """The town, its first two counters in one street."""
    counters = [
        msgspec.structs.replace(REGISTRY.counters[name], street=f"{number} rue Haute", section=section)
        for number, (name, section) in enumerate(zip(("rue-haute", "venelle"), sections, strict=True), start=1)
    ]
    return Registry(
        counters=counters,
        installations=[each for each in REGISTRY.installations if each.place in ("rue-haute", "venelle")],
    )


def street_from(rows: Sequence[Mapping[str, str]]) -> int:
    """Worked out again: the mean over sections of the sums of their counters, where all of them are sound."""
    hours: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        hours.setdefault(row["start"], []).append(row)
    whole = [its for its in hours.values() if all(row["sound"] for row in its)]
    sections = {row["section"] or row["counter_id"] for row in rows}
    return round(sum(int(row["sound"]) for its in whole for row in its) / len(sections))


def parquet_rows(files: Mapping[Format, bytes]) -> list[dict[str, object]]:
    return list(pq.read_table(io.BytesIO(files[Format.PARQUET])).to_pylist())


def its_file(its: Town, wish: Asked, form: Format) -> bytes:
    return b"".join(written(form, lambda: make_flow_report(its, wish), every_place(its, wish)))


def test_a_change_is_told_by_streets_where_a_street_has_several_counters(store: Store) -> None:
    its = town(store, one_street((None, None)))
    report = make_flow_report(its, asked("2026-11-09", "2026-11-23", "rue-haute", "venelle", compare="week-before"))
    counters, (street,) = report.table("comparison"), report.table("comparison_streets").rows

    one, other = (float(str(row[2])) for row in counters.rows)
    assert counters.total is None, "who walks on would weigh twice"
    assert street[2] == pytest.approx((one + other) / 2)
    assert report.figure("change").value == pytest.approx(street[4])
    assert "1 rue" in report.figure("change").note


def test_counters_that_are_streets_of_their_own_need_no_table_of_streets(store: Store) -> None:
    report = make_flow_report(town(store), TOTALS["both"])

    assert {"streets", "sections"}.isdisjoint(each.key for each in report.tables)


def test_a_counter_of_which_nothing_was_measured_takes_no_usual_week_and_no_day_from_the_others(store: Store) -> None:
    month = ("2026-10-01", "2026-11-01")
    alone, with_it = (make_flow_report(town(store), asked(*month, *names)) for names in (["rue-haute"], BOTH))

    for key in ("per_day", "busiest_day", "peak"):
        assert with_it.figure(key).value == alone.figure(key).value is not None
    assert with_it.table("week").rows == alone.table("week").rows
    assert "Sans Place Neuve" in with_it.table("week").note
    assert with_it.quality.known.missing > alone.quality.known.missing


def test_the_year_to_date_is_what_the_api_tells_since_the_first_of_january(store: Store, wish: Asked) -> None:
    january = Span(midnight("2026-01-01"), wish.period.end)
    report = make_flow_report(town(store), wish)
    in_, out = api_totals(store, msgspec.structs.replace(wish, period=january))

    assert report.figure("year").value == in_ + out
    assert sum_of_column(report.table("year"), 3) == in_ + out
    assert str(in_ + out) in text_of(file_of(store, wish, Format.PDF))


def test_a_period_that_begins_with_the_year_tells_it_once(store: Store) -> None:
    report = make_flow_report(town(store), asked("2026-01-01", "2026-08-01", "rue-haute"))

    assert "year" not in {each.key for each in report.figures} | {each.key for each in report.tables}


@cache
def text_of(data: bytes) -> str:
    """All text of a PDF; figures without their spaces."""
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    return re.sub(r"(?<=\d)[\s\u202f\u2009]+(?=\d{3})", "", text)


def test_a_report_is_the_same_to_the_byte_each_time(store: Store) -> None:
    wish = TOTALS["one"]

    assert made(store, wish, Format.JSON) == file_of(store, wish, Format.JSON)
    assert made(store, wish, Format.PDF) == file_of(store, wish, Format.PDF)


def test_a_pdf_is_short_tagged_and_has_a_title_and_a_language(store: Store, wish: Asked) -> None:
    document = pypdf.PdfReader(io.BytesIO(file_of(store, wish, Format.PDF)))

    assert 2 <= len(document.pages) <= 6
    catalogue = document.root_object
    assert "'/Marked': True" in str(catalogue["/MarkInfo"].get_object())
    assert str(catalogue["/Lang"]) == "fr"
    assert document.metadata is not None
    assert "Fréquentation" in (document.metadata.title or "")


def test_a_pdf_is_made_as_of_the_very_moment_at_which_the_office_wrote(store: Store) -> None:
    report = make_flow_report(town(store), asked("2026-11-01", "2026-11-02", "rue-haute"))
    written_at = NOW + timedelta(microseconds=250_001)

    assert pdf(msgspec.structs.replace(report, asked=msgspec.structs.replace(report.asked, as_of=written_at)))


def test_what_would_make_pages_many_stands_in_the_workbook_and_the_pages_say_so(store: Store) -> None:
    report = make_flow_report(town(store), TOTALS["both"])
    many = [msgspec.structs.replace(report.table("days"), key=name, title=name) for name in ("a", "b", "c", "d", "e")]
    told = written_out(msgspec.structs.replace(report, tables=tuple(many), charts=()))

    assert sum(len(each["rows"]) for each in told["tables"]) <= 140
    assert told["elsewhere"] == "À lire dans le classeur\u00a0: a."


def test_raw_hours_are_never_filled_in(store: Store) -> None:
    rows = rows_of(file_of(store, TOTALS["both"], Format.CSV), ";")

    missing = [row for row in rows if row["heure manquante"] == "1"]
    assert missing
    assert all(row["total"] == "" for row in missing)


def test_what_comes_later_is_told_and_changes_no_figure(tmp_path: Path) -> None:
    clock = Clock(NOW - timedelta(hours=2))
    wish = asked("2026-11-01", "2026-11-08", "rue-haute", as_of=(NOW - timedelta(hours=1)).isoformat())
    with closing(open_store(f"sqlite:///{tmp_path}/history.db", clock)) as store:
        fill(store)
        before = make_flow_report(town(store), wish)
        clock.now = NOW
        store.write([flow(midnight("2026-11-03"), part=7, in_=10, out=3, covered_s=0, channel=HIGH_STREET)])

        after = make_flow_report(town(store), wish)

    assert figures(after) == figures(before)
    (later,) = after.quality.later
    assert (later.in_, later.out, later.hours) == (10, 3, 1)
    assert "13 passages" in " ".join(after.summary)
    assert before.quality.later == ()


@pytest.mark.parametrize("reading", [1, 2], ids=["the period", "the year so far"])
def test_what_comes_while_a_report_is_made_changes_no_figure_of_its_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reading: int
) -> None:
    clock = Clock(NOW - timedelta(hours=2))
    wish = asked("2026-11-01", "2026-11-08", "rue-haute", as_of=(NOW - timedelta(hours=1)).isoformat())
    with closing(open_store(f"sqlite:///{tmp_path}/history.db", clock)) as store:
        fill(store)
        before = make_flow_report(town(store), wish)
        clock.now = NOW
        hours, readings = store.hours, count(1)

        def meanwhile(
            channels: Sequence[Channel], start: datetime, end: datetime, as_of: datetime | None = None
        ) -> list[Hour]:
            if next(readings) == reading:
                store.write([flow(midnight("2026-11-03"), part=7, in_=10, out=3, covered_s=0, channel=HIGH_STREET)])
            return hours(channels, start, end, as_of)

        monkeypatch.setattr(store, "hours", meanwhile)
        during = make_flow_report(town(store), wish)

    assert figures(during) == figures(before)
    assert during.quality.later


def test_doubts_rest_on_what_was_known_of_the_days_before_the_period_too(tmp_path: Path) -> None:
    """Nobody walks towards the station for 29 hours, 18 of them before the period, as far as is known then."""
    begins, until = midnight("2026-11-03"), NOW - timedelta(hours=1)
    period = Span(begins, begins + timedelta(days=1))
    one_sided = [
        flow(begins + timedelta(hours=at), in_=0 if at < 11 else 20, out=20, covered_s=3600, channel=HIGH_STREET)
        for at in range(-18, 24)
    ]
    clock = Clock(NOW - timedelta(hours=2))
    with closing(open_store(f"sqlite:///{tmp_path}/history.db", clock)) as store:

        def doubted() -> int:
            place = place_hours(town(store), REGISTRY.counters["rue-haute"], period, until, history=timedelta())
            return int((place.fault == FAULTS.index(Fault.DOUBTED)).sum())

        store.write(one_sided)
        assert doubted() == 11
        clock.now = NOW
        store.write([flow(begins - timedelta(hours=1), part=1, in_=9, out=0, covered_s=0, channel=HIGH_STREET)])

        assert doubted() == 11


@pytest.mark.parametrize("late_s", [0.3, 39.0])
def test_what_was_stamped_before_a_report_and_seen_after_it_changes_no_figure_of_it(
    tmp_path: Path, late_s: float
) -> None:
    clock = Clock(NOW - timedelta(hours=2))
    asked_at, stamped = NOW + timedelta(seconds=0.1), NOW + timedelta(seconds=0.2 - late_s)
    wish = asked("2026-11-01", "2026-11-08", "rue-haute", now=asked_at)
    with closing(open_store(f"sqlite:///{tmp_path}/history.db", clock)) as store:
        fill(store)
        before = make_flow_report(town(store), wish)
        clock.now = stamped
        store.write([flow(midnight("2026-11-03"), part=7, in_=10, out=3, covered_s=0, channel=HIGH_STREET)])
        after = make_flow_report(town(store), wish)

    assert figures(after) == figures(before)
    assert after.quality.later


def figures(report: Report) -> list[object]:
    return [each.value for each in report.figures] + [table.rows for table in report.tables]


def test_charts_come_as_pictures_with_their_words_and_one_specification(store: Store) -> None:
    with ZipFile(io.BytesIO(file_of(store, TOTALS["one"], Format.CHARTS))) as archive:
        names, words = archive.namelist(), archive.read("charts.txt").decode()
        specifications = [msgspec.json.decode(archive.read(each)) for each in names if each.endswith(".vl.json")]
        picture, drawing, specified = (archive.read(f"over_time.{suffix}") for suffix in ("png", "svg", "vl.json"))

    assert {"over_time.png", "known.svg", "week.vl.json"} <= set(names)
    for each in specifications:
        alt.Chart.from_dict(each, validate=True)
    assert picture.startswith(b"\x89PNG")
    assert drawing.startswith(b"<svg")
    described = msgspec.json.decode(specified)["description"]
    assert described in words
    assert described in drawing.decode()
