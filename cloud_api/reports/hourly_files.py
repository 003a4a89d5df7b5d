"""A report's hours as files for others to calculate with: raw, to the unit, nothing filled in.

In come counters with their hours, one at a time, out go the pieces of a CSV or a Parquet file; a town's year needs no
more memory than a counter's. Empty is unknown, 0 is nobody.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from cloud_api.reports.hours import Floats
from cloud_api.reports.place_hours import PlaceHours, starts_of
from cloud_api.reports.quality import FAULTS, SOUND, Fault

HOUR: Final = timedelta(hours=1)
BOM: Final = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""
FRENCH_HEAD: Final = (
    "compteur",
    "nom",
    "début",
    "fin",
    "entrées",
    "sorties",
    "total",
    "dont mesuré et fiable",
    "part mesurée",
    "heure mesurée",
    "heure écartée",
    "heure manquante",
    "motif",
    "rue",
    "section",
)
OPEN_HEAD: Final = (
    "counter_id",
    "counter_name",
    "start",
    "end",
    "in",
    "out",
    "total",
    "sound",
    "coverage",
    "state",
    "street",
    "section",
)
MEASURED: Final = "measured"
FRENCH_FAULTS: Final = {
    Fault.NOT_MEASURED: "non mesurée",
    Fault.PARTLY_MEASURED: "mesurée en partie",
    Fault.DOUBTED: "invraisemblable",
    Fault.IMPOSSIBLE: "impossible",
    Fault.NIGHT: "autant la nuit que le jour",
    Fault.STUCK: "capteur bloqué",
    Fault.COPIED: "copie d’un autre jour",
    Fault.SILENT: "capteur muet",
    Fault.ONE_SIDED: "un sens muet",
}


def excel_csv(places: Iterable[PlaceHours]) -> Iterator[bytes]:
    """For Excel in French: `;`, decimal comma, a byte order mark, local times as Excel reads them."""
    yield BOM.encode() + _csv([FRENCH_HEAD], ";")
    for place in places:
        yield _csv(_french_rows(place), ";")


def open_csv(places: Iterable[PlaceHours]) -> Iterator[bytes]:
    """For open data: RFC 4180, decimal point, times with their offsets (RFC 3339), English heads."""
    yield _csv([OPEN_HEAD], ",")
    for place in places:
        yield _csv(_open_rows(place), ",")


def parquet(places: Iterable[PlaceHours]) -> bytes:
    """The same columns with their types, a row group a counter; times in UTC."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("counter_id", pa.string()),
            ("counter_name", pa.string()),
            ("start", pa.timestamp("s", tz="UTC")),
            ("in", pa.int64()),
            ("out", pa.int64()),
            ("total", pa.int64()),
            ("sound", pa.int64()),
            ("coverage", pa.float64()),
            ("state", pa.string()),
            ("street", pa.string()),
            ("section", pa.string()),
        ]
    )
    file = io.BytesIO()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for place in places:
            columns = [
                pa.array([place.id] * len(place.hours)),
                pa.array([place.name] * len(place.hours)),
                pa.array(place.hours.start, pa.timestamp("s", tz="UTC")),
                *(_integers(counts) for counts in (place.hours.in_, place.hours.out, place.hours.both, _sound(place))),
                pa.array(place.hours.coverage),
                pa.array(_states(place)),
                pa.array([place.street or None] * len(place.hours), pa.string()),
                pa.array([place.section or None] * len(place.hours), pa.string()),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    return file.getvalue()


def _french_rows(place: PlaceHours) -> Iterator[Sequence[str | int]]:
    hours = place.hours
    rows = zip(
        starts_of(hours), hours.in_, hours.out, hours.both, _sound(place), hours.coverage, place.fault, strict=True
    )
    for start, in_, out, both, sound, coverage, fault in rows:
        why = None if fault == SOUND else FAULTS[fault]
        yield (
            place.id,
            place.name,
            f"{start:%d/%m/%Y %H:%M}",
            f"{_next_hour(start):%d/%m/%Y %H:%M}",
            *map(_count, (in_, out, both, sound)),
            f"{coverage:.4f}".replace(".", ","),
            int(why is None),
            int(why not in (None, Fault.NOT_MEASURED)),
            int(why is Fault.NOT_MEASURED),
            "" if why is None else FRENCH_FAULTS[why],
            place.street,
            place.section,
        )


def _open_rows(place: PlaceHours) -> Iterator[Sequence[str | int]]:
    hours = place.hours
    rows = zip(
        starts_of(hours), hours.in_, hours.out, hours.both, _sound(place), hours.coverage, _states(place), strict=True
    )
    for start, in_, out, both, sound, coverage, state in rows:
        yield (
            place.id,
            place.name,
            start.isoformat(),
            _next_hour(start).isoformat(),
            *map(_count, (in_, out, both, sound)),
            f"{coverage:.4f}",
            state,
            place.street,
            place.section,
        )


def _next_hour(start: datetime) -> datetime:
    return (start.astimezone(UTC) + HOUR).astimezone(start.tzinfo)


def _sound(place: PlaceHours) -> Floats:
    return np.where(place.sound, place.hours.both, np.nan)


def _states(place: PlaceHours) -> list[str]:
    return [MEASURED if fault == SOUND else FAULTS[fault].value for fault in place.fault]


def _count(value: float) -> str | int:
    return "" if np.isnan(value) else int(value)


def _integers(counts: Floats) -> Any:
    import pyarrow as pa

    unknown = np.isnan(counts)
    return pa.array(np.where(unknown, 0, counts).astype(np.int64), mask=unknown)


def _csv(rows: Iterable[Sequence[str | int]], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()
