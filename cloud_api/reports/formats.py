"""In which forms a report can be had; each is made from the same report and the same hours, so all totals agree."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from cloud_api.reports.hourly_files import excel_csv, open_csv, parquet
from cloud_api.reports.pdf import pdf, written_out
from cloud_api.reports.pictures import pictures
from cloud_api.reports.place_hours import PlaceHours
from cloud_api.reports.report import Asked, Report
from cloud_api.reports.table_files import table_excel_csv, table_open_csv, table_parquet
from cloud_api.reports.xlsx import workbook


class Format(StrEnum):
    """A form of a report."""

    PDF = "pdf"
    """Pages to lay on a table."""
    XLSX = "xlsx"
    """A workbook."""
    CSV = "csv"
    """The hours for Excel in French."""
    OPEN = "open-csv"
    """The hours as open data."""
    CHARTS = "charts"
    """Its charts as pictures (PNG), drawings (SVG) and specifications (Vega-Lite), in a ZIP."""
    PARQUET = "parquet"
    """The hours with their types."""
    JSON = "json"
    """The report as a value."""
    WRITTEN = "written"
    """All its words and figures as they stand on paper, its charts as SVG: what a page shows."""


MEDIA_TYPES: Final = MappingProxyType(
    {
        Format.PDF: "application/pdf",
        Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Format.CSV: "text/csv; charset=utf-8",
        Format.OPEN: "text/csv; charset=utf-8",
        Format.PARQUET: "application/vnd.apache.parquet",
        Format.CHARTS: "application/zip",
        Format.JSON: "application/json",
        Format.WRITTEN: "application/json",
    }
)
SUFFIXES: Final = MappingProxyType(
    {Format.OPEN: "open.csv", Format.CHARTS: "charts.zip", Format.WRITTEN: "written.json"}
)


def written(form: Format, report: Callable[[], Report], hours: Iterable[PlaceHours] | None) -> Iterator[bytes]:
    """The pieces of a file; of the report and the hours that is read which the form needs.

    A report without hours of counters gives its table of hours instead.
    """
    match form:
        case Format.CSV:
            yield from excel_csv(hours) if hours is not None else table_excel_csv(report())
        case Format.OPEN:
            yield from open_csv(hours) if hours is not None else table_open_csv(report())
        case Format.PARQUET:
            yield parquet(hours) if hours is not None else table_parquet(report())
        case Format.PDF:
            yield pdf(report())
        case Format.XLSX:
            yield workbook(report())
        case Format.CHARTS:
            yield pictures(report())
        case Format.JSON:
            yield msgspec.json.encode(report())
        case Format.WRITTEN:
            yield msgspec.json.encode(written_out(report()))


def file_name(asked: Asked, form: Format) -> str:
    """`flows-rue-haute-2026-10-01-2026-10-31.pdf`."""
    where = asked.places[0] if len(asked.places) == 1 else "town"
    days = f"{asked.period.start.date()}-{asked.period.last_day}"
    return f"{asked.kind}-{where}-{days}.{SUFFIXES.get(form, form.value)}"
