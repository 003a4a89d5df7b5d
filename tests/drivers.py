"""A zone of simulated drivers: three weeks from which a forecast is learned, and a week that it did not see."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from cloud_api.forecast.baselines import as_now, three_weeks
from cloud_api.forecast.days import Calendar
from cloud_api.forecast.distribution import Spaces, outlook
from cloud_api.forecast.model import TREND, Model, learn
from cloud_api.forecast.occupancy import QUARTER, Floats, Occupancy, quarter_of
from cloud_api.forecast.quality import Scored
from firmware_sim.parking import DAY_S, QUIET_START, Drivers, Habits

PARIS = ZoneInfo("Europe/Paris")
CAPACITY = 10
BUSY = Habits(stay_min=35, gap_min=7, at_night=0.25)
MINUTES = (15, 30, 60, 120, 1440)
START = QUIET_START + timedelta(days=28 * 741)
"""A Monday in the small hours: the drivers' rhythm begins anew, so none of its four weeks is seen twice."""
LEARNED = 21 * 96


@dataclass(frozen=True, slots=True)
class Played:
    """What was learned, and how the forecasts of the fourth week did, by lead time in minutes."""

    model: Model
    start: datetime
    """The first moment that was not learned from."""
    scored: dict[int, Scored]


def play(seed: int, every: int, habits: Habits = BUSY) -> Played:
    """Learn from three weeks, and forecast at every n-th quarter-hour of the fourth."""
    taken = _taken(seed, habits)
    past = Occupancy(quarter_of(START), taken / CAPACITY)
    begin = START + LEARNED * QUARTER
    model = learn(Occupancy(past.first, past.share[:LEARNED]), CAPACITY, Calendar(None), PARIS)
    assert model is not None
    moments = range(LEARNED, len(taken) - max(MINUTES) // 15, every)
    rows = {minutes: [_forecast(model, past, now, minutes) for now in moments] for minutes in MINUTES}
    return Played(model, begin, {minutes: _scored(np.array(row)) for minutes, row in rows.items()})


def _forecast(model: Model, past: Occupancy, now: int, minutes: int) -> tuple[float, ...]:
    at = START + now * QUARTER
    free = _free(past, now)
    earlier = float(past.share[now - TREND])
    seen = outlook(model.numbers(at, Spaces(free, CAPACITY - free), earlier, np.array([float(minutes)])))
    weeks = three_weeks(past, at + timedelta(minutes=minutes), CAPACITY, PARIS)
    assert weeks is not None
    came = _free(past, now + minutes // 15)
    return float(seen.probability[0]), as_now(free), weeks.probability, float(seen.low[0]), float(seen.high[0]), came


def _scored(rows: Floats) -> Scored:
    model, now, weeks, low, high, came = rows.T
    return Scored(model, now, weeks, low.astype(np.int64), high.astype(np.int64), came.astype(np.int64))


def _free(past: Occupancy, index: int) -> int:
    return CAPACITY - round(float(past.share[index]) * CAPACITY)


def _taken(seed: int, habits: Habits) -> Floats:
    """float64[quarter]: occupied bays at the beginning of each quarter-hour of four weeks."""
    instants = START.timestamp() + np.arange(28 * DAY_S // 900) * 900
    taken = np.zeros(len(instants))
    for bay in range(CAPACITY):
        drivers = Drivers(f"bay-{bay}", habits, seed)
        changes = drivers.changes_between(START, START + timedelta(days=28))
        at = np.array([change.at.timestamp() for change in changes])
        changed = np.searchsorted(at, instants, side="right")
        taken += (changed % 2 == 1) ^ drivers.occupied(START - timedelta(seconds=1))
    return taken
