"""Simulated streets for the detectors: spaces of several habits, whose changes the simulator's drivers make up."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cloud_api.frozen import Calendar, Habit, Pace, SpaceKey, Still, calendar, frozen, learn, no_pace
from cloud_api.stores.base import SpaceChange
from firmware_sim.parking import CYCLE_DAYS, Drivers, Habits

ZONE = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 3, 2, 2, tzinfo=UTC)
DAY = timedelta(days=1)
CYCLE = timedelta(days=CYCLE_DAYS)
STREETS = (
    Habits(stay_min=25, gap_min=10, at_night=0.3),
    Habits(stay_min=55, gap_min=25, at_night=0.5),
    Habits(stay_min=150, gap_min=90, at_night=0.8),
    Habits(stay_min=400, gap_min=240, at_night=0.9),
)
"""From a baker's front to a street of residents."""


def year_of(number: int, weeks: int, seed: int) -> list[SpaceChange]:
    """What a space does from `MONDAY` on: no four weeks are like the others."""
    changes: list[SpaceChange] = []
    for cycle in range(weeks // 4):
        drivers = Drivers(f"space-{number}", STREETS[number % len(STREETS)], seed * 1000 + cycle)
        start = MONDAY + cycle * CYCLE
        for change in drivers.changes_between(start, start + CYCLE):
            if not changes or changes[-1].occupied is not change.occupied:
                changes.append(SpaceChange(device=f"d{number}", channel="1", at=change.at, occupied=change.occupied))
    return changes


def looked_at(spaces: Sequence[Sequence[SpaceChange]], now: datetime) -> dict[SpaceKey, Still]:
    """The spaces that the detector calls frozen at `now`, knowing what there was until then."""
    known = calendar(now, ZONE)
    habits, town, stills = _learned(spaces, known, now)
    return frozen(stills, habits, known, town)


def _learned(
    spaces: Sequence[Sequence[SpaceChange]], known: Calendar, now: datetime
) -> tuple[dict[SpaceKey, Habit], Pace, list[Still]]:
    habits: dict[SpaceKey, Habit] = {}
    town, stills, start = no_pace(known), [], known.start
    for changes in spaces:
        past = [change for change in changes if change.at < now]
        habit, town = learn([change for change in past if change.at >= start], known, town)
        last = past[-1]
        stills.append(Still(device=last.device, channel=last.channel, occupied=last.occupied, since=last.at))
        if habit is not None:
            habits[last.device, last.channel] = habit
    return habits, town, stills


def quiet(changes: Sequence[SpaceChange], start: datetime, end: datetime) -> Iterator[SpaceChange]:
    """The same without what happened from `start` to before `end`: a holiday, or a sensor that hangs."""
    state: bool | None = None
    for change in changes:
        if start <= change.at < end or change.occupied is state:
            continue
        state = change.occupied
        yield change
