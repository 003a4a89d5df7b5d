"""What an event brought: what was counted, against what comparable days lead to expect. Pure; `docs/indicators.md`.

In come the hours of streets, as much of their history as there is, the event and the calendars; out comes an uplift
with its interval, or that it cannot be told, with the reason. What lies within the spread of comparable days is told as
usual, not as an effect.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from cloud_api.forecast.days import Calendar
from cloud_api.reports.baseline import Asked, DayKind, DayTable, Expected, SeasonDays, day_table, expected
from cloud_api.reports.calendar import Cell, Event, OfficeCalendar
from cloud_api.reports.events import (
    RATE,
    Answer,
    CannotTell,
    DayNotComparable,
    Doubt,
    EventEffect,
    HourOfEvent,
    StreetEffect,
    Uplift,
    WhyNot,
)
from cloud_api.reports.flow_indicators import HOURS_A_DAY, hours_in
from cloud_api.reports.hours import Hours, Ints, added_up
from cloud_api.trust import Cause

SEASON: Final = timedelta(days=56)
"""Days at most so long before and after an event are of its season."""
YEARS: Final = (0, -1, 1)
"""Seasons that are looked at: that of the event, the one a year before and the one a year after."""
LEAST_COVERAGE: Final = 0.8
"""So much of an event's hours must have been measured, and have comparable days."""
LEAST_EXPECTED: Final = 30.0
"""Passages; below it chance alone makes any difference."""
ADVENT_BEGINS: Final = timedelta(days=22)
"""Christmas shopping begins on the Saturday before the first Sunday in Advent, so long before the fourth."""
TOGETHER: Final = "*"
"""The name of all streets of an event together."""


@dataclass(frozen=True, slots=True)
class Days:
    """What kind of day each is, and which are like no other."""

    calendar: Calendar
    office: OfficeCalendar

    def kind(self, day: date) -> DayKind:
        """What makes a local day comparable with another."""
        its = self.calendar.kind(day)
        return DayKind(its.weekday, its.school_holiday, christmas_shopping(day), self.office.markets_on(day))


def christmas_shopping(day: date) -> bool:
    """Whether a day lies between the Saturday before Advent and New Year's Eve."""
    christmas = date(day.year, 12, 25)
    fourth_sunday = christmas - timedelta(days=christmas.isoweekday())
    return fourth_sunday - ADVENT_BEGINS <= day


@dataclass(frozen=True, slots=True)
class _Season:
    """A street's days around an event, in its own year and in others."""

    zone: ZoneInfo
    table: DayTable
    event: Event
    kinds: Mapping[date, DayKind]
    """Of the season's days and of the event's."""
    ordinary: SeasonDays
    special: tuple[date, ...]


def effect_of(
    event: Event, streets: Mapping[str, Hours], elsewhere: Mapping[str, Hours], days: Days, rate: float = RATE
) -> EventEffect:
    """What an event did in its streets, by their names, and in streets without it; all over the event's hours.

    Hours are all that is known of a street, as `quality.judged` left them. Raises `ValueError` without a street.
    """
    all_of_them = 1 - (1 - rate) / max(len(elsewhere), 1)
    return EventEffect(
        event=event,
        whole=street_effect(TOGETHER, added_up(list(streets.values())), event, days, rate),
        streets=tuple(street_effect(name, hours, event, days, rate) for name, hours in streets.items()),
        elsewhere=tuple(street_effect(name, hours, event, days, all_of_them) for name, hours in elsewhere.items()),
    )


def street_effect(street: str, hours: Hours, event: Event, days: Days, rate: float = RATE) -> StreetEffect:
    """What an event did in one street."""
    season, cells = _season(hours, event, days), event.cells
    whole = _expected(season, cells, rate)
    comparable = () if whole is None else tuple(map(date.fromordinal, whole.comparable.tolist()))
    by_hour = dict.fromkeys(hour for _, hour in cells)
    return StreetEffect(
        street=street,
        whole=_answer(season, cells, whole, rate),
        by_hour=tuple(_of_hour(season, hour, [cell for cell in cells if cell[1] == hour], rate) for hour in by_hour),
        comparable=comparable,
        left_out=tuple(_left_out(season, set(comparable))),
    )


def _of_hour(season: _Season, hour: int, cells: Sequence[Cell], rate: float) -> HourOfEvent:
    return HourOfEvent(hour, _answer(season, cells, _expected(season, cells, rate), rate))


def _season(hours: Hours, event: Event, days: Days) -> _Season:
    table = day_table(hours)
    around = dict(_around(event, table))
    kinds = {day: days.kind(day) for day in (*around, *event.days)}
    special = days.office.special_days() | set(event.days)
    return _Season(
        zone=hours.zone,
        table=table,
        event=event,
        kinds=kinds,
        ordinary=_days(event, kinds, {day: years for day, years in around.items() if day not in special}),
        special=tuple(sorted(day for day in around if day in special and day not in event.days)),
    )


def _days(event: Event, kinds: Mapping[date, DayKind], years: Mapping[date, int]) -> SeasonDays:
    """Days with how many years each lies apart."""
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds.values()))}
    return SeasonDays(
        day=_ints(day.toordinal() for day in years),
        kind=_ints(numbers[kinds[day]] for day in years),
        weekday=_ints(kinds[day].weekday for day in years),
        years=_ints(years.values()),
        position=np.array([_position(event, day, apart) for day, apart in years.items()], dtype=np.float64),
    )


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)


def _around(event: Event, table: DayTable) -> Iterator[tuple[date, int]]:
    """The days of the season that the street's history has, and how many years each lies apart."""
    known = range(table.first, table.first + len(table.counts))
    seen: set[int] = set()
    for years in YEARS:
        first, last = (_shifted(day, years) for day in (event.start - SEASON, event.days[-1] + SEASON))
        for number in range(max(first.toordinal(), known.start), min(last.toordinal() + 1, known.stop)):
            if number not in seen:
                seen.add(number)
                yield date.fromordinal(number), years


def _shifted(day: date, years: int) -> date:
    return day.replace(year=day.year + years, day=min(day.day, 28) if day.month == 2 else day.day)


def _position(event: Event, day: date, years: int) -> float:
    """How far into the season, from -1 to 1 and a little beyond; 0 is the middle of the event."""
    middle = _shifted(event.start + (event.end - event.start) / 2, years)
    return (day - middle) / SEASON


def _expected(season: _Season, cells: Sequence[Cell], rate: float) -> Expected | None:
    asked = _asked(season, cells)
    return expected(season.table, asked, season.ordinary, rate) if asked.hours else None


def _asked(season: _Season, cells: Sequence[Cell]) -> Asked:
    """The measured hours among some of the event's, by day."""
    hours: dict[date, tuple[int, ...]] = {}
    for day in dict.fromkeys(day for day, _ in cells):
        its = [hour for each, hour in cells if each == day]
        measured = np.flatnonzero(~np.isnan(season.table.of(day, its)))
        if len(measured):
            hours[day] = tuple(its[each] for each in measured)
    return Asked(_days(season.event, season.kinds, dict.fromkeys(hours, 0)), tuple(hours.values()))


def _hours_of(asked: Asked) -> int:
    return sum(map(len, asked.hours))


def _answer(season: _Season, cells: Sequence[Cell], found: Expected | None, rate: float) -> Answer:
    doubt = _doubt_about_data(season, cells) or _doubt_about_days(season, cells, found)
    if doubt is not None or found is None:
        return doubt or _NOTHING
    if found.median < LEAST_EXPECTED:
        return _cannot(
            Doubt.FEW_PEOPLE,
            f"d’ordinaire {found.median:.0f} passages à ces heures : trop peu pour conclure",
            f"usually {found.median:.0f} passages in these hours: too few to tell",
        )
    return Uplift(
        counted=round(_counted(season, found.asked)),
        expected=found.median,
        low=found.low,
        high=found.high,
        rate=rate,
        comparable_days=len(found.comparable),
        hours=len(cells),
        measured=_hours_of(found.asked),
    )


def _counted(season: _Season, asked: Asked) -> float:
    days = map(date.fromordinal, asked.days.day.tolist())
    return sum(float(season.table.of(day, hours).sum()) for day, hours in zip(days, asked.hours, strict=True))


def _doubt_about_data(season: _Season, cells: Sequence[Cell]) -> CannotTell | None:
    measured = _hours_of(_asked(season, cells))
    last_known = season.table.first + len(season.table.counts) - 1
    last = max(cells)[0]
    if len(season.table.counts) and last.toordinal() > last_known:
        known = date.fromordinal(last_known)
        return _cannot(
            Doubt.NOT_OVER,
            f"l’événement dure jusqu’au {last:%d/%m/%Y}, les mesures s’arrêtent au {known:%d/%m/%Y}",
            f"the event lasts until {last}, measurements end on {known}",
        )
    if not measured:
        return _NOTHING
    if measured < LEAST_COVERAGE * len(cells):
        return _cannot(
            Doubt.MISSING_HOURS,
            f"mesures fiables pour {measured} des {len(cells)} heures de l’événement",
            f"sound measurements for {measured} of the event’s {len(cells)} hours",
        )
    return None


def _doubt_about_days(season: _Season, cells: Sequence[Cell], found: Expected | None) -> CannotTell | None:
    days = len({day for day, _ in cells})
    ordinary = int((~np.isnan(season.table.counts[season.ordinary.day - season.table.first])).any(axis=1).sum())
    if ordinary < days:
        return _cannot(
            Doubt.LONGER_THAN_HISTORY,
            f"l’événement dure {days} jours, l’historique n’a que {ordinary} jours ordinaires dans cette saison",
            f"the event lasts {days} days, the history has only {ordinary} ordinary days in this season",
        )
    compared = 0 if found is None else _hours_of(found.asked)
    if compared < LEAST_COVERAGE * len(cells):
        return _cannot(
            Doubt.FEW_DAYS,
            f"trop peu de jours comparables : {compared} des {len(cells)} heures de l’événement peuvent être comparées",
            f"too few comparable days: {compared} of the event’s {len(cells)} hours can be compared",
        )
    return None


def _cannot(doubt: Doubt, fr: str, en: str) -> CannotTell:
    return CannotTell(doubt, Cause(fr, en))


_NOTHING: Final = _cannot(
    Doubt.NO_DATA, "rien n’a été mesuré pendant l’événement", "nothing was measured during the event"
)


def _left_out(season: _Season, comparable: Collection[date]) -> Iterator[DayNotComparable]:
    kinds = {season.kinds[day] for day in season.event.days}
    ordinary = [date.fromordinal(day) for day in season.ordinary.day.tolist()]
    why = [
        *((day, WhyNot.EVENT) for day in season.special),
        *((day, _why_not(season, day, kinds)) for day in ordinary if day not in comparable),
    ]
    yield from (DayNotComparable(day, reason) for day, reason in sorted(why))


def _why_not(season: _Season, day: date, kinds: Collection[DayKind]) -> WhyNot:
    if season.kinds[day] not in kinds:
        return WhyNot.OTHER_KIND
    return WhyNot.NOT_MEASURED if hours_in(day, season.zone) == HOURS_A_DAY else WhyNot.CLOCK_CHANGE
