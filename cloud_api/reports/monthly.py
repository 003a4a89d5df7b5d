"""The report of a month, made once and kept: pages and workbook of flows and of parking, in a folder of the month.

In come a town and what is asked of a month, out come files. A file that is there is never written again: what was sent
is what is kept. Blocks on the store.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from cloud_api.registry.places import Counting
from cloud_api.reports.asking import Texts
from cloud_api.reports.formats import Format, file_name
from cloud_api.reports.gathering import Progress, Town, silently
from cloud_api.reports.making import asked_of, pieces
from cloud_api.reports.report import SHOP_HOURS, Asked, Kind, Language

FORMATS: Final = (Format.PDF, Format.XLSX)
AGAINST: Final = "last-year"


def month_before(today: date) -> date:
    """The first day of the last month that is over."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


class MonthAsked(Struct, frozen=True, kw_only=True):
    """A month's reports, as they are asked for."""

    month: date
    """Its first day."""
    now: datetime
    language: Language = Language.FRENCH
    open_hours: str = SHOP_HOURS
    """When shops are open, in OpenStreetMap's syntax."""


def keep_month(town: Town, wish: MonthAsked, folder: Path, tell: Progress = silently) -> list[Path]:
    """The month's files, those that were kept before among them. Raises `StoreError`, `AskError` and `OSError`."""
    asked = list(_wishes(town, wish))
    place = folder / f"{wish.month:%Y-%m}"
    place.mkdir(parents=True, exist_ok=True)
    return [_kept(town, each, form, place / file_name(each, form), tell) for each in asked for form in FORMATS]


def _wishes(town: Town, wish: MonthAsked) -> Iterator[Asked]:
    end = (wish.month + timedelta(days=31)).replace(day=1)
    zones = town.registry.zones.values()
    counted_by_space = tuple(
        zone.id for zone in zones if zone.counting is Counting.SPACES and town.registry.spaces_of(zone.id)
    )
    for kind, places in ((Kind.FLOWS, tuple(town.registry.counters)), (Kind.PARKING, counted_by_space)):
        if places:
            texts = Texts(
                kind=kind,
                start=wish.month.isoformat(),
                end=end.isoformat(),
                places=places,
                compare=AGAINST if kind is Kind.FLOWS else None,
                language=wish.language,
                open_hours=wish.open_hours,
            )
            yield asked_of(town, texts, wish.now)


def _kept(town: Town, asked: Asked, form: Format, file: Path, tell: Progress) -> Path:
    if not file.exists():
        made = file.with_suffix(file.suffix + ".part")
        made.write_bytes(b"".join(pieces(town, asked, form, tell)))
        made.replace(file)
    return file
