"""A report's table of hours as a file for others to calculate with, where it is not of counters: parking.

The table with the key `hours`; a report that has none gives a file with a head alone. Empty is unknown.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any, Final

from cloud_api.reports.hourly_files import BOM
from cloud_api.reports.report import Cell, Column, Report, Table, Unit

HOURS: Final = "hours"
NOTHING: Final = Table(key=HOURS, title="", columns=(Column(key="what", title="", unit=Unit.INSTANT),), rows=())


def table_excel_csv(report: Report) -> Iterator[bytes]:
    """For Excel in French: `;`, decimal comma, a byte order mark."""
    table = hours_of(report)
    rows = ([_french(value) for value in row] for row in table.rows)
    yield BOM.encode() + _csv([[each.title for each in table.columns]], ";") + _csv(rows, ";")


def table_open_csv(report: Report) -> Iterator[bytes]:
    """For open data: RFC 4180, decimal point, times with their offsets, heads that are the same in every language."""
    table = hours_of(report)
    rows = ([_plain(value) for value in row] for row in table.rows)
    yield _csv([[each.key for each in table.columns]], ",") + _csv(rows, ",")


def table_parquet(report: Report) -> bytes:
    """The same columns with their types; times in UTC."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = hours_of(report)
    columns = {
        each.key: pa.array([_utc(row[at]) for row in table.rows], _type(each.unit))
        for at, each in enumerate(table.columns)
    }
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression="zstd")
    return file.getvalue()


def hours_of(report: Report) -> Table:
    """The table of hours; an empty one where nothing could be told."""
    return next((each for each in report.tables if each.key == HOURS), NOTHING)


def _type(unit: Unit) -> Any:
    import pyarrow as pa

    match unit:
        case Unit.INSTANT:
            return pa.timestamp("s", tz="UTC")
        case Unit.WORDS:
            return pa.string()
        case _:
            return pa.float64()


def _utc(value: Cell) -> Cell:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _french(value: Cell) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%d/%m/%Y %H:%M}"
        case date():
            return f"{value:%d/%m/%Y}"
        case float():
            return f"{value:.4f}".replace(".", ",")
        case _:
            return str(value)


def _plain(value: Cell) -> str:
    match value:
        case None:
            return ""
        case date():
            return value.isoformat()
        case float():
            return f"{value:.4f}"
        case _:
            return str(value)


def _csv(rows: Iterable[list[str]], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()
