"""Where a zone is going: filling or emptying, and how fast. Pure, but for `Trails`, which keeps the recent past.

In come the figures of the last half-hour, one a minute; out comes a direction with its rate. The slope is that of the
*share* of the known spaces that is free: a sensor that comes or goes moves no car, and so makes no trend.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import linear_regression
from typing import Final

from msgspec import Struct

from cloud_api.feeds.lots import Tendency
from cloud_api.registry.places import Audience

WINDOW: Final = timedelta(minutes=30)
"""How far the past is looked at."""
SHORTEST: Final = timedelta(minutes=10)
"""With less past than this there is no trend."""
EVERY: Final = timedelta(minutes=1)
LEAST_SPACES: Final = 2.0
"""A change over the window of fewer spaces than this is a coming and going: steady."""
LEAST_SHARE: Final = 0.05
"""The same, as a part of the known spaces."""
HOUR: Final = timedelta(hours=1)


class Trend(Struct, frozen=True, kw_only=True):
    """Where it has been going for the last half-hour."""

    direction: Tendency
    free_per_hour: int | None
    """Free spaces more (or, negative, fewer) an hour; null where the operator tells the direction alone."""


class Sample(Struct, frozen=True):
    """What was known at one moment."""

    at: datetime
    free: int
    occupied: int

    @property
    def known(self) -> int:
        """Spaces of which it was known whether they are free."""
        return self.free + self.occupied


Series = tuple[str, Audience | None]
"""A zone and an audience; None for the zone as a whole."""


def trend(samples: Sequence[Sample]) -> Trend | None:
    """The trend of samples in the order of time, at the last of them; None where the past is too short to tell."""
    known = [each for each in samples if each.known]
    if not known or known[-1].at - known[0].at < SHORTEST:
        return None
    hours = [(each.at - known[0].at) / HOUR for each in known]
    spaces = known[-1].known
    per_hour = linear_regression(hours, [each.free / each.known for each in known]).slope * spaces
    change = per_hour * hours[-1]
    if abs(change) < max(LEAST_SPACES, LEAST_SHARE * spaces):
        return Trend(direction=Tendency.STEADY, free_per_hour=round(per_hour))
    direction = Tendency.EMPTYING if change > 0 else Tendency.FILLING
    return Trend(direction=direction, free_per_hour=round(per_hour))


class Trails:
    """Guards that each series has at most a sample a minute, none older than half an hour; what is gone is let go."""

    def __init__(self) -> None:
        self._samples: Mapping[Series, tuple[Sample, ...]] = {}
        self._trends: Mapping[Series, Trend | None] = {}
        self._noted_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether a minute has passed since the last sample."""
        return self._noted_at is None or abs(now - self._noted_at) >= EVERY

    def note(self, seen: Mapping[Series, Sample], now: datetime) -> None:
        """Take a sample of every series that is known now."""
        self._noted_at = now
        self._samples = {
            series: (*(each for each in self._samples.get(series, ()) if now - WINDOW <= each.at < now), sample)
            for series, sample in seen.items()
        }
        self._trends = {series: trend(samples) for series, samples in self._samples.items()}

    def trend(self, zone: str, audience: Audience | None = None) -> Trend | None:
        """Where a zone, or one audience of it, is going."""
        return self._trends.get((zone, audience))
