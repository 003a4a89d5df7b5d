"""Streets whose truth is known: what came without the event, and how many the event brought.

Days share their weather, which lasts; each street has its own chance by day, drifts over weeks, and its hours scatter
more than chance alone would have them.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import numpy as np

from cloud_api.reports.hours import Floats, Hours, make_hours
from tests.drivers import PARIS

FIRST = date(2024, 1, 1)
"""A Monday."""
DAYS = 3 * 365
RHYTHM = np.clip(np.sin((np.arange(24) - 6) / 17 * np.pi), 0.02, None) ** 1.5
WEEK = np.array([0.8, 0.9, 1.0, 1.0, 1.15, 1.5, 0.6])
PER_HOUR = 400.0
SCATTER = 40.0
"""Passages of an hour scatter as of a negative binomial distribution of this size."""


def streets(count: int, seed: int) -> list[Hours]:
    """So many streets of one town over three years, without any event."""
    random = np.random.default_rng(seed)
    weather = _lasting(random, 0.5, 0.12) + np.where(_lasting(random, 0.4, 1.0) > 1.3, -0.25, 0.0)
    season = 0.12 * np.sin(np.arange(DAYS) / 365 * 2 * np.pi)
    return [_street(random, weather + season) for _ in range(count)]


def with_event(street: Hours, first: date, days: int, uplift: float, seed: int) -> tuple[Hours, int]:
    """The street with so much more from 10:00 to 20:00 on some days, and how many people that were."""
    hours = (street.hour >= 10) & (street.hour < 20)
    its = hours & (street.day >= first.toordinal()) & (street.day < first.toordinal() + days)
    brought = np.random.default_rng(seed).poisson(np.where(its, street.in_ * uplift, 0.0))
    return replace(street, in_=street.in_ + brought), int(brought.sum())


def _street(random: np.random.Generator, shared: Floats) -> Hours:
    own = random.normal(0, 0.08, DAYS) + _lasting(random, float(np.exp(-1 / 28)), 0.06)
    by_day = np.exp(shared + own) * WEEK[np.arange(DAYS) % 7] * PER_HOUR * random.lognormal(0, 0.7)
    by_hour = by_day[_row()] * RHYTHM[_hour()]
    counts = random.poisson(by_hour * random.gamma(SCATTER, 1 / SCATTER, len(by_hour))).astype(np.float64)
    return replace(_empty(), in_=counts)


def _lasting(random: np.random.Generator, share: float, spread: float) -> Floats:
    """float64[day] of which so much lasts until the next day."""
    shocks = random.normal(0, spread, DAYS)
    for day in range(1, DAYS):
        shocks[day] = share * shocks[day - 1] + np.sqrt(1 - share**2) * shocks[day]
    return shocks


@cache
def _empty() -> Hours:
    first, last = (datetime.combine(day, time.min, PARIS) for day in (FIRST, FIRST + timedelta(days=DAYS)))
    count = round((last.timestamp() - first.timestamp()) / 3600)
    return make_hours(
        [first.astimezone(UTC) + timedelta(hours=number) for number in range(count)],
        PARIS,
        in_=np.zeros(count),
        out=np.full(count, np.nan),
        coverage=np.ones(count),
        sound=np.ones(count, dtype=np.bool_),
    )


def _row() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return _empty().day - FIRST.toordinal()


def _hour() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return _empty().hour
