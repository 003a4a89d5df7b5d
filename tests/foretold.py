"""A street whose future a forecaster is asked: bays that a test fills, quarter-hour by quarter-hour."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import structs

from cloud_api.feed import ZoneFeed
from cloud_api.forecast.archive import Archive
from cloud_api.forecast.arrival import Arrival
from cloud_api.forecast.occupancy import QUARTER
from cloud_api.forecast.record import LeadQuality
from cloud_api.forecaster import Forecaster
from cloud_api.live import Live
from cloud_api.registry import Closure, Installation, Registry, Space, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.settings import Settings
from cloud_api.stores.base import Store, StoredSpace
from edge.messages import SpaceState
from firmware_sim.parking import Drivers, Habits
from tests.town import HERE, Clock

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
ZONE = Zone(id="halles", name="Rue des Halles", position=HERE)
BAYS = 4


def street(bays: int = BAYS, closures: Sequence[Closure] = (), opening_hours: str | None = None) -> Registry:
    """One zone of so many bays, each with a sensor."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    return Registry(
        zones=[structs.replace(ZONE, opening_hours=opening_hours)],
        spaces=[Space(id=f"h{number}", zone=ZONE.id) for number in range(bays)],
        installations=[
            Installation(place=f"h{number}", device=f"d{number}", channel="1", start=start) for number in range(bays)
        ],
        closures=closures,
    )


def words(occupied: Sequence[bool], at: datetime, before: Sequence[bool] = ()) -> list[StoredSpace]:
    """What the sensors of those bays say at one moment; of those that did not change since `before`, nothing."""
    changed = [number for number, each in enumerate(occupied) if not before or before[number] is not each]
    return [
        StoredSpace(
            gateway="mairie",
            state=SpaceState(device=f"d{number}", channel="1", occupied=occupied[number], at=at, since=at),
        )
        for number in changed
    ]


@dataclass
class Town:
    """A forecaster with all that it asks, on a clock that `live_through` moves."""

    store: Store
    folder: Path
    registry: Registry = field(default_factory=street)
    clock: Clock = field(default_factory=lambda: Clock(MONDAY))

    def __post_init__(self) -> None:
        self.places = CurrentRegistry(self.registry)
        self.live = Live(self.places)
        self.feed = ZoneFeed(self.live, self.places, self.clock.now)
        self.archive = Archive(self.folder / "forecasts.db")
        self.forecaster = Forecaster(
            Settings(time_zone=PARIS),
            store=self.store,
            registry=self.places,
            feed=self.feed,
            archive=self.archive,
            clock=self.clock,
        )

    def remember(self, taken: Sequence[Sequence[bool]]) -> None:
        """The store's past until now: which bays were taken in each quarter-hour."""
        start = self.clock.now - len(taken) * QUARTER
        before: Sequence[bool] = ()
        facts: list[StoredSpace] = []
        for index, occupied in enumerate(taken):
            facts += words(occupied, start + index * QUARTER, before)
            before = occupied
        self.store.write(facts)

    def see(self, occupied: Sequence[bool]) -> None:
        """The sensors speak."""
        self.feed.touch(self.live.remember(words(occupied, self.clock.now), self.clock.now))

    def live_through(self, taken: Sequence[Sequence[bool]]) -> None:
        """So many quarter-hours pass, each noted at its beginning; the clock stands at the end of the last."""
        asyncio.run(self._live_through(taken))

    def learn(self) -> None:
        """Learn what is to be learned now."""
        asyncio.run(self.forecaster.learn(self.clock.now))

    def arrival(self, minutes: int = 15) -> Arrival:
        """What is told of an arrival so many minutes from now."""
        (told,) = self.forecaster.look(self.registry.zones[ZONE.id], (minutes,), self.clock.now).data.forecasts
        return told

    def quality(self, minutes: int = 15) -> LeadQuality:
        """How good the forecasts of that lead time were."""
        (zone,) = self.forecaster.quality(self.registry.zones, self.clock.now).data.zones
        return next(each for each in zone.leads if each.minutes == minutes)

    async def _live_through(self, taken: Sequence[Sequence[bool]]) -> None:
        for occupied in taken:
            self.see(occupied)
            await self.forecaster.note(self.clock.now)
            self.clock.now += QUARTER


def by_timetable(weeks: int, bays: int = BAYS) -> list[list[bool]]:
    """Every day all bays are taken from 10 to 12 UTC and from 15 to 18, to the minute, and free otherwise."""
    busy = {*range(40, 48), *range(60, 72)}
    return [[slot in busy] * bays for _ in range(7 * weeks) for slot in range(96)]


def by_drivers(start: datetime, quarters: int, habits: Habits, bays: int = BAYS) -> list[list[bool]]:
    """What simulated drivers do from `start` on."""
    drivers = [Drivers(f"h{number}", habits, seed=1) for number in range(bays)]
    return [[each.occupied(start + index * QUARTER) for each in drivers] for index in range(quarters)]


def days(number: float) -> int:
    """Quarter-hours of so many days."""
    return int(timedelta(days=number) / QUARTER)
