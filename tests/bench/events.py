"""How often the interval of an event's uplift covers the truth, and how often an effect is told where there is none.

First on simulated streets, whose weather lasts and is shared, whose level drifts and whose hours scatter; then on
Auckland's real ones, on ordinary days, and with three tenths more put onto them.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice

import numpy as np
from msgspec import Struct

from cloud_api.forecast.days import Calendar
from cloud_api.plausibility import Street
from cloud_api.reports.calendar import Event, OfficeCalendar
from cloud_api.reports.event_effect import Days, street_effect
from cloud_api.reports.events import RATE, CannotTell, Told, Uplift
from cloud_api.reports.hours import Hours
from cloud_api.reports.quality import judged
from tests import auckland
from tests.bench.table import Row
from tests.streets import DAYS, FIRST, streets, with_event

LENGTHS = (1, 2, 4, 10, 28)
"""Days of an event."""
EVENTS = 200
UPLIFT = 0.3
TOWNS, STREETS = 12, 4
SEED = 41
"""Nothing in `cloud_api/reports/baseline.py` was chosen on it."""
REAL_FROM, REAL_DAYS = date(2022, 7, 1), 1000
"""Between the end of the pandemic's restrictions and the new cameras of March 2025."""

Case = tuple[Hours, Days, Event, int]
"""A street with an event, its calendars, the event, and how many people it brought."""
Draw = Callable[[np.random.Generator, int, float], Case | None]
"""A street with an event of so many days that brings so much; None where the days drawn are not ordinary."""


class Outcome(Struct, frozen=True):
    """What came of many events."""

    covered: float
    """Share of intervals that hold the truth."""
    told: float
    """Share of answers that tell of an effect."""
    half_width: float
    """Median of half the interval, as a share of the expectation."""
    cannot: float
    """Share that cannot be told."""
    hours_covered: float
    """Of the intervals hour by hour, where nothing was brought."""


def rows() -> Iterator[Row]:
    """The figures of this file."""
    for name, draw in (("simulated", _simulated()), ("real", _real())):
        for days in LENGTHS:
            for brings in (0.0, UPLIFT):
                yield from _rows(f"{name} streets, {days} days, {brings:+.0%}", outcome(draw, days, brings), brings)


def _rows(what: str, found: Outcome, brings: float) -> Iterator[Row]:
    yield Row(f"{what}: intervals that cover the truth", 100 * found.covered, "%", 100 * RATE, "as stated")
    if not brings:
        yield Row("  an effect is told where there is none", 100 * found.told, "%", 100 - 100 * RATE, "at most")
        yield Row(
            "  intervals hour by hour that cover the truth", 100 * found.hours_covered, "%", 100 * RATE, "as stated"
        )
    else:
        yield Row("  the effect is told", 100 * found.told, "%")
    yield Row("  half an interval, of the expectation", 100 * found.half_width, "%")
    yield Row("  cannot be told", 100 * found.cannot, "%")


def outcome(draw: Draw, days: int, brings: float) -> Outcome:
    """What comes of `EVENTS` events of so many days that bring so much."""
    random = np.random.default_rng((SEED, days))
    drawn = (draw(random, days, brings) for _ in iter(int, 1))
    cases = islice((case for case in drawn if case is not None), EVENTS)
    results = [(street_effect("a street", street, event, its), truth) for street, its, event, truth in cases]
    answers = [(effect.whole, truth) for effect, truth in results if isinstance(effect.whole, Uplift)]
    hours = [hour.answer for effect, _ in results for hour in effect.by_hour if isinstance(hour.answer, Uplift)]
    return Outcome(
        covered=float(np.mean([each.gained_low <= truth <= each.gained_high for each, truth in answers])),
        told=float(np.mean([each.told is not Told.USUAL for each, _ in answers])),
        half_width=float(np.median([(each.high - each.low) / 2 / each.expected for each, _ in answers])),
        cannot=float(np.mean([isinstance(effect.whole, CannotTell) for effect, _ in results])),
        hours_covered=float(np.mean([each.told is Told.USUAL for each in hours])),
    )


def _event(first: date, days: int) -> Event:
    return Event(name="placebo", start=first, end=first + timedelta(days=days - 1), hours="10:00-20:00")


def _simulated() -> Draw:
    town = [street for number in range(TOWNS) for street in streets(STREETS, seed=SEED + number)]
    days = Days(Calendar(None), OfficeCalendar())

    def draw(random: np.random.Generator, length: int, brings: float) -> Case:
        first = FIRST + timedelta(days=int(random.integers(370, DAYS - 100)))
        street = town[random.integers(len(town))]
        spoilt, truth = with_event(street, first, length, brings, seed=int(random.integers(2**31)))
        return spoilt, days, _event(first, length), truth

    return draw


def _real() -> Draw:
    calendar = auckland.NewZealand()
    street_of = Street(mode="pedestrian", in_="in", out="out", zone=auckland.AUCKLAND)
    town = [judged(hours, street_of).hours for hours in auckland.streets().values()]
    days = Days(calendar, OfficeCalendar())

    def draw(random: np.random.Generator, length: int, brings: float) -> Case | None:
        event = _event(REAL_FROM + timedelta(days=int(random.integers(REAL_DAYS))), length)
        street = town[random.integers(len(town))]
        if any(calendar.is_public_holiday(day) for day in event.days):
            return None
        its = (street.day >= event.start.toordinal()) & (street.day <= event.end.toordinal())
        open_ = its & (street.hour >= 10) & (street.hour < 20) & street.measured
        brought = random.poisson(np.where(open_, np.nan_to_num(street.in_) * brings, 0.0))
        return replace(street, in_=street.in_ + brought), days, event, int(brought.sum())

    return draw
