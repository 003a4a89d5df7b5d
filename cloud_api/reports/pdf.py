"""A report as a PDF of a few pages that one can lay on a table, tagged for whoever has it read aloud (PDF/UA-1).

Every figure is written out here, in the report's language; `report.typ` says how it looks. What would make it long
stands in the workbook and the CSV: a table that is longer than a page is told by its months, and of what was left out
the longest.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any, Final

import msgspec

from cloud_api.reports.asking import address_of
from cloud_api.reports.chart_values import values_of
from cloud_api.reports.charts import specification, svg
from cloud_api.reports.report import Chart, Column, Report, Table, Unit
from cloud_api.reports.writing import Writing, writing_in

TEMPLATE: Final = "report.typ"
LONGEST_TABLE: Final = 45
"""Rows; a longer table stands in the workbook alone."""
MOST_ROWS: Final = 140
"""Of all tables on paper together."""
MOST_LEFT_OUT: Final = 20


def pdf(report: Report) -> bytes:
    """The document's bytes, the same for the same report."""
    import typst

    template = files("cloud_api.reports").joinpath(TEMPLATE).read_bytes()
    content = msgspec.json.encode(written_out(report)).decode()
    made = typst.compile(
        template,
        sys_inputs={"report": content},
        pdf_standards=["ua-1"],
        timestamp=report.asked.as_of.replace(microsecond=0),
        ignore_system_fonts=True,
    )
    return bytes(made)


def written_out(report: Report) -> dict[str, Any]:
    """All words and figures of a report as they stand on paper."""
    write = writing_in(report.asked.language)
    on_paper = _on_paper(report.tables)
    return {
        "language": report.asked.language.value,
        "town": report.town,
        "title": f"{report.title} – {report.subtitle}",
        "title_alone": report.title,
        "address": address_of(report.asked),
        "heading": f"{report.title}, {report.subtitle}",
        "subtitle": report.subtitle,
        "as_of": _as_of(report, write),
        "summary": report.summary,
        "figures": [
            {"name": each.name, "value": write.figure(each.value, each.unit), "note": each.note}
            for each in report.figures
        ],
        "charts": [_chart(each, write) for each in report.charts],
        "tables": [_table(each, write) for each in on_paper],
        "elsewhere": _elsewhere([each.title for each in report.tables if each not in on_paper], write),
        "method": report.method,
        "quality": _quality(report, write),
        "words": _headings(write.say),
    }


def _chart(chart: Chart, write: Writing) -> dict[str, Any]:
    drawn = svg(chart, write.language)
    return {
        "title": chart.title,
        "kind": chart.kind.value,
        "dates": chart.dates,
        "alternative": chart.alternative,
        "svg": drawn,
        "base64": b64encode(drawn.encode()).decode(),
        "specification": specification(chart),
        "readings": values_of(chart, write),
    }


def _headings(say: Callable[[str, str], str]) -> dict[str, str | tuple[str, ...]]:
    return {
        "summary": say("En bref", "In brief"),
        "figures": say("Chiffres clés", "Key figures"),
        "figure_heads": (say("Chiffre", "Figure"), say("Valeur", "Value"), say("Précision", "Note")),
        "method": say("Méthode", "Method"),
        "quality": say("Qualité des données", "Data quality"),
        "left_out": say("Ce qui est écarté, et pourquoi", "What is left out, and why"),
        "left_out_heads": (say("Lieu", "Place"), say("De", "From"), say("À", "To"), say("Pourquoi", "Why")),
    }


def _as_of(report: Report, write: Writing) -> str:
    at = write.instant(report.asked.as_of.astimezone(report.asked.period.start.tzinfo))
    return write.say(f"État des données au {at}", f"Data as of {at}")


def _on_paper(tables: Sequence[Table]) -> list[Table]:
    """The tables that fit on a few pages: none longer than a page, and without the longest where all are too many."""
    kept = [each for each in tables if len(each.rows) <= LONGEST_TABLE]
    while sum(len(each.rows) for each in kept) > MOST_ROWS:
        kept.remove(max(kept, key=lambda each: len(each.rows)))
    return kept


def _elsewhere(titles: Sequence[str], write: Writing) -> str:
    if not titles:
        return ""
    told = " ; ".join(titles)
    return write.say(f"À lire dans le classeur : {told}.", f"To be read in the workbook: {told}.")


def _table(table: Table, write: Writing) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": [_head(each, write) for each in table.columns],
        "words": [each.unit is Unit.WORDS for each in table.columns],
        "rows": [_row(row, table.columns, write) for row in table.rows],
        "total": [] if table.total is None else _row(table.total, table.columns, write),
        "note": table.note,
    }


def _head(column: Column, write: Writing) -> str:
    hours = column.unit is Unit.HOURS and len(column.title) > 1
    return f"{column.title} ({write.units[Unit.HOURS]})" if hours else column.title


def _row(row: Sequence[Any], columns: Sequence[Column], write: Writing) -> list[str]:
    return [write.cell(value, column.unit) for value, column in zip(row, columns, strict=True)]


def _quality(report: Report, write: Writing) -> dict[str, Any]:
    say, quality, known = write.say, report.quality, report.quality.known
    longest = sorted(quality.left_out, key=lambda each: (each.start - each.end, each.place, each.start))
    shown = sorted(longest[:MOST_LEFT_OUT], key=lambda each: (each.place, each.start))
    more = len(quality.left_out) - len(shown)
    return {
        "notes": quality.notes,
        "heads": (
            say("Temps mesuré", "Time measured"),
            say("Heures", "Hours"),
            say("mesurées, fiables", "measured, sound"),
            say("en partie", "in part"),
            say("non fiables", "not believed"),
            say("estimées", "estimated"),
            say("manquantes", "missing"),
        ),
        "known": (
            write.share(quality.coverage),
            *map(
                write.number,
                (known.hours, known.measured, known.partial, known.doubtful, known.estimated, known.missing),
            ),
        ),
        "left_out": [(each.place, write.instant(each.start), write.instant(each.end), each.why) for each in shown],
        "more": ""
        if not more
        else say(
            f"Et {write.number(more)} autres périodes plus courtes : elles sont toutes dans le classeur.",
            f"And {write.number(more)} shorter ones: all of them are in the workbook.",
        ),
    }
