"""What needs no forecasting: as it is now, and as it was at this hour in the last three weeks. Pure."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from cloud_api.forecast.distribution import HIGH, LOW, Said
from cloud_api.forecast.occupancy import Floats, Occupancy, quarter_of

WEEKS: Final = 3
QUARTERS_AN_HOUR: Final = 4
UNMOVED: Final = (0, 0)


def as_now(free: int) -> float:
    """The probability of at least one free space, if nothing changes."""
    return float(free > 0)


def unchanged(free: int, spaces: int, moved: tuple[int, int]) -> Said:
    """As many of `spaces` are free as now; `moved` are the 10 % and 90 % quantiles of what came of it in the past."""
    low, high = (min(max(free + each, 0), spaces) for each in moved)
    return Said(probability=as_now(free), expected=float(free), low=min(low, free), high=max(high, free))


def three_weeks(past: Occupancy, at: datetime, spaces: int, zone: ZoneInfo) -> Said | None:
    """What was so of `spaces` in the local hour of `at`, one, two and three weeks before; None where nobody knows."""
    free = np.round(spaces * (1 - _last_hours(past, at, zone)))
    known = free[~np.isnan(free)]
    if not len(known):
        return None
    low, high = np.quantile(known, (LOW, HIGH), method="inverted_cdf")
    return Said(probability=float(np.mean(known > 0)), expected=float(np.mean(known)), low=int(low), high=int(high))


def _last_hours(past: Occupancy, at: datetime, zone: ZoneInfo) -> Floats:
    """float64[quarter]: the share of occupied spaces in those hours."""
    hour = at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    starts = [quarter_of(hour - timedelta(weeks=weeks)) for weeks in range(1, WEEKS + 1)]
    return np.array([past.at(start + quarter) for start in starts for quarter in range(QUARTERS_AN_HOUR)])
