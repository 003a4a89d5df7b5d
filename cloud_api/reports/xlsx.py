"""A report as a workbook for Excel and LibreOffice: figures as figures, with their units, and real charts.

The first sheet says what the report says; then a sheet for each table, its head and first column frozen, its charts
drawn from its own cells; the last one tells how good the data are. A figure that is unknown is an empty cell.
"""

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

from cloud_api.reports.charts import COLOURS
from cloud_api.reports.report import Cell, Column, Language, Report, Role, Table, Unit
from cloud_api.reports.writing import Writing, writing_in

FORMATS: Final[Mapping[Unit, str]] = MappingProxyType(
    {
        Unit.PASSAGES: "#,##0",
        Unit.PER_DAY: "#,##0",
        Unit.PER_HOUR: "#,##0.0",
        Unit.HOURS: "#,##0",
        Unit.DAYS: "#,##0",
        Unit.MINUTES: "#,##0",
        Unit.SHARE: "0.0%",
        Unit.CHANGE: "[>=0.0005]+0.0%;[<=-0.0005]-0.0%;0.0%",
        Unit.COUNT: "#,##0",
        Unit.SPACES: "#,##0",
        Unit.CARS: "#,##0",
        Unit.PER_SPACE_AND_DAY: "0.00",
    }
)
DATES: Final = MappingProxyType({Language.FRENCH: "[$-40C]ddd dd/mm/yyyy", Language.ENGLISH: "[$-809]ddd yyyy-mm-dd"})
"""With the language of their names, whatever that of who opens it is."""
MONTHS: Final = MappingProxyType({Language.FRENCH: "[$-40C]mmmm yyyy", Language.ENGLISH: "[$-809]mmmm yyyy"})
INSTANTS: Final = MappingProxyType({Language.FRENCH: "dd/mm/yyyy hh:mm", Language.ENGLISH: "yyyy-mm-dd hh:mm"})
LEFT: Final = (Unit.DAY, Unit.MONTH, Unit.INSTANT, Unit.WORDS)
HEAD_HEIGHT: Final = 32
LONGEST_SHEET_NAME: Final = 31
WIDE: Final = 34
NARROW: Final = 15
MOST_ACROSS: Final = 6
"""Columns that a note is written across."""
CHARTED: Final = MappingProxyType(
    {"sound": Role.MEASURED, "estimated": Role.ESTIMATED, "now": Role.NOW, "then": Role.THEN, "share": Role.MEASURED}
)
"""Columns that a table's chart shows, and in which colour."""


def workbook(report: Report) -> bytes:
    """The workbook's bytes."""
    import xlsxwriter

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": DATES[report.asked.language]})
    book.set_properties({"title": f"{report.title} – {report.subtitle}", "author": report.town})
    styles = _Styles(book, report.asked.language)
    write = writing_in(report.asked.language)
    _summary(book, styles, write, report)
    for table in report.tables:
        _table(book, styles, write, table)
    _quality(book, styles, write, report)
    book.close()
    return file.getvalue()


class _Styles:
    """The workbook's formats, each made once."""

    def __init__(self, book: Any, language: Language) -> None:
        self._book = book
        self._made: dict[tuple[Unit, bool], Any] = {}
        self._dates = {Unit.DAY: DATES[language], Unit.MONTH: MONTHS[language], Unit.INSTANT: INSTANTS[language]}
        self.title = book.add_format({"bold": True, "font_size": 18})
        self.subtitle = book.add_format({"font_size": 12, "font_color": "#444444"})
        self.part = book.add_format({"bold": True, "font_size": 13, "bottom": 1})
        self.text = book.add_format({"text_wrap": True, "valign": "top"})
        self.beside = book.add_format({"indent": 1})
        self.head = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#e8f1f8", "bottom": 1}
        )
        self.head_of_figures = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "align": "right", "bg_color": "#e8f1f8", "bottom": 1}
        )
        self.unit = book.add_format({"italic": True, "font_color": "#555555", "align": "right", "bottom": 1})
        self.note = book.add_format({"italic": True, "font_color": "#444444", "text_wrap": True, "valign": "top"})

    def of(self, unit: Unit, *, bold: bool = False) -> Any:
        """How a figure of a unit looks."""
        if (unit, bold) not in self._made:
            form = self._dates.get(unit, FORMATS.get(unit))
            style = {
                **({"align": "left", "valign": "top"} if unit in LEFT else {"valign": "top"}),
                **({"text_wrap": True} if unit is Unit.WORDS else {}),
                **({} if form is None else {"num_format": form}),
            }
            self._made[unit, bold] = self._book.add_format({**style, "bold": bold, **({"top": 1} if bold else {})})
        return self._made[unit, bold]


def _summary(book: Any, styles: _Styles, write: Writing, report: Report) -> None:
    sheet = book.add_worksheet(write.say("Synthèse", "Summary"))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, WIDE)
    sheet.set_column(1, 1, 22)
    sheet.set_column(2, 2, 60)
    sheet.write_string(0, 0, f"{report.title} – {report.town}", styles.title)
    sheet.write_string(1, 0, report.subtitle, styles.subtitle)
    row = 3
    for sentence in report.summary:
        sheet.merge_range(row, 0, row, 2, sentence, styles.text)
        sheet.set_row(row, 15 * (1 + len(sentence) // 110))
        row += 1
    row += 1
    if report.figures:
        heads = (
            write.say("Chiffre clé", "Key figure"),
            write.say("Valeur", "Value"),
            write.say("Unité, précision", "Unit, note"),
        )
        for column, head in enumerate(heads):
            sheet.write_string(row, column, head, styles.head)
        for figure in report.figures:
            row += 1
            sheet.write_string(row, 0, figure.name)
            _cell(sheet, row, 1, figure.value, figure.unit, styles)
            unit = write.units.get(figure.unit, "")
            sheet.write_string(row, 2, ", ".join(each for each in (unit, figure.note) if each), styles.beside)
        row += 2
    sheet.write_string(row, 0, write.say("Méthode", "Method"), styles.part)
    for sentence in report.method:
        row += 1
        sheet.merge_range(row, 0, row, 2, sentence, styles.text)
        sheet.set_row(row, 15 * (1 + len(sentence) // 110))
    _for_paper(sheet, report.subtitle)


def _table(book: Any, styles: _Styles, write: Writing, table: Table) -> None:
    sheet = book.add_worksheet(table.title[:LONGEST_SHEET_NAME])
    for column, each in enumerate(table.columns):
        left = each.unit in LEFT
        sheet.write_string(0, column, each.title, styles.head if left else styles.head_of_figures)
        sheet.write_string(1, column, write.units.get(each.unit, ""), styles.unit)
        sheet.set_column(column, column, WIDE if column == 0 or each.unit is Unit.WORDS else NARROW)
    sheet.set_row(0, HEAD_HEIGHT)
    sheet.freeze_panes(2, 1)
    for number, row in enumerate(table.rows, start=2):
        _row(sheet, number, row, table.columns, styles)
    last = len(table.rows) + 1
    if table.total is not None:
        _row(sheet, last + 1, table.total, table.columns, styles, bold=True)
    if table.note:
        across = min(len(table.columns), MOST_ACROSS)
        sheet.merge_range(last + 3, 0, last + 3, across - 1, table.note, styles.note)
        sheet.set_row(last + 3, 15 * (1 + len(table.note) // (WIDE + NARROW * (across - 1))))
    chart = _chart(book, sheet.get_name(), table, last)
    if chart is not None:
        sheet.insert_chart(1, len(table.columns) + 1, chart, {"description": table.title})
    _for_paper(sheet, table.title)
    sheet.print_area(0, 0, last + 4, len(table.columns) - 1)
    sheet.repeat_rows(0, 1)


def _row(
    sheet: Any, number: int, row: Sequence[Cell], columns: Sequence[Column], styles: _Styles, *, bold: bool = False
) -> None:
    for column, (value, its) in enumerate(zip(row, columns, strict=True)):
        _cell(sheet, number, column, value, its.unit, styles, bold=bold)


def _cell(sheet: Any, row: int, column: int, value: Cell, unit: Unit, styles: _Styles, *, bold: bool = False) -> None:
    style = styles.of(Unit.WORDS if isinstance(value, str) else unit, bold=bold)
    match value:
        case None:
            sheet.write_blank(row, column, None, style)
        case str():
            sheet.write_string(row, column, value, style)
        case datetime():
            sheet.write_datetime(row, column, value.replace(tzinfo=None), style)
        case date():
            sheet.write_datetime(row, column, value, style)
        case _:
            sheet.write_number(row, column, value, style)


def _chart(book: Any, sheet: str, table: Table, last: int) -> Any:
    """A chart over the table's own cells; None where it has nothing to draw."""
    charted = [(at, each) for at, each in enumerate(table.columns) if each.key in CHARTED]
    shown = [(at, each) for at, each in charted if each.unit is charted[0][1].unit]
    if not shown or len(table.rows) < 2:
        return None
    stacked = any(each.key == "sound" for _, each in shown)
    chart = book.add_chart({"type": "column", **({"subtype": "stacked"} if stacked else {})})
    for at, each in shown:
        chart.add_series(
            {
                "name": [sheet, 0, at],
                "categories": [sheet, 2, 0, last, 0],
                "values": [sheet, 2, at, last, at],
                "fill": {"color": COLOURS[CHARTED[each.key]]},
                "gap": 40,
            }
        )
    chart.set_x_axis({"text_axis": True, **({"num_format": "dd/mm"} if table.columns[0].unit is Unit.DAY else {})})
    gridlines = {"visible": True, "line": {"color": "#dddddd"}}
    chart.set_y_axis({"min": 0, "num_format": FORMATS[shown[0][1].unit], "major_gridlines": gridlines})
    chart.set_title({"name": table.title, "name_font": {"size": 12}})
    chart.set_legend({"position": "bottom", "none": len(shown) == 1})
    chart.set_size({"width": 760, "height": 380})
    return chart


def _quality(book: Any, styles: _Styles, write: Writing, report: Report) -> None:
    quality, say = report.quality, write.say
    sheet = book.add_worksheet(say("Qualité des données", "Data quality"))
    sheet.set_column(0, 0, WIDE)
    sheet.set_column(1, 2, 20)
    sheet.set_column(3, 3, 80)
    row = 0
    for note in quality.notes:
        sheet.merge_range(row, 0, row, 3, note, styles.text)
        row += 1
    known = quality.known
    lines = (
        (say("Part du temps mesurée", "Share of time measured"), quality.coverage, Unit.SHARE),
        (say("Heures", "Hours"), known.hours, Unit.HOURS),
        (say("mesurées et fiables", "measured and sound"), known.measured, Unit.HOURS),
        (say("mesurées en partie", "measured in part"), known.partial, Unit.HOURS),
        (say("non fiables", "not to be believed"), known.doubtful, Unit.HOURS),
        (say("estimées", "estimated"), known.estimated, Unit.HOURS),
        (say("manquantes", "missing"), known.missing, Unit.HOURS),
    )
    for name, value, unit in lines:
        row += 1
        sheet.write_string(row, 0, name)
        _cell(sheet, row, 1, value, unit, styles)
    row += 2
    heads = (
        say("Lieu", "Place"),
        say("De", "From"),
        say("À", "To"),
        say("Pourquoi c’est écarté", "Why it is left out"),
    )
    for column, head in enumerate(heads):
        sheet.write_string(row, column, head, styles.head)
    for left in quality.left_out:
        row += 1
        sheet.write_string(row, 0, left.place)
        _cell(sheet, row, 1, left.start, Unit.INSTANT, styles)
        _cell(sheet, row, 2, left.end, Unit.INSTANT, styles)
        sheet.write_string(row, 3, left.why)
    _for_paper(sheet, say("Qualité des données", "Data quality"))


def _for_paper(sheet: Any, title: str) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{title.replace('&', '&&')}&R&P / &N")
