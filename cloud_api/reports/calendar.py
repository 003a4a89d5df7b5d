"""The office's calendar: market days and events, from a small TOML file that people keep by hand. Pure.

In comes text, out comes an `OfficeCalendar`, or one `PlacesError` that names every broken line, its field and what was
expected: a calendar that is understood by half would make every comparison unfair without anybody seeing it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from itertools import chain, repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from msgspec.structs import fields

from cloud_api.registry.files.draft import Mistake, Origin, PlacesError
from cloud_api.registry.files.toml import Origins, document, origins_in
from cloud_api.registry.places import Label

WEEKDAYS: Final = MappingProxyType(
    {
        name: number
        for names in (
            ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
            ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        )
        for number, name in enumerate(names)
    }
)
"""What a day is called in the file, and its number; 0 is Monday."""
HOURS: Final = re.compile(
    r"(?P<opens>[01]?\d|2[0-3])[:h](?P<begin>[0-5]\d)-(?!24[:h](?!00))(?P<closes>[01]?\d|2[0-4])[:h](?P<end>[0-5]\d)"
)
WHOLE_DAY: Final = "00:00-24:00"
LONGEST_EVENT: Final = timedelta(days=366)
YEARS: Final = range(2000, 2200)
"""In which an event may be: there is a time before and after it that it can be held against."""
HOURS_A_DAY: Final = 24
DATES: Final = (date, date | None)

Cell = tuple[date, int]
"""A local day and an hour by the town's clock, 0 to 23."""


class Market(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A market that comes back every week. Its days are held against its own days, never against others."""

    name: Label
    weekdays: tuple[str, ...]
    """In French or in English (`samedi`)."""
    start: date | None = field(name="from", default=None)
    """Its first day; None where it was always there."""
    end: date | None = field(name="to", default=None)
    """Its last day, included; None while it lasts."""
    not_on: tuple[date, ...] = ()
    """Days on which it does not take place."""
    also_on: tuple[date, ...] = ()
    """Days on which it takes place besides."""
    places: tuple[str, ...] = ()
    """Counters or streets that it concerns; the whole town when none is named."""

    def on(self, day: date) -> bool:
        """Whether it takes place on a local day."""
        begun = self.start is None or self.start <= day
        lasts = self.end is None or day <= self.end
        weekly = day.weekday() in {WEEKDAYS[name] for name in self.weekdays}
        return day in self.also_on or (begun and lasts and weekly and day not in self.not_on)


class EventKind(StrEnum):
    """What sort of event it is."""

    FESTIVITY = "festivity"
    """A festival, a concert, an illumination."""
    MARKET = "market"
    """A fair, a flea market, a Christmas market: what is not held every week."""
    SALES = "sales"
    SPORT = "sport"
    WORKS = "works"
    """What keeps people away: works, a closed street, a strike."""
    OTHER = "other"


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that makes its days like no others: what is to be measured, and left out of every baseline."""

    name: Label
    start: date = field(name="from")
    """Its first local day."""
    end: date = field(name="to")
    """Its last local day, included."""
    hours: str = WHOLE_DAY
    """Of each day, by the town's clock (`10:00-20:00`); past midnight where it ends before it begins."""
    places: tuple[str, ...] = ()
    """Counters or streets where it takes place; the whole town when none is named."""
    kind: EventKind = EventKind.OTHER

    @property
    def days(self) -> list[date]:
        """Its local days, in order; what it lasts past midnight makes the next one special too."""
        last = self.end + timedelta(days=1) if self._past_midnight else self.end
        return [self.start + timedelta(days=number) for number in range((last - self.start).days + 1)]

    @property
    def cells(self) -> list[Cell]:
        """Its hours, in order; an hour that it touches is one of them."""
        first, last = self._bounds
        begun = [self.start + timedelta(days=number) for number in range((self.end - self.start).days + 1)]
        return [
            (day + timedelta(days=hour // HOURS_A_DAY), hour % HOURS_A_DAY)
            for day in begun
            for hour in range(first, last)
        ]

    @property
    def _past_midnight(self) -> bool:
        return self._bounds[1] > HOURS_A_DAY

    @property
    def _bounds(self) -> tuple[int, int]:
        """First hour, and the hour after the last, counted from midnight; above 24 past the next midnight."""
        found = HOURS.fullmatch(self.hours)
        if found is None:
            raise ValueError(f"hours {self.hours!r}: a time as 10:00-20:00 expected")
        first = int(found["opens"])
        last = int(found["closes"]) + (found["end"] != "00")
        return first, last if last > first else last + HOURS_A_DAY


class OfficeCalendar(Struct, frozen=True, kw_only=True):
    """What the office knows of its days."""

    markets: tuple[Market, ...] = ()
    events: tuple[Event, ...] = ()

    def markets_on(self, day: date, places: Collection[str] = ()) -> tuple[str, ...]:
        """The names of the markets of a local day that concern one of the places, or the town."""
        return tuple(sorted(each.name for each in self.markets if each.on(day) and _concerns(each.places, places)))

    def special_days(self, places: Collection[str] = ()) -> frozenset[date]:
        """The local days of all events that concern one of the places, or the town."""
        concerned = (each for each in self.events if _concerns(each.places, places))
        return frozenset(day for each in concerned for day in each.days)

    def event(self, name: str) -> Event | None:
        """The latest event of a name."""
        return max((each for each in self.events if each.name == name), key=lambda each: each.start, default=None)


def _concerns(its: Collection[str], places: Collection[str]) -> bool:
    return not its or not places or not set(its).isdisjoint(places)


Kind = type[Market] | type[Event]
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({"market": Market, "event": Event})


def load_calendar(file: Path) -> OfficeCalendar:
    """The calendar of a file. Raises `PlacesError`."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PlacesError(file, [Mistake(None, "", f"cannot be read: {error}")]) from error
    return parse_calendar(text, file)


def parse_calendar(text: str, file: Path) -> OfficeCalendar:
    """The calendar that a text describes; `file` is only named in errors. Raises `PlacesError`."""
    tables, origins = document(text, file), origins_in(text)
    expected = " and ".join(f"[[{name}]]" for name in KINDS)
    mistakes = [
        Mistake(origins[name][0].line if name in origins else None, name, f"not known; {expected} expected")
        for name, found in tables.items()
        if name not in KINDS or not isinstance(found, list)
    ]
    if mistakes:
        raise PlacesError(file, mistakes)
    markets, events = (list(zip(tables.get(kind, []), _lines(origins, kind), strict=False)) for kind in KINDS)
    mistakes = [
        *(mistake for values, origin in markets for mistake in _mistakes(Market, values, origin)),
        *(mistake for values, origin in events for mistake in _mistakes(Event, values, origin)),
    ]
    if mistakes:
        raise PlacesError(file, mistakes)
    return OfficeCalendar(
        markets=tuple(msgspec.convert(values, Market) for values, _ in markets),
        events=tuple(msgspec.convert(values, Event) for values, _ in events),
    )


def _lines(origins: Origins, kind: str) -> Iterator[Origin]:
    """Where the entries of a kind stand; those that no line is known of are on the first."""
    return chain(origins.get(kind, []), repeat(Origin(1)))


def _mistakes(type_: Kind, values: Mapping[str, Any], origin: Origin) -> Iterator[Mistake]:
    """What is wrong with one entry: field by field, and then as a whole."""
    known = {each.encode_name: each for each in fields(type_)}
    wrong = [
        *(origin.blame(name, f"not known; one of {', '.join(known)} expected") for name in values if name not in known),
        *(origin.blame(name, "missing") for name, each in known.items() if name not in values and each.required),
        *(
            origin.blame(name, reason)
            for name, each in known.items()
            if name in values and (reason := _misfit(values[name], each.type)) is not None
        ),
    ]
    yield from wrong
    if not wrong:
        yield from (origin.blame(name, reason) for name, reason in _unsound(msgspec.convert(values, type_)))


def _misfit(value: Any, type_: Any) -> str | None:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        expected = "a date as 2026-11-27 expected" if type_ in DATES else str(error)
        return f"{value!r}: {expected}"
    return None


def _unsound(entry: Market | Event) -> Iterator[tuple[str, str]]:
    if entry.start is not None and entry.end is not None and entry.end < entry.start:
        yield "to", f"{entry.end} is before {entry.start}; the last day expected, which is included"
    match entry:
        case Market():
            yield from _unsound_weekdays(entry.weekdays)
        case Event():
            if entry.end - entry.start > LONGEST_EVENT:
                yield "to", f"{entry.end}: an event of a year at most expected"
            if not {entry.start.year, entry.end.year} <= set(YEARS):
                yield "from", f"{entry.start}: an event from {YEARS[0]} to {YEARS[-1]} expected"
            if HOURS.fullmatch(entry.hours) is None:
                yield "hours", f"{entry.hours!r}: hours as 10:00-20:00 expected"


def _unsound_weekdays(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not names:
        yield "weekdays", "none; at least one day such as samedi expected"
    for name in names:
        if name not in WEEKDAYS:
            yield "weekdays", f"{name!r}: a day such as samedi or saturday expected"
