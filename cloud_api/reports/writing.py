"""How a language writes figures, dates and periods. Pure.

French as the Imprimerie nationale sets it: narrow no-break spaces between thousands and before high punctuation, a
comma for decimals, guillemets, `1er`.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from math import isnan
from types import MappingProxyType
from typing import Final

from cloud_api.reports.report import Cell, Language, Span, Unit
from cloud_api.trust import Cause

NARROW: Final = "\u202f"
WIDE: Final = "\u00a0"
MINUS: Final = "\u2212"
UNKNOWN: Final = "–"
HIGH_PUNCTUATION: Final = re.compile(r"[ \u00a0](?=[;!?])")
COLON: Final = re.compile(r" (?=:)")
OPENING: Final = re.compile(r"« ")
CLOSING: Final = re.compile(r" »")

DECIMALS: Final = MappingProxyType({Unit.SHARE: 1, Unit.CHANGE: 1, Unit.PER_HOUR: 1, Unit.PER_SPACE_AND_DAY: 2})
"""Of a figure that is not whole; the others have none."""


@dataclass(frozen=True, slots=True)
class Writing:
    """One language's way."""

    language: Language
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    weekdays: tuple[str, ...]
    """From Monday on."""
    units: MappingProxyType[Unit, str]
    """What stands after a figure, where it does not stand in its column's head."""

    @property
    def is_french(self) -> bool:
        """Whether it is French."""
        return self.language is Language.FRENCH

    def say(self, fr: str, en: str) -> str:
        """The sentence in this language, with its spaces where lines must not break."""
        return typeset(fr) if self.is_french else en

    def cause(self, cause: Cause) -> str:
        """Why, in this language."""
        return self.say(cause.fr, cause.en)

    def number(self, value: float, decimals: int = 0) -> str:
        """A figure with its thousands apart."""
        text = f"{abs(value):,.{decimals}f}"
        sign = MINUS if value < 0 and text.strip("0.,") else ""
        return sign + (text.replace(",", NARROW).replace(".", ",") if self.is_french else text)

    def share(self, value: float, decimals: int = 1) -> str:
        """A percentage."""
        return self.number(100 * value, decimals) + (f"{NARROW}%" if self.is_french else "%")

    def change(self, value: float) -> str:
        """How much more or less, in percent, with its sign."""
        return ("+" if value > 0 else "") + self.share(value)

    def length(self, hours: float) -> str:
        """`10 h 05`, of a length of time."""
        minutes = round(60 * hours)
        return f"{minutes // 60}{NARROW}h{NARROW}{minutes % 60:02d}"

    def day(self, day: date) -> str:
        """`1er novembre 2026`, `1 November 2026`."""
        return f"{self._day_of_month(day)} {self.months[day.month - 1]} {day.year}"

    def long_day(self, day: date) -> str:
        """`dimanche 1er novembre 2026`."""
        return f"{self.weekdays[day.weekday()]} {self.day(day)}"

    def short_day(self, day: date) -> str:
        """`dim. 1/11/2026`, `Sun 2026-11-01`."""
        name = self.weekdays[day.weekday()][:3]
        return f"{name}. {day:%d/%m/%Y}" if self.is_french else f"{name} {day.isoformat()}"

    def short_month(self, day: date) -> str:
        """`nov. 2026`, `Nov 2026`: on an axis."""
        return f"{self.short_months[day.month - 1]} {day.year}"

    def month(self, day: date) -> str:
        """`novembre 2026`."""
        return f"{self.months[day.month - 1]} {day.year}"

    def instant(self, at: datetime) -> str:
        """`1er novembre 2026 à 8 h 05`; the offset is told where the clock alone would not say."""
        clock = f"{at.hour}{NARROW}h{NARROW}{at.minute:02d}" if self.is_french else f"{at:%H:%M}"
        return f"{self.day(at)}{' à' if self.is_french else ','} {clock}"

    def span(self, span: Span) -> str:
        """`du 1er au 30 novembre 2026`; one day by its name; hours only where they are cut."""
        if (span.start.hour, span.start.minute, span.end.hour, span.end.minute) != (0, 0, 0, 0):
            return self.say(
                f"du {self.instant(span.start)} au {self.instant(span.end)}",
                f"from {self.instant(span.start)} to {self.instant(span.end)}",
            )
        first, last = span.start.date(), span.last_day
        if first == last:
            return self.say(f"le {self.long_day(first)}", f"on {self.long_day(first)}")
        if (first.year, first.month) == (last.year, last.month):
            begin = self._day_of_month(first)
        elif first.year == last.year:
            begin = f"{self._day_of_month(first)} {self.months[first.month - 1]}"
        else:
            begin = self.day(first)
        return self.say(f"du {begin} au {self.day(last)}", f"from {begin} to {self.day(last)}")

    def cell(self, value: Cell, unit: Unit) -> str:
        """A figure of a unit as a table has it: its column says the unit."""
        match value:
            case None:
                return UNKNOWN
            case str():
                return value
            case datetime():
                return self.instant(value)
            case date():
                return self.month(value) if unit is Unit.MONTH else self.short_day(value)
            case _:
                return self._figure(value, unit)

    def figure(self, value: Cell, unit: Unit) -> str:
        """A figure with its unit behind it."""
        text, behind = self.cell(value, unit), self.units.get(unit, "")
        return f"{text}{WIDE}{behind}" if behind and value is not None and text != UNKNOWN else text

    def _figure(self, value: float, unit: Unit) -> str:
        if isnan(value):
            return UNKNOWN
        if unit is Unit.SHARE:
            return self.share(value)
        if unit is Unit.CHANGE:
            return self.change(value)
        whole = isinstance(value, int)
        return self.number(value, 0 if whole else DECIMALS.get(unit, 0))

    def _day_of_month(self, day: date) -> str:
        return "1er" if self.is_french and day.day == 1 else str(day.day)


def typeset(french: str) -> str:
    """A French sentence with its spaces where lines must not break: narrow before `;`, `!`, `?`, wide before `:`."""
    text = HIGH_PUNCTUATION.sub(NARROW, french)
    text = COLON.sub(WIDE, text)
    return CLOSING.sub(f"{NARROW}»", OPENING.sub(f"«{NARROW}", text))


FRENCH: Final = Writing(
    language=Language.FRENCH,
    months=(
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
    short_months=(
        "janv.",
        "févr.",
        "mars",
        "avr.",
        "mai",
        "juin",
        "juil.",
        "août",
        "sept.",
        "oct.",
        "nov.",
        "déc.",
    ),
    weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    units=MappingProxyType(
        {
            Unit.PASSAGES: "passages",
            Unit.PER_DAY: "passages par jour",
            Unit.PER_HOUR: "passages par heure",
            Unit.HOURS: "h",
            Unit.DAYS: "jours",
            Unit.MINUTES: "min",
            Unit.SPACES: "places",
            Unit.CARS: "voitures",
            Unit.PER_SPACE_AND_DAY: "voitures par place et par jour",
        }
    ),
)
ENGLISH: Final = Writing(
    language=Language.ENGLISH,
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    short_months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    units=MappingProxyType(
        {
            Unit.PASSAGES: "passages",
            Unit.PER_DAY: "passages per day",
            Unit.PER_HOUR: "passages per hour",
            Unit.HOURS: "h",
            Unit.DAYS: "days",
            Unit.MINUTES: "min",
            Unit.SPACES: "spaces",
            Unit.CARS: "cars",
            Unit.PER_SPACE_AND_DAY: "cars per space and day",
        }
    ),
)


def writing_in(language: Language) -> Writing:
    """How a language writes."""
    return FRENCH if language is Language.FRENCH else ENGLISH
