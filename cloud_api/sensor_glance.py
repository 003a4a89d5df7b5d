"""A town's sensors at one glance: how many can be believed, and those that cannot, the most urgent first. Pure.

In come the present and the registry, each installation judged once; out come tallies and a short list.
"""

from collections import Counter as Tally
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from cloud_api.live import Live
from cloud_api.registry import Installation, Registry
from cloud_api.trust import Cause, Trust, judge

LOW_PCT: Final = 15.0
"""A battery with so much left, or less, is low, whatever its sensor says of it."""
MOST_DOUBTFUL: Final = 40
"""Sensors in the list; a round of the day has no more."""
URGENCY: Final = (Trust.FAULTY, Trust.STALE, Trust.FROZEN, Trust.IMPLAUSIBLE, Trust.UNKNOWN, Trust.FRESH)
"""Of the list; those that are fresh are in it for their batteries."""
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SensorKind(StrEnum):
    """What a sensor serves."""

    SPACE = "space"
    COUNTER = "counter"


class SensorsGlance(Struct, frozen=True, kw_only=True):
    """So many sensors of one kind can be believed so far."""

    kind: SensorKind
    trust: Trust
    sensors: int


class DoubtfulSensor(Struct, frozen=True, kw_only=True):
    """A sensor that is not believed, or whose battery is low."""

    device: str
    place: str
    """A space's or a counter's id."""
    place_name: str
    """What people call it."""
    trust: Trust
    cause: Cause | None
    """Why it is not believed; null where it is."""
    heard_at: datetime | None
    """When it last spoke of the place, UTC; null when it never did."""
    low_battery: bool
    battery_pct: float | None


class Sensors(Struct, frozen=True, kw_only=True):
    """All sensors that serve a place now."""

    tallies: tuple[SensorsGlance, ...]
    doubtful: tuple[DoubtfulSensor, ...]
    """The most urgent first, silent for longest before the others, at most `MOST_DOUBTFUL`."""
    doubted: int
    """So many there are in all."""
    low_batteries: int


class _Found(Struct, frozen=True):
    installation: Installation
    trust: Trust
    cause: Cause | None
    heard_at: datetime | None
    low_battery: bool
    battery_pct: float | None


def look_at_sensors(live: Live, town: Registry, now: datetime) -> Sensors:
    """The town's sensors now."""
    spaces = {space.id for space in town.spaces}
    tally: Tally[tuple[SensorKind, Trust]] = Tally()
    doubtful: list[_Found] = []
    low_batteries: set[str] = set()
    for each in town.installations:
        if not each.serves_at(now):
            continue
        kind = SensorKind.SPACE if each.place in spaces else SensorKind.COUNTER
        found = _find(live, each, kind, now)
        tally[kind, found.trust] += 1
        if found.low_battery:
            low_batteries.add(each.device)
        if found.low_battery or found.trust is not Trust.FRESH:
            doubtful.append(found)
    doubtful.sort(key=lambda each: (URGENCY.index(each.trust), each.heard_at or LONG_AGO, each.installation.device))
    return Sensors(
        tallies=tuple(
            SensorsGlance(kind=kind, trust=trust, sensors=count) for (kind, trust), count in sorted(tally.items())
        ),
        doubtful=tuple(_told(each, town) for each in doubtful[:MOST_DOUBTFUL]),
        doubted=len(doubtful),
        low_batteries=len(low_batteries),
    )


def _find(live: Live, installation: Installation, kind: SensorKind, now: datetime) -> _Found:
    evidence_of = live.space_evidence if kind is SensorKind.SPACE else live.counter_evidence
    evidence = evidence_of(installation)
    verdict = judge(evidence, now)
    health = live.health(installation.device)
    percent = health.battery_pct if health else None
    low = bool(health and health.battery_low) or (percent is not None and percent <= LOW_PCT)
    return _Found(installation, verdict.trust, verdict.cause, evidence.heard_at, low, percent)


def _told(found: _Found, town: Registry) -> DoubtfulSensor:
    place = found.installation.place
    return DoubtfulSensor(
        device=found.installation.device,
        place=place,
        place_name=town.name_of(place),
        trust=found.trust,
        cause=found.cause,
        heard_at=found.heard_at,
        low_battery=found.low_battery,
        battery_pct=found.battery_pct,
    )
