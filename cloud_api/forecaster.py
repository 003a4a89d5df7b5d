"""Learns every zone's habits in the background, forecasts arrivals from memory, and keeps what came of it.

In come the present, the store's past and the archive; out come answers. Every quarter of an hour it writes down what
is observed and what it forecasts; once an hour it learns each zone anew, in a thread, and judges its past forecasts.
Held in memory per zone: eight weeks of quarter-hours and a model, about 100 kB.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import structs

from cloud_api.feed import TTL_S, ZoneFeed
from cloud_api.forecast.answers import (
    QUALITY_TTL_S,
    ForecastAnswer,
    QualityAnswer,
    QualityList,
    ZoneForecast,
    ZoneQuality,
)
from cloud_api.forecast.archive import OBSERVATIONS_KEPT, Archive, Issued, Observed
from cloud_api.forecast.arrival import JUDGED, Arrival, Known, Lead, Weighed, arrivals, weigh
from cloud_api.forecast.closed import closed_then
from cloud_api.forecast.days import Calendar
from cloud_api.forecast.model import learn
from cloud_api.forecast.occupancy import QUARTER, Occupancy, quarter_of, start_of
from cloud_api.forecast.past import filled, told_past
from cloud_api.forecast.present import Present, present
from cloud_api.forecast.record import judged
from cloud_api.registry import Closure, Registry, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.settings import Settings
from cloud_api.stores.base import Store, StoreError

log = logging.getLogger(__name__)

TICK_S: Final = 1.0
LEARNED_FOR: Final = timedelta(hours=1)
ROUND_S: Final = 60.0
"""Between two looks for zones to learn."""
RETRY_S: Final = 60.0
PAUSE_S: Final = 0.05
"""Between two zones: whoever asks the API meanwhile goes first."""
LATE: Final = timedelta(minutes=5)
"""So late into a quarter-hour it is no longer observed at its beginning."""
Closures = Mapping[str, Closure]
"""What closures close at one moment, by zone and space."""
SOON_MINUTES: Final = 30
AHEAD_FOR: Final = timedelta(minutes=1)
"""How long what is said of half an hour hence is said unchanged."""
MOST_ANSWERS: Final = 2048
"""Answers kept; they are good for as long as their callers may keep them."""


class Forecaster:
    """Guards that what is observed is noted before it is learned from. Belongs to the event loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        registry: CurrentRegistry,
        feed: ZoneFeed,
        archive: Archive,
        clock: Callable[[], datetime],
    ) -> None:
        self._zone = settings.time_zone
        self._calendar = Calendar(settings.school_zone)
        self._store = store
        self._registry = registry
        self._feed = feed
        self._archive = archive
        self._clock = clock
        self._known: dict[str, Known] = {}
        self.rounds = 0
        """Counts up whenever past forecasts were judged anew."""
        self._answers: dict[tuple[str, tuple[int, ...]], ForecastAnswer] = {}
        self._soon: dict[str, Arrival] = {}
        self._looked_ahead_at = datetime.min.replace(tzinfo=UTC)
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Note and learn until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_noting())
            tasks.create_task(self._keep_learning())

    def look(self, zone: Zone, minutes: tuple[int, ...], now: datetime) -> ForecastAnswer:
        """What can be said of arrivals at a zone so many minutes from now; an answer is kept for its time to live."""
        kept = self._answers.get((zone.id, minutes))
        if kept is not None and timedelta(0) <= now - kept.last_updated < timedelta(seconds=TTL_S):
            return kept
        if len(self._answers) >= MOST_ANSWERS:
            self._answers.clear()
        answer = ForecastAnswer(
            last_updated=now, ttl=TTL_S, data=self._forecast(self._registry.now, zone, minutes, now)
        )
        self._answers[zone.id, minutes] = answer
        return answer

    def soon(self, zone: str, now: datetime) -> Arrival | None:
        """What can be said of an arrival in half an hour, worked out for all zones within the last minute or so."""
        return self._soon.get(zone) if abs(now - self._looked_ahead_at) < LATE else None

    def quality(self, zones: Mapping[str, Zone], now: datetime) -> QualityAnswer:
        """How good the past forecasts of these zones were, as last judged."""
        data = tuple(
            ZoneQuality(id=zone.id, name=zone.name, leads=tuple(self._known.get(zone.id, Known()).judged.values()))
            for zone in zones.values()
        )
        return QualityAnswer(last_updated=now, ttl=QUALITY_TTL_S, data=QualityList(data))

    async def note(self, now: datetime) -> None:
        """Write down what is observed now, what comes of earlier forecasts, and what is forecast. Raises `StoreError`.

        `now` is taken for the beginning of its quarter-hour.
        """
        quarter, registry = quarter_of(now), self._registry.now
        async with self._one_at_a_time:
            seen = {zone.id: self._present(zone, now) for zone in registry.zones.values()}
            sure = {zone: each for zone, each in seen.items() if each.can_be_believed}
            self._known = {
                zone: self._noted(zone, quarter, sure.get(zone)) for zone in self._known.keys() & seen.keys()
            }
            observed = [_observed(zone, quarter, each) for zone, each in sure.items()]
            issued = await asyncio.to_thread(self._issue, registry, dict(self._known), sure, now)
            await asyncio.to_thread(self._archive.note, quarter, observed, issued, JUDGED)

    async def learn(self, now: datetime) -> None:
        """Learn the zones that were not learned within the hour. Raises `StoreError`."""
        due = [zone for zone in self._registry.now.zones if self._is_due(zone, now)]
        for name in due:
            async with self._one_at_a_time:
                registry = self._registry.now
                zone = registry.zones.get(name)
                if zone is not None:
                    known, capacity = self._known.get(name, Known()), self._present(zone, now).capacity
                    self._known[name] = await asyncio.to_thread(self._learn, registry, zone, capacity, known, now)
                    self._answers.clear()
                    self.rounds += 1
            await asyncio.sleep(PAUSE_S)
        if due:
            able = sum(known.model is not None for known in self._known.values())
            log.info("learned %d zones; of %d, %d have history enough to be forecast", len(due), len(self._known), able)

    async def look_ahead(self, now: datetime) -> None:
        """Work out for every zone what `soon` tells."""
        registry = self._registry.now
        seen = {zone.id: self._present(zone, now) for zone in registry.zones.values()}
        self._soon = await asyncio.to_thread(self._all_soon, registry, dict(self._known), seen, now)
        self._looked_ahead_at = now

    async def _keep_noting(self) -> None:
        noted = quarter_of(self._clock())
        while True:
            await asyncio.sleep(TICK_S)
            now = self._clock()
            if abs(now - self._looked_ahead_at) >= AHEAD_FOR:
                await self.look_ahead(now)
            if quarter_of(now) == noted:
                continue
            noted = quarter_of(now)
            if now - start_of(noted) > LATE:
                continue
            try:
                await self.note(now)
            except StoreError as error:
                log.warning("the forecasts of %s are not kept: %s", start_of(noted), error)

    async def _keep_learning(self) -> None:
        while True:
            try:
                await self.learn(self._clock())
                await asyncio.sleep(ROUND_S)
            except StoreError as error:
                log.warning("no zone's habits are learned now, next attempt in %g s: %s", RETRY_S, error)
                await asyncio.sleep(RETRY_S)

    def _forecast(self, registry: Registry, zone: Zone, minutes: tuple[int, ...], now: datetime) -> ZoneForecast:
        seen, known = self._present(zone, now), self._known.get(zone.id, Known())
        closed = {
            each: closed_then(closures, registry, zone, now + timedelta(minutes=each), self._zone)
            for each, closures in _closures(registry, minutes, now).items()
        }
        return ZoneForecast(
            id=zone.id,
            name=zone.name,
            audience=seen.audience,
            capacity=seen.capacity,
            free=seen.spaces().free if seen.can_be_believed else None,
            forecasts=arrivals(known, seen, closed, zone.id, now, self._zone),
        )

    def _all_soon(
        self, registry: Registry, known: Mapping[str, Known], seen: Mapping[str, Present], now: datetime
    ) -> dict[str, Arrival]:
        closures = registry.closures_at(now + timedelta(minutes=SOON_MINUTES))
        told: dict[str, Arrival] = {}
        for name, each in seen.items():
            zone = registry.zones[name]
            closed = closed_then(closures, registry, zone, now + timedelta(minutes=SOON_MINUTES), self._zone)
            (told[name],) = arrivals(known.get(name, Known()), each, {SOON_MINUTES: closed}, name, now, self._zone)
        return told

    def _is_due(self, zone: str, now: datetime) -> bool:
        """Whether a zone was not learned within the hour."""
        learned_at = self._known.get(zone, Known()).learned_at
        return learned_at is None or abs(now - learned_at) >= LEARNED_FOR

    def _present(self, zone: Zone, now: datetime) -> Present:
        """What is known of a zone now."""
        self._feed.look(now)
        return present(zone, self._feed.details()[zone.id])

    def _noted(self, zone: str, quarter: int, seen: Present | None) -> Known:
        """What is known of a zone, with what is observed now."""
        known = self._known[zone]
        if seen is None:
            return known
        past = known.past.noted(quarter, seen.spaces().share, OBSERVATIONS_KEPT)
        return structs.replace(known, past=past)

    def _issue(
        self, registry: Registry, known: Mapping[str, Known], seen: Mapping[str, Present], now: datetime
    ) -> list[Issued]:
        """The forecasts of every judged lead time, of all zones of which something can be said."""
        closures = _closures(registry, JUDGED, now)
        issued: list[Issued] = []
        for zone in seen.keys() & {zone for zone, each in known.items() if each.model is not None}:
            leads = self._leads(registry, registry.zones[zone], seen[zone], closures, now)
            weighed = weigh(known[zone], leads, now, self._zone)
            issued += [_issued(zone, lead, each, now) for lead, each in zip(leads, weighed, strict=True)]
        return issued

    def _leads(
        self, registry: Registry, zone: Zone, seen: Present, closures: Mapping[int, Closures], now: datetime
    ) -> list[Lead]:
        """The lead times at which the zone is open, and something is known of the spaces that are."""
        leads = []
        for minutes, in_force in closures.items():
            closed = closed_then(in_force, registry, zone, now + timedelta(minutes=minutes), self._zone)
            if zone.id not in closed and seen.spaces(closed).known:
                leads.append(Lead(minutes, seen.spaces(closed)))
        return leads

    def _learn(self, registry: Registry, zone: Zone, capacity: int, known: Known, now: datetime) -> Known:
        past = self._recall(registry, zone, now) if known.model is None else known.past
        outcomes = [self._archive.outcomes(zone.id, minutes, quarter_of(now)) for minutes in JUDGED]
        return Known(
            past=past,
            model=learn(past, max(capacity, 1), self._calendar, self._zone),
            learned_at=now,
            judged={minutes: judged(minutes, each) for minutes, each in zip(JUDGED, outcomes, strict=True)},
        )

    def _recall(self, registry: Registry, zone: Zone, now: datetime) -> Occupancy:
        """The last eight weeks: as observed, and for the rest as the store holds them."""
        quarters = range(quarter_of(now) - OBSERVATIONS_KEPT, quarter_of(now) + 1)
        observed = self._archive.series(zone.id, quarters.start, quarters.stop)
        return filled(observed, told_past(self._store, registry, zone, quarters))


def _observed(zone: str, quarter: int, seen: Present) -> Observed:
    spaces = seen.spaces()
    return Observed(zone=zone, quarter=quarter, spaces=spaces.known, free=spaces.free)


def _closures(registry: Registry, leads: Sequence[int], now: datetime) -> Mapping[int, Closures]:
    """What will be closed at each lead time, in minutes."""
    return {minutes: registry.closures_at(now + timedelta(minutes=minutes)) for minutes in leads}


def _issued(zone: str, lead: Lead, weighed: Weighed, now: datetime) -> Issued:
    said = weighed.served
    return Issued(
        zone=zone,
        minutes=lead.minutes,
        due=quarter_of(now) + timedelta(minutes=lead.minutes) // QUARTER,
        spaces=lead.spaces.known,
        method=weighed.serves,
        probability=said.probability,
        expected=said.expected,
        low=said.low,
        high=said.high,
        model=weighed.model.probability,
        as_now=lead.spaces.free,
        usual=None if weighed.usual is None else weighed.usual.probability,
    )
