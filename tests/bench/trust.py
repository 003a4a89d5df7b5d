"""How often sound sensors are doubted, and how many of those that hang or miscount are found.

Spaces are the simulator's, looked at every hour for a year, with habits learned anew as the platform does it. Counters
are Auckland's real ones, in weeks that no threshold was chosen by; faults are put into copies of those weeks. Nobody
knows whether each real week was sound: every doubt of one is counted as wrong.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
from msgspec import structs

from cloud_api.frozen import (
    FALSE_ALARMS_PER_YEAR,
    SLOT_S,
    WEEKS,
    Calendar,
    Habit,
    Pace,
    SpaceKey,
    Still,
    calendar,
    learn,
    no_pace,
)
from cloud_api.frozen import frozen as called_frozen
from cloud_api.plausibility import Counted, Street, findings
from cloud_api.stores.base import SpaceChange
from firmware_sim.footfall import hourly, sensors, weeks_without_gaps
from tests.bench.table import Row
from tests.parked import DAY, MONDAY, ZONE, looked_at, year_of

SPACES, WATCHED_WEEKS = 100, 52
HUNG_EVERY = 10
"""One space in so many hangs."""
HUNG_DAYS = (1, 3, 7)
SEED = 73
"""`MARGIN` of `cloud_api/frozen.py` was chosen on 71 and 72."""
HOUR = timedelta(hours=1)
SLOTS_PER_HOUR = 3600 // SLOT_S
HOURS_PER_WEEK = 168
HELD_OUT = (date(2023, 1, 2), date(2024, 9, 2))
"""The thresholds of `cloud_api/plausibility.py` were chosen by eight weeks from October 2024 on."""
WEEKS_APART = 4
STREET = Street(mode="pedestrian", in_="in", out="out", zone=ZONE)
NOISE_PER_HOUR = 60
"""What a branch in the wind counts each way, day and night."""

Fault = Callable[[int, Counted], Counted]
"""From the hour of a week, 0 on Monday at 00:00, and what was counted, to what a faulty sensor counts."""


def rows() -> Iterator[Row]:
    """The figures of this file."""
    town = [year_of(number, WEEKS + WATCHED_WEEKS, SEED) for number in range(SPACES)]
    alarms = false_alarms(town)
    space_years = SPACES * WATCHED_WEEKS / 52
    stated = "as stated"
    yield Row(
        "sound spaces called frozen", len(alarms) / space_years, "per space and year", FALSE_ALARMS_PER_YEAR, stated
    )
    for days, share in hung_found(town).items():
        yield Row(f"  hung sensors found within {days} days", 100 * share, "%")
    yield from _implausible_rows()


def false_alarms(town: Sequence[Sequence[SpaceChange]]) -> set[tuple[SpaceKey, datetime]]:
    """Stays of sound spaces that were called frozen: looked at every hour, habits learned anew every week."""
    alarms: set[tuple[SpaceKey, datetime]] = set()
    for week in range(WATCHED_WEEKS):
        now = MONDAY + timedelta(weeks=WEEKS + week)
        habits, _ = _learned(town, calendar(now, ZONE))
        known = calendar(now + timedelta(weeks=1), ZONE)
        _, pace = _learned(town, known)
        for hour in range(1, HOURS_PER_WEEK + 1):
            stills = _stills(town, now + hour * HOUR)
            until = len(known.hour_of_week) - (HOURS_PER_WEEK - hour) * SLOTS_PER_HOUR
            seen = Calendar(known.edges[: until + 1], known.hour_of_week[:until])
            so_far = Pace(pace.observed[: until // SLOTS_PER_HOUR], pace.expected[: until // SLOTS_PER_HOUR])
            alarms |= {(key, still.since) for key, still in called_frozen(stills, habits, seen, so_far).items()}
    return alarms


def hung_found(town: Sequence[Sequence[SpaceChange]]) -> Mapping[int, float]:
    """The share of hung sensors that is found so many days later: one in ten hangs, at an hour of its own."""
    found = dict.fromkeys(HUNG_DAYS, 0)
    rounds = range(HUNG_EVERY)
    for first in rounds:
        hung_at = MONDAY + timedelta(weeks=WEEKS + 1, hours=first * (HOURS_PER_WEEK // HUNG_EVERY))
        spaces = [
            [change for change in changes if change.at < hung_at] if number % HUNG_EVERY == first else changes
            for number, changes in enumerate(town)
        ]
        hung = {(spaces[number][0].device, "1") for number in range(first, len(town), HUNG_EVERY)}
        for days in HUNG_DAYS:
            found[days] += len(hung & looked_at(spaces, hung_at + days * DAY).keys())
    return {days: number / len(town) for days, number in found.items()}


def _learned(town: Sequence[Sequence[SpaceChange]], known: Calendar) -> tuple[dict[SpaceKey, Habit], Pace]:
    habits: dict[SpaceKey, Habit] = {}
    pace = no_pace(known)
    for changes in town:
        habit, pace = learn(_between(changes, known.start, known.end), known, pace)
        if habit is not None:
            habits[changes[0].device, changes[0].channel] = habit
    return habits, pace


def _between(changes: Sequence[SpaceChange], start: datetime, end: datetime) -> Sequence[SpaceChange]:
    return changes[bisect_left(changes, start, key=_at) : bisect_left(changes, end, key=_at)]


def _stills(town: Sequence[Sequence[SpaceChange]], now: datetime) -> list[Still]:
    last = [changes[bisect_left(changes, now, key=_at) - 1] for changes in town]
    return [Still(device=each.device, channel=each.channel, occupied=each.occupied, since=each.at) for each in last]


def _at(change: SpaceChange) -> datetime:
    return change.at


def _implausible_rows() -> Iterator[Row]:
    weeks = [
        counted_week(name, monday)
        for name in sensors()
        for monday in weeks_without_gaps([name], *HELD_OUT)[::WEEKS_APART]
    ]
    wrong = sum(1 for week in weeks if findings(week, STREET))
    yield Row(f"{len(weeks)} real weeks of counters called implausible", 100 * wrong / len(weeks), "%")
    right = 0
    for what, fault in FAULTS.items():
        found = sum(1 for week in weeks if findings([fault(hour, each) for hour, each in enumerate(week)], STREET))
        right += found
        yield Row(f"  recall where {what}", 100 * found / len(weeks), "%")
    mean = right / len(FAULTS)
    yield Row("  precision, one week in two faulty", 100 * mean / max(1, mean + wrong), "%")


def counted_week(name: str, monday: date) -> list[Counted]:
    """A real week of seven known days, half of it each way: the data set does not tell directions."""
    start = datetime.combine(monday, datetime.min.time(), ZONE).astimezone(UTC)
    counts = [count or 0 for count in hourly(name, monday, 7)]
    generator = np.random.default_rng(monday.toordinal())
    shares = generator.binomial(counts, 0.5)
    return [
        Counted(start=start + index * HOUR, in_=int(in_), out=count - int(in_))
        for index, (count, in_) in enumerate(zip(counts, shares, strict=True))
    ]


def _zeros(hour: int, each: Counted) -> Counted:
    return structs.replace(each, in_=0, out=0) if hour >= 4 * 24 else each


def _one_way(hour: int, each: Counted) -> Counted:
    return structs.replace(each, out=0) if hour >= 4 * 24 else each


def _branch(hour: int, each: Counted) -> Counted:
    noisy = NOISE_PER_HOUR if hour >= 4 * 24 else 0
    return structs.replace(each, in_=(each.in_ or 0) + noisy, out=(each.out or 0) + noisy)


def _wrong_width(hour: int, each: Counted) -> Counted:
    return structs.replace(each, in_=(each.in_ or 0) + 65_536) if hour == 4 * 24 else each


FAULTS: Mapping[str, Fault] = {
    "nobody is counted for 3 days": _zeros,
    "one direction is silent for 3 days": _one_way,
    f"{2 * NOISE_PER_HOUR} an hour are added, day and night": _branch,
    "a total rolls over at a wrong width": _wrong_width,
}
