"""A counter's last 24 hours as bars and as a table: pure geometry in percent, and the words beside it.

In come hourly flows, the words of a language and the time; out come a chart and its rows. An hour that nobody measured
is drawn over the whole height as unknown, and one measured in part says so: neither may look like few people.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import floor, log10

from msgspec import Struct

from cloud_api.counters import CounterView
from cloud_api.flows import HourlyFlows, LocalHour
from cloud_api.periods import HOUR, Period
from cloud_api.web.last_hour import LastHourLine
from cloud_api.web.words import Words

HOURS = 24
WHOLE_FROM = 0.95
"""An hour measured to this share or more counts as whole."""
BAR_SHARE = 0.78
"""What a bar takes of the width of its hour."""
LEAST_HEIGHT = 1.5
"""What somebody walked through is seen, in percent of the height."""
LABEL_EVERY = 6
LEAST_TOP = 10
NICE_STEPS = (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10)


class HourKind(StrEnum):
    """How an hour is drawn."""

    WHOLE = "whole"
    PARTIAL = "partial"
    RUNNING = "running"
    UNKNOWN = "unknown"


class Bar(Struct, frozen=True, kw_only=True):
    """One hour; lengths in percent of the chart, heights from its foot."""

    kind: HourKind
    x: float
    width: float
    in_height: float
    out_height: float
    label: str
    """Under the bar; empty under most."""
    centre: float
    text: str
    """The hour in words."""

    @property
    def height(self) -> float:
        """Of both directions together."""
        return round(self.in_height + self.out_height, 2)


class Row(Struct, frozen=True, kw_only=True):
    """One hour in the table."""

    hour: str
    in_: str
    out: str
    total: str
    remark: str


class Chart(Struct, frozen=True, kw_only=True):
    """The bars of one counter and what is said of them."""

    bars: tuple[Bar, ...]
    top: int
    """What the full height stands for, persons per hour."""
    total: str
    is_number: bool
    total_label: str
    in_total: str
    out_total: str
    coverage: str
    peak: str
    text: str
    """The chart in one sentence."""
    rows: tuple[Row, ...]

    @property
    def kinds(self) -> frozenset[HourKind]:
        """The kinds of hours that it shows: the legend tells of no others."""
        return frozenset(bar.kind for bar in self.bars)


class CounterCard(Struct, frozen=True, kw_only=True):
    """One counter, in words; `chart` is None where the history cannot be read."""

    view: CounterView
    trust_name: str
    age: str
    cause: str
    chart: Chart | None
    last_hour: LastHourLine | None


def last_day(now: datetime) -> Period:
    """The 24 hours that end with the one under way."""
    end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
    return Period(end - timedelta(hours=HOURS), end)


def chart(flows: HourlyFlows, words: Words, now: datetime) -> Chart:
    """The bars of one counter."""
    totals = [_total(hour) for hour in flows.hours]
    top = nice_top(max((total for total in totals if total is not None), default=0))
    offsets = len({hour.start.utcoffset() for hour in flows.hours}) > 1
    total = _sum(flows.totals.in_, flows.totals.out)
    peak = _peak(flows.hours, words)
    return Chart(
        bars=tuple(_bar(index, hour, top, words, now) for index, hour in enumerate(flows.hours)),
        top=top,
        total=_figure(total, words),
        is_number=total is not None,
        total_label=words.noun(total or 0, words.passages) if total is not None else words.passages.many,
        in_total=_figure(flows.totals.in_, words),
        out_total=_figure(flows.totals.out, words),
        coverage=_coverage(flows, words),
        peak=peak,
        text=_sentence(flows, total, peak, words),
        rows=tuple(_row(hour, words, now, with_offset=offsets) for hour in reversed(flows.hours)),
    )


def nice_top(most: int) -> int:
    """The next round number that a scale can end on, at least `LEAST_TOP`."""
    if most <= LEAST_TOP:
        return LEAST_TOP
    size: int = 10 ** floor(log10(most))
    return next(round(step * size) for step in NICE_STEPS if step * size >= most)


def _bar(index: int, hour: LocalHour, top: int, words: Words, now: datetime) -> Bar:
    slot = 100 / HOURS
    width = slot * BAR_SHARE
    row = _row(hour, words, now, with_offset=False)
    in_height = _height(hour.in_, top)
    pieces = [row.hour, row.total if row.total == row.remark else f"{row.total} {row.remark}".rstrip()]
    return Bar(
        kind=_kind(hour, now),
        x=round(index * slot + (slot - width) / 2, 2),
        width=round(width, 2),
        in_height=in_height,
        out_height=min(_height(hour.out, top), 100 - in_height),
        label=_hour_label(hour, words) if hour.start.hour % LABEL_EVERY == 0 else "",
        centre=round((index + 0.5) * slot, 2),
        text="\N{NO-BREAK SPACE}: ".join(pieces) if words.lang == "fr" else ": ".join(pieces),
    )


def _height(count: int | None, top: int) -> float:
    return max(round(100 * count / top, 2), LEAST_HEIGHT) if count else 0.0


def _kind(hour: LocalHour, now: datetime) -> HourKind:
    if _total(hour) is None:
        return HourKind.UNKNOWN
    if hour.start + HOUR > now:
        return HourKind.RUNNING
    return HourKind.WHOLE if hour.coverage >= WHOLE_FROM else HourKind.PARTIAL


def _row(hour: LocalHour, words: Words, now: datetime, *, with_offset: bool) -> Row:
    label = _hour_label(hour, words)
    return Row(
        hour=f"{label} ({_offset(hour.start)})" if with_offset else label,
        in_=_figure(hour.in_, words),
        out=_figure(hour.out, words),
        total=_figure(_total(hour), words),
        remark=_remark(hour, words, now),
    )


def _remark(hour: LocalHour, words: Words, now: datetime) -> str:
    match _kind(hour, now):
        case HourKind.RUNNING:
            return words.hour_running
        case HourKind.PARTIAL:
            return words.hour_partial.format(n=round(100 * hour.coverage))
        case HourKind.UNKNOWN:
            return words.hour_unknown
        case HourKind.WHOLE:
            return ""


def _hour_label(hour: LocalHour, words: Words) -> str:
    return words.hour_label.format(hour=hour.start.hour)


def _offset(local: datetime) -> str:
    """`UTC+2`; a town's offset is whole hours."""
    offset = local.utcoffset() or timedelta()
    return f"UTC{offset // HOUR:+d}"


def _coverage(flows: HourlyFlows, words: Words) -> str:
    known = flows.totals.hours_known
    return words.noun(known, words.hours_known).format(known=known, n=flows.totals.hours)


def _peak(hours: Sequence[LocalHour], words: Words) -> str:
    known = [(total, hour) for hour in hours if (total := _total(hour))]
    if not known:
        return ""
    most, hour = max(known, key=lambda pair: pair[0])
    return words.peak.format(hour=_hour_label(hour, words), n=words.number(most))


def _sentence(flows: HourlyFlows, total: int | None, peak: str, words: Words) -> str:
    if total is None:
        return words.chart_empty.format(name=flows.name)
    text = words.chart.format(
        name=flows.name,
        total=words.number(total),
        first=_hour_label(flows.hours[0], words),
        last=_hour_label(flows.hours[-1], words),
        peak=peak,
    )
    return text.removesuffix(" .")


def _figure(count: int | None, words: Words) -> str:
    return words.unknown if count is None else words.number(count)


def _total(hour: LocalHour) -> int | None:
    return _sum(hour.in_, hour.out)


def _sum(in_: int | None, out: int | None) -> int | None:
    """Both directions together; where one is not counted, the other."""
    known = [count for count in (in_, out) if count is not None]
    return sum(known) if known else None
