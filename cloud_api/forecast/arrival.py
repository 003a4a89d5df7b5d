"""What a driver is told who arrives later: one method's word for each lead time, and why it is that method's.

In come what was learned of a zone, its present and the time; out come probabilities and intervals, or null with the
cause. Served is the model; where past forecasts of about this lead time were worse than a baseline, that. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from cloud_api.forecast.baselines import UNMOVED, three_weeks, unchanged
from cloud_api.forecast.closed import Closed
from cloud_api.forecast.distribution import Said, Spaces, outlook
from cloud_api.forecast.model import TREND, Model
from cloud_api.forecast.occupancy import QUARTER, Occupancy, quarter_of
from cloud_api.forecast.present import Present
from cloud_api.forecast.quality import DIGITS, Method
from cloud_api.forecast.record import BY_THE_MODEL, LeadQuality
from cloud_api.trust import Cause, Trust

JUDGED: Final = (15, 30, 60, 120, 180)
"""Lead times, in minutes, whose forecasts are kept and judged; any other is served as the nearest of them."""
SHORTEST_MINUTES: Final = 5
LONGEST_MINUTES: Final = 180
NOTHING: Final = Occupancy(0, np.empty(0))


class Known(Struct, frozen=True, kw_only=True, eq=False):
    """What was learned of one zone."""

    past: Occupancy = NOTHING
    model: Model | None = None
    learned_at: datetime | None = None
    judged: Mapping[int, LeadQuality] = {}
    """By lead time."""


class Weighed(Struct, frozen=True, kw_only=True):
    """What each method says, and whose word is served."""

    model: Said
    as_now: Said
    usual: Said | None
    """None where nothing is known of the last three weeks."""
    serves: Method

    @property
    def served(self) -> Said:
        """The word that is served."""
        words = {Method.MODEL: self.model, Method.AS_NOW: self.as_now, Method.USUAL: self.usual or self.model}
        return words[self.serves]


class Arrival(Struct, frozen=True, kw_only=True):
    """What can be said of one moment of arrival. `low <= expected <= high`; all are null where nothing can be said."""

    minutes: int
    """From `last_updated` on."""
    at: datetime
    """The arrival, UTC."""
    probability: float | None
    """That at least one space is free, 0 to 1."""
    expected: int | None
    """How many spaces will be free, on average."""
    low: int | None
    """With 80 % probability at least so many are free …"""
    high: int | None
    """… and at most so many; 0 to the zone's capacity."""
    method: Method | None
    """Whose word it is: the model's, or that of the baseline than which the model was worse."""
    why: Cause
    """Why it is that method's word, or why nothing can be said."""


NO_HISTORY: Final = Cause(
    "pas encore d’historique : il faut au moins un jour d’observations",
    "no history yet: it takes at least one day of observations",
)
NONE_LEFT: Final = Cause("aucune de ses places ouvertes n’est connue", "nothing is known of the spaces left open")


class Lead(Struct, frozen=True):
    """One lead time, and what is known of the spaces that will be open then."""

    minutes: int
    spaces: Spaces


def arrivals(
    known: Known, seen: Present, closed: Mapping[int, Closed], zone: str, now: datetime, tz: ZoneInfo
) -> tuple[Arrival, ...]:
    """What can be said of arrivals at `zone`; `closed`: by lead time in minutes, what will be closed then."""
    leads = [Lead(minutes, seen.spaces(places)) for minutes, places in closed.items()]
    silent = {
        lead.minutes: why
        for lead in leads
        if (why := _silence(known, seen, closed[lead.minutes].get(zone), lead.spaces)) is not None
    }
    spoken = [lead for lead in leads if lead.minutes not in silent]
    told = {lead.minutes: each for lead, each in zip(spoken, weigh(known, spoken, now, tz), strict=True)}
    return tuple(
        _told(known, minutes, told[minutes], now) if minutes in told else _nothing(minutes, silent[minutes], now)
        for minutes in closed
    )


def weigh(known: Known, leads: Sequence[Lead], now: datetime, tz: ZoneInfo) -> list[Weighed]:
    """What each method says, for each lead time; the zone has a model."""
    if known.model is None or not leads:
        return []
    earlier = known.past.at(quarter_of(now - TREND * QUARTER))
    minutes = np.array([float(lead.minutes) for lead in leads])
    words = {
        spaces: outlook(known.model.numbers(now, spaces, earlier, minutes))
        for spaces in {each.spaces for each in leads}
    }
    return [_weighed(known, lead, words[lead.spaces].said(index), now, tz) for index, lead in enumerate(leads)]


def _weighed(known: Known, lead: Lead, model: Said, now: datetime, tz: ZoneInfo) -> Weighed:
    quality = known.judged.get(nearest(lead.minutes))
    usual = three_weeks(known.past, now + timedelta(minutes=lead.minutes), lead.spaces.known, tz)
    serves = Method.MODEL if quality is None else quality.serves
    return Weighed(
        model=model,
        as_now=unchanged(lead.spaces.free, lead.spaces.known, UNMOVED if quality is None else quality.moved),
        usual=usual,
        serves=Method.MODEL if serves is Method.USUAL and usual is None else serves,
    )


def nearest(minutes: int) -> int:
    """The judged lead time that stands for another."""
    return min(JUDGED, key=lambda each: abs(each - minutes))


def _silence(known: Known, seen: Present, closing: Cause | None, spaces: Spaces) -> Cause | None:
    """Why nothing can be said of that moment; None when something can."""
    if closing is not None:
        return closing
    if seen.verdict.trust is not Trust.FRESH:
        return seen.verdict.cause or NONE_LEFT
    if not spaces.known:
        return NONE_LEFT
    return NO_HISTORY if known.model is None else None


def _told(known: Known, minutes: int, weighed: Weighed, now: datetime) -> Arrival:
    said, quality = weighed.served, known.judged.get(nearest(minutes))
    return Arrival(
        minutes=minutes,
        at=now + timedelta(minutes=minutes),
        probability=round(said.probability, DIGITS),
        expected=min(max(round(said.expected), said.low), said.high),
        low=said.low,
        high=said.high,
        method=weighed.serves,
        why=BY_THE_MODEL if quality is None or weighed.serves is Method.MODEL else quality.why,
    )


def _nothing(minutes: int, why: Cause, now: datetime) -> Arrival:
    return Arrival(
        minutes=minutes,
        at=now + timedelta(minutes=minutes),
        probability=None,
        expected=None,
        low=None,
        high=None,
        method=None,
        why=why,
    )
