"""What needs no forecasting: as it is now, and as it was at this hour in the last three weeks. Pure."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from cloud_api.forecast.occupancy import Floats, Occupancy, quarter_of

WEEKS: Final = 3
QUARTERS_AN_HOUR: Final = 4


def as_now(free: int) -> float:
    """The probability of at least one free space, if nothing changes."""
    return float(free > 0)


def three_weeks(past: Occupancy, at: datetime, capacity: int, zone: ZoneInfo) -> tuple[float, float]:
    """The probability of at least one free space of `capacity`, and their mean number; NaN where nothing is known.

    It is what was so in the local hour of `at`, one, two and three weeks before.
    """
    free = np.round(capacity * (1 - _last_hours(past, at, zone)))
    known = free[~np.isnan(free)]
    return (float(np.mean(known > 0)), float(np.mean(known))) if len(known) else (float("nan"), float("nan"))


def _last_hours(past: Occupancy, at: datetime, zone: ZoneInfo) -> Floats:
    """float64[quarter]: the share of occupied spaces in those hours."""
    hour = at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    starts = [quarter_of(hour - timedelta(weeks=weeks)) for weeks in range(1, WEEKS + 1)]
    return np.array([past.at(start + quarter) for start in starts for quarter in range(QUARTERS_AN_HOUR)])
