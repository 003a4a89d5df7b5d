"""A town with weeks of history, made by a formula, for tests of reports: two streets, gaps, a doubtful sensor."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from cloud_api.forecast.days import Calendar
from cloud_api.registry import Counter, Installation, Position, Registry, Space, Zone
from cloud_api.reports.asking import Texts, ask
from cloud_api.reports.calendar import OfficeCalendar
from cloud_api.reports.gathering import Town
from cloud_api.reports.report import SHOP_HOURS, Asked, Kind, Language
from cloud_api.settings import SchoolZone
from cloud_api.stores.base import Channel, Store, StoredFlow, StoredSpace
from tests.history import flow, space

PARIS = ZoneInfo("Europe/Paris")
HERE = Position(lat=47.2137, lon=-1.5562)
BEGAN = datetime(2026, 7, 1, 8, tzinfo=UTC)
LATE_BEGAN = datetime(2026, 10, 14, 9, tzinfo=UTC)
"""In the middle of a month: the counter of the venelle."""
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
HIGH_STREET, LANE = Channel("2f0c", "line1", "pedestrian"), Channel("90b1", "line1", "pedestrian")
REGISTRY = Registry(
    zones=[Zone(id="marche", name="Place du Marché", position=HERE)],
    spaces=[Space(id=f"m{number}", zone="marche") for number in range(4)],
    counters=[
        Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie"),
        Counter(id="venelle", name="Venelle de l’Église", position=HERE, in_="nord", out="sud"),
        Counter(id="place-neuve", name="Place Neuve", position=HERE, in_="nord", out="sud"),
    ],
    installations=[
        Installation(place="rue-haute", device="2f0c", channel="line1", mode="pedestrian", start=BEGAN),
        *(Installation(place=f"m{number}", device=f"d{number}", channel="1", start=BEGAN) for number in range(4)),
        Installation(place="venelle", device="90b1", channel="line1", mode="pedestrian", start=LATE_BEGAN),
    ],
)
SILENT = (date(2026, 10, 20), date(2026, 10, 22))
"""Days, the last included, of which the Rue Haute has nothing."""


def town(store: Store, registry: Registry = REGISTRY, office: OfficeCalendar | None = None) -> Town:
    """The town over a store."""
    return Town(
        name="Saint-Aubin",
        registry=registry,
        store=store,
        zone=PARIS,
        calendar=Calendar(SchoolZone.B),
        office=office or OfficeCalendar(),
    )


def asked(
    start: str,
    end: str,
    *places: str,
    compare: str | None = None,
    language: Language = Language.FRENCH,
    filled: bool = False,
    open_hours: str = SHOP_HOURS,
    as_of: str | None = None,
    now: datetime = NOW,
) -> Asked:
    """A report on flows, asked for."""
    texts = Texts(
        kind=Kind.FLOWS,
        start=start,
        end=end,
        places=places,
        compare=compare,
        language=language,
        filled=filled,
        open_hours=open_hours,
        as_of=as_of,
    )
    return ask(texts, PARIS, now, list(REGISTRY.counters))


def history(channel: Channel, start: datetime, end: datetime, level: int = 40) -> Iterator[StoredFlow]:
    """An hour a part: quiet at night, busy on Saturdays, never the same twice."""
    chance = np.random.default_rng(int(channel.device, 16))
    hour = start
    while hour < end:
        local = hour.astimezone(PARIS)
        if not (channel == HIGH_STREET and SILENT[0] <= local.date() <= SILENT[1]):
            busy = level * _of_day(local.hour) * (1.6 if local.weekday() == 5 else 1.0)
            yield flow(
                hour, in_=int(chance.poisson(busy)), out=int(chance.poisson(busy)), covered_s=3600, channel=channel
            )
        hour += timedelta(hours=1)


def _of_day(hour: int) -> float:
    return 0.05 if hour < 7 or hour > 21 else 1.0 + 2.0 * (hour in (12, 17, 18))


def fill(store: Store) -> None:
    """Both streets until now."""
    store.write([*history(HIGH_STREET, BEGAN, NOW), *history(LANE, LATE_BEGAN, NOW, level=12)])


def midnight(day: str) -> datetime:
    """When a local day begins."""
    return datetime.combine(date.fromisoformat(day), time(), PARIS)


def parked(store: Store) -> None:
    """Three of four spaces in the first week of November: two cars a day on each, for an hour; the fourth is silent."""
    store.write(list(_parked()))


def _parked() -> Iterator[StoredSpace]:
    for day in range(1, 10):
        for number in range(3):
            for hour in (9, 15):
                came = midnight(f"2026-11-{day:02d}") + timedelta(hours=hour)
                left = came + timedelta(hours=1)
                yield _said(number, came, occupied=True)
                yield _said(number, left, occupied=False)


def _said(number: int, at: datetime, *, occupied: bool) -> StoredSpace:
    at = at.astimezone(UTC)
    return space(at, since=at, occupied=occupied, device=f"d{number}")
