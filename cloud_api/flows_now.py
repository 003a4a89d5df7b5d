"""The last hour of every counter, against what is usual there at this hour of the week.

In come a moment, the registry and the store's intervals; out comes one value per counter, with how much of the hour was
measured. The same hour of past days of the same kind is cut from the store in the same way, so that anybody can
reproduce the comparison. What nobody measured is null, never 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import groupby, islice
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct, field

from cloud_api.flows import calibrated, channel_of, known_sum
from cloud_api.forecast.days import Calendar
from cloud_api.registry import Installation, Registry
from cloud_api.stores.base import Channel, Passed, Store

HOUR: Final = timedelta(hours=1)
OLDEST: Final = timedelta(hours=2)
"""An hour that ended longer ago is not shown as now."""
DAYS: Final = 8
"""So many days of the same kind are compared with."""
LOOK_BACK: Final = 70
"""In days; the days of the same kind are looked for among them."""
FEWEST_DAYS: Final = 4
COVERED: Final = 0.9
"""The share of an hour that must be measured for it to be compared."""
LOW, HIGH = 0.1, 0.9
"""Between these quantiles of the past is as usual."""


class Busyness(StrEnum):
    """How the last hour compares with what is usual."""

    QUIETER = "quieter"
    USUAL = "usual"
    BUSIER = "busier"


class Usual(Struct, frozen=True, kw_only=True):
    """Passages, both directions together, in the same hour of past days of the same kind."""

    median: int
    low: int
    """One day in ten had fewer."""
    high: int
    """One day in ten had more."""
    days: int
    """How many past days it rests on."""


class LastHour(Struct, frozen=True, kw_only=True):
    """What a counter counted in the last hour of which it has told."""

    start: datetime | None = field(name="from")
    """Local time with its offset; null when it has told of no moment of the last two hours."""
    end: datetime | None = field(name="to")
    in_: int | None = field(name="in")
    """Persons (or vehicles) towards `in`; null when nobody measured, or this direction is not counted."""
    out: int | None
    coverage: float
    """Measured share of the hour, 0 to 1; below 1 the figures are lower bounds."""
    usual: Usual | None
    """Null where fewer than four comparable days were measured."""
    busyness: Busyness | None
    """Null where nothing is usual yet, or less than nine tenths of the hour were measured."""


UNKNOWN: Final = LastHour(start=None, end=None, in_=None, out=None, coverage=0.0, usual=None, busyness=None)


class Span(Struct, frozen=True):
    """A stretch of time, start <= t < end, UTC."""

    start: datetime
    end: datetime

    def days_before(self, days: int, zone: ZoneInfo) -> "Span":
        """As long a stretch that ended at the same local time so many days earlier."""
        end = (self.end.astimezone(zone) - timedelta(days=days)).astimezone(UTC)
        return Span(end - (self.end - self.start), end)

    def seconds_of(self, installation: Installation) -> float:
        """For how much of it an installation that overlaps it served."""
        end = self.end if installation.end is None else min(self.end, installation.end)
        return (end - max(self.start, installation.start)).total_seconds()

    def holds(self, passed: Passed) -> bool:
        """Whether the whole interval lies in it."""
        return self.start <= passed.start and passed.start + timedelta(seconds=passed.seconds) <= self.end


class _Counted(Struct, frozen=True):
    """What was counted in a stretch of time, the right way round."""

    in_: int | None
    out: int | None
    coverage: float

    @property
    def both(self) -> int:
        return (self.in_ or 0) + (self.out or 0)


_Passages = Mapping[Channel, Sequence[Passed]]
"""By channel, what it counted."""


def last_hours(
    registry: Registry, store: Store, now: datetime, zone: ZoneInfo, calendar: Calendar
) -> Mapping[str, LastHour]:
    """The last hour of every counter, by its id. Blocks on the store. Raises `StoreError`."""
    recent = Span(now - OLDEST - HOUR, now)
    present = _passages(registry, store, recent)
    days = days_like(now.astimezone(zone).date(), calendar)
    past = {ago: _passages(registry, store, recent.days_before(ago, zone)) for ago in days}
    return {counter: _last_hour(registry, counter, present, past, recent, zone) for counter in registry.counters}


def days_like(day: date, calendar: Calendar) -> list[int]:
    """How many days ago the latest days of the same kind were, at most `DAYS` of them; a public holiday is a Sunday."""
    wanted = calendar.kind(day).weekday
    alike = (ago for ago in range(1, LOOK_BACK + 1) if calendar.kind(day - timedelta(days=ago)).weekday == wanted)
    return list(islice(alike, DAYS))


def _last_hour(
    registry: Registry, counter: str, present: _Passages, past: Mapping[int, _Passages], recent: Span, zone: ZoneInfo
) -> LastHour:
    end = _told_until(registry, counter, present, recent)
    if end is None:
        return UNKNOWN
    span = Span(end - HOUR, end)
    now = _counted(registry, counter, present, span)
    before = [_counted(registry, counter, its, span.days_before(ago, zone)) for ago, its in past.items()]
    usual = _usual([each.both for each in before if each.coverage >= COVERED])
    return LastHour(
        start=span.start.astimezone(zone),
        end=end.astimezone(zone),
        in_=now.in_,
        out=now.out,
        coverage=round(now.coverage, 4),
        usual=usual,
        busyness=None if usual is None or now.coverage < COVERED else _busyness(now.both, usual),
    )


def _passages(registry: Registry, store: Store, span: Span) -> _Passages:
    channels = {
        channel_of(each)
        for counter in registry.counters
        for each in registry.installations_of(counter, span.start, span.end)
    }
    passages = store.intervals(sorted(channels), span.start, span.end)
    return {channel: list(its) for channel, its in groupby(passages, lambda passed: passed.channel)}


def _told_until(registry: Registry, counter: str, passages: _Passages, span: Span) -> datetime | None:
    ends = [
        passed.start + timedelta(seconds=passed.seconds)
        for each in registry.installations_of(counter, span.start, span.end)
        for passed in _of(each, passages)
    ]
    return max(ends, default=None)


def _counted(registry: Registry, counter: str, passages: _Passages, span: Span) -> _Counted:
    serving = registry.installations_of(counter, span.start, span.end)
    known = [(each, its) for each in serving if (its := [p for p in _of(each, passages) if span.holds(p)])]
    covered_s = sum(passed.covered_s for _, its in known for passed in its)
    whole_s = sum(span.seconds_of(each) for each in serving)
    return _Counted(
        in_=known_sum(_towards(each, its, wanted="in") for each, its in known),
        out=known_sum(_towards(each, its, wanted="out") for each, its in known),
        coverage=min(1.0, covered_s / whole_s) if serving else 0.0,
    )


def _of(installation: Installation, passages: _Passages) -> list[Passed]:
    its = passages.get(channel_of(installation), ())
    return [passed for passed in its if installation.serves_at(passed.start)]


def _towards(installation: Installation, its: Iterable[Passed], wanted: Literal["in", "out"]) -> int | None:
    first = (wanted == "in") is not installation.reversed
    return calibrated(known_sum(passed.in_ if first else passed.out for passed in its), installation.factor)


def _usual(past: Sequence[int]) -> Usual | None:
    if len(past) < FEWEST_DAYS:
        return None
    low, median, high = np.quantile(past, (LOW, 0.5, HIGH))
    return Usual(median=round(median), low=round(low), high=round(high), days=len(past))


def _busyness(count: int, usual: Usual) -> Busyness:
    if count < usual.low:
        return Busyness.QUIETER
    return Busyness.BUSIER if count > usual.high else Busyness.USUAL
