"""What a report says, whoever writes it down: page, PDF, spreadsheet and CSV are made from this one value.

Words are in the report's language already, figures are not yet written: each has a unit, and who writes it down knows
how the language writes such a figure. Frozen, and the same for the same address: nothing in it tells when it was made.
What is not known is None, never 0.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct

Cell: TypeAlias = str | int | float | date | datetime | None
"""None is unknown. An instant is local, with its offset."""
SHOP_HOURS: Final = "Mo-Sa 10:00-19:00; PH off"
"""When shops are open where nobody says otherwise."""


class Kind(StrEnum):
    """What is reported on."""

    FLOWS = "flows"
    PARKING = "parking"
    EVENT = "event"


class Language(StrEnum):
    """The language of its words and of how its figures are written."""

    FRENCH = "fr"
    ENGLISH = "en"


class Unit(StrEnum):
    """What a figure counts, and so how it is written down."""

    PASSAGES = "passages"
    """A whole number of persons (or vehicles) counted."""
    PER_DAY = "per_day"
    """Passages per day, a mean."""
    PER_HOUR = "per_hour"
    """Passages per hour, a mean."""
    HOURS = "hours"
    DAYS = "days"
    MINUTES = "minutes"
    SHARE = "share"
    """0 to 1, written as a percentage."""
    CHANGE = "change"
    """A share that something is more (0.1) or less (-0.1), written with its sign."""
    SPACES = "spaces"
    CARS = "cars"
    PER_SPACE_AND_DAY = "per_space_and_day"
    """Cars per space and day."""
    DAY = "day"
    """A local date."""
    MONTH = "month"
    """A local date, the first of the month."""
    INSTANT = "instant"
    """A local time with its offset."""
    COUNT = "count"
    """So many of what its column names."""
    WORDS = "words"


class Role(StrEnum):
    """What a series of a chart is: it gives it its colour and its pattern."""

    MEASURED = "measured"
    """Counted, in hours that were measured whole and can be believed."""
    PARTIAL = "partial"
    """Counted, in hours that were measured in part or cannot be believed."""
    ESTIMATED = "estimated"
    """Nobody counted it: filled in on request."""
    MISSING = "missing"
    """Hours of which nothing is known."""
    NOW = "now"
    """The period reported on."""
    THEN = "then"
    """What it is compared with."""
    RANGE = "range"
    """Between what and what the truth lies, at the stated rate."""


class ChartKind(StrEnum):
    """How a chart is drawn."""

    STACKED_BARS = "stacked_bars"
    """A bar for each x, the series on top of each other."""
    LINES = "lines"
    """A line for each series over x in order."""
    HEAT = "heat"
    """A square for each x and series, the darker the more."""


class Span(Struct, frozen=True):
    """start <= t < end, local times with their offsets."""

    start: datetime
    end: datetime

    @property
    def last_day(self) -> date:
        """The last local day that any of it belongs to."""
        return (self.end - timedelta(microseconds=1)).date()


SETTLING: Final = timedelta(seconds=40)
"""So long a store may take to show what it commits: a request to InfluxDB is given up after 35 s."""


class Asked(Struct, frozen=True, kw_only=True):
    """What was asked for: the same for ever gives the same report."""

    kind: Kind
    places: tuple[str, ...]
    """Counters or zones, by their ids."""
    period: Span
    as_of: datetime
    """What is known by then makes the report; seconds before it was asked for, or when the office wrote since. UTC."""
    language: Language = Language.FRENCH
    compared: Span | None = None
    """The period it is held against."""
    event: str | None = None
    """The event, by its id in the office's calendar."""
    open_hours: str = SHOP_HOURS
    """When shops are open, in OpenStreetMap's syntax; a report on flows tells the share of passages within."""
    filled: bool = False
    """Whether gaps are estimated; what was counted is the same either way."""

    @property
    def committed_until(self) -> datetime:
        """What the store committed later is told apart: nothing else can still come to light that was before it."""
        return self.as_of - SETTLING


class Figure(Struct, frozen=True, kw_only=True):
    """One key figure."""

    key: str
    """The same in every language (`total`)."""
    name: str
    value: Cell
    unit: Unit
    note: str = ""
    """What it rests on."""


class Column(Struct, frozen=True, kw_only=True):
    """One column of a table."""

    key: str
    title: str
    unit: Unit


class Table(Struct, frozen=True, kw_only=True):
    """Rows under columns. What is measured, estimated and missing are columns of their own."""

    key: str
    """The same in every language (`days`, `hours`)."""
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] | None = None
    """Its last row, where its columns add up."""
    note: str = ""


class Series(Struct, frozen=True):
    """One series of a chart."""

    name: str
    role: Role


class Point(Struct, frozen=True):
    """One point, bar or square of a chart."""

    x: str
    """Its label on the horizontal axis, or an ISO 8601 date where `Chart.dates`."""
    series: str
    """By its name; in a heat chart, the row."""
    y: float | None
    """None draws nothing: a gap, never a 0."""


class Chart(Struct, frozen=True, kw_only=True):
    """What a chart shows; how it looks is `cloud_api/reports/charts.py`'s affair."""

    key: str
    kind: ChartKind
    title: str
    alternative: str
    """The same in words, for whoever does not see it."""
    x_title: str
    y_title: str
    unit: Unit
    series: tuple[Series, ...]
    points: tuple[Point, ...]
    dates: bool = False


class KnownHours(Struct, frozen=True, kw_only=True):
    """How much of a stretch of time is known; the last five add up to `hours`."""

    hours: int
    measured: int
    """Nine tenths at least, and believed."""
    partial: int
    """Measured for less than nine tenths."""
    doubtful: int
    """The counts cannot be so."""
    estimated: int
    """One of the other three that was filled in on request, and is counted here alone."""
    missing: int
    """Nothing measured."""


class LeftOut(Struct, frozen=True, kw_only=True):
    """What is not in the figures, or must not be believed, and why."""

    place: str
    """Its name."""
    start: datetime
    end: datetime
    why: str


class LaterParts(Struct, frozen=True, kw_only=True):
    """What came into the store after the report's date, of one place."""

    place: str
    """Its name."""
    hours: int
    """How many hours of the period it concerns."""
    in_: int
    """How much is added to the total in this direction."""
    out: int


class Quality(Struct, frozen=True, kw_only=True):
    """How much of the report was measured, and what was left out."""

    coverage: float
    """Measured share of the whole period, 0 to 1, the mean over its places."""
    known: KnownHours
    left_out: tuple[LeftOut, ...] = ()
    later: tuple[LaterParts, ...] = ()
    notes: tuple[str, ...] = ()
    """What else must be known, in sentences."""


class Report(Struct, frozen=True, kw_only=True):
    """A report, whole."""

    asked: Asked
    town: str
    title: str
    subtitle: str
    """Which places and which period, in words."""
    summary: tuple[str, ...]
    """In sentences; a report that cannot tell says so here, and why."""
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]
    method: tuple[str, ...]
    """How the figures are made, in sentences."""
    quality: Quality

    @property
    def is_empty(self) -> bool:
        """Nothing can be told: the summary says why, and there is neither chart nor table."""
        return not self.figures

    def table(self, key: str) -> Table:
        """A table by its key. Raises `KeyError`."""
        return {each.key: each for each in self.tables}[key]

    def figure(self, key: str) -> Figure:
        """A key figure by its key. Raises `KeyError`."""
        return {each.key: each for each in self.figures}[key]
