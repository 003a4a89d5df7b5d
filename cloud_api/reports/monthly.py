"""The report of a month, made once and kept: pages and workbook of flows and of parking, in a folder of the month.

In come a town and a month, out come files. A file that is there is never written again: what was sent is what is kept.
Blocks on the store.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from cloud_api.registry.places import Counting
from cloud_api.reports.asking import Texts
from cloud_api.reports.formats import Format, file_name
from cloud_api.reports.gathering import Progress, Town, silently
from cloud_api.reports.making import asked_of, pieces
from cloud_api.reports.report import Asked, Kind, Language

FORMATS: Final = (Format.PDF, Format.XLSX)
AGAINST: Final = "last-year"


def month_before(today: date) -> date:
    """The first day of the last month that is over."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def keep_month(
    town: Town, month: date, folder: Path, now: datetime, language: Language, tell: Progress = silently
) -> list[Path]:
    """The month's files, those that were kept before among them. Raises `StoreError`, `AskError` and `OSError`."""
    place = folder / f"{month:%Y-%m}"
    place.mkdir(parents=True, exist_ok=True)
    return [
        _kept(town, asked, form, place / file_name(asked, form), tell)
        for asked in _wishes(town, month, now, language)
        for form in FORMATS
    ]


def _wishes(town: Town, month: date, now: datetime, language: Language) -> Iterator[Asked]:
    end = (month + timedelta(days=31)).replace(day=1)
    zones = town.registry.zones.values()
    counted_by_space = tuple(
        zone.id for zone in zones if zone.counting is Counting.SPACES and town.registry.spaces_of(zone.id)
    )
    for kind, places in ((Kind.FLOWS, tuple(town.registry.counters)), (Kind.PARKING, counted_by_space)):
        if places:
            texts = Texts(
                kind=kind,
                start=month.isoformat(),
                end=end.isoformat(),
                places=places,
                compare=AGAINST if kind is Kind.FLOWS else None,
                language=language,
            )
            yield asked_of(town, texts, now)


def _kept(town: Town, asked: Asked, form: Format, file: Path, tell: Progress) -> Path:
    if not file.exists():
        made = file.with_suffix(file.suffix + ".part")
        made.write_bytes(b"".join(pieces(town, asked, form, tell)))
        made.replace(file)
    return file
