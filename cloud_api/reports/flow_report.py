"""A report on flows: from each counter's sums, and those of the period it is held against, to words and tables. Pure.

Totals are what the API tells, to the unit. A figure of several counters is the sum of theirs: passages, not persons.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import numpy as np

from cloud_api.reports.flow_charts import charts_of
from cloud_api.reports.flow_facts import FlowFacts, PlaceCompared
from cloud_api.reports.flow_indicators import DAY_PARTS, DAYS_A_WEEK, HOURS_A_DAY, DayPart
from cloud_api.reports.flow_words import FlowWords
from cloud_api.reports.hours import Floats
from cloud_api.reports.place_hours import DaySums, PlaceSums, known_hours, together
from cloud_api.reports.report import (
    Cell,
    Column,
    Figure,
    KnownHours,
    LeftOut,
    Quality,
    Report,
    Table,
    Unit,
)
from cloud_api.reports.writing import Writing, writing_in

PEAKS: Final = 5
DAILY_UNTIL: Final = 62
"""Days of a longer period are told by month first."""


def flow_report(facts: FlowFacts) -> Report:
    """The report; one of which nothing was measured says so in words, and has neither figure nor chart."""
    write = writing_in(facts.asked.language)
    words = FlowWords(write, facts.asked, [each.name for each in facts.places])
    days = together([each.days for each in facts.places])
    week = week_of(facts.places)
    known = known_hours(days)
    measured = bool(days.known.any())
    return Report(
        asked=facts.asked,
        town=facts.town,
        title=words.title,
        subtitle=words.subtitle,
        summary=tuple(_summary(facts, words, days, week, known)) if measured else (words.nothing,),
        figures=tuple(_figures(facts, words, days, week)) if measured else (),
        tables=tuple(_tables(facts, words, days, week)) if measured else (),
        charts=charts_of(words, days, week) if measured else (),
        method=words.method,
        quality=_quality(facts, write, words, days, known),
    )


def week_of(places: Sequence[PlaceSums]) -> Floats:
    """float64[7, 24] passages of each hour of the week: the sum of the counters' means; NaN where one has none."""
    week: Floats = np.sum([each.week for each in places], axis=0)
    return week


def total_of(days: DaySums) -> tuple[Cell, Cell, Cell]:
    """In, out and both; None where nothing of it was counted."""
    in_ = int(days.in_.sum()) if days.in_known.any() else None
    out = int(days.out.sum()) if days.out_known.any() else None
    return in_, out, int(days.counted.sum()) if days.known.any() else None


def part_shares(week: Floats) -> dict[DayPart, float]:
    """The share of each part of the day in a usual week; NaN where no hour of the week is known."""
    by_hour = np.nansum(week, axis=0)
    whole = float(by_hour.sum())
    shares = {part: float(by_hour[list(hours)].sum()) for part, hours in DAY_PARTS.items()}
    shares[DayPart.NIGHT] = whole - sum(shares.values())
    return {part: share / whole if whole else float("nan") for part, share in shares.items()}


def peaks_of(week: Floats) -> list[tuple[int, int, float]]:
    """Weekday, hour and mean of the hours of the week with most passages."""
    known = [
        (weekday, hour, float(week[weekday, hour]))
        for weekday in range(DAYS_A_WEEK)
        for hour in range(HOURS_A_DAY)
        if not np.isnan(week[weekday, hour])
    ]
    return sorted(known, key=lambda each: (-each[2], each[0], each[1]))[:PEAKS]


def busiest_day(days: DaySums) -> int | None:
    """The day of most passages among those that were measured whole; None where there is none."""
    whole = days.measured_h == days.hours
    return int(np.argmax(np.where(whole, days.counted, -1))) if whole.any() else None


def change_of(compared: Sequence[PlaceCompared]) -> tuple[float, float, list[str]] | None:
    """Passages per day now and then over the counters that can be compared, and their names; None where none can."""
    known = [(each.name, each.compared) for each in compared if each.compared is not None]
    if not known:
        return None
    return sum(its.now for _, its in known), sum(its.then for _, its in known), [name for name, _ in known]


def _summary(facts: FlowFacts, words: FlowWords, days: DaySums, week: Floats, known: KnownHours) -> Iterator[str]:
    in_, out, both = total_of(days)
    yield words.total(both, in_, out, int(days.known.sum()), len(days))
    best = busiest_day(days)
    if best is not None and len(days) > 1:
        yield words.busiest(days.day(best), int(days.counted[best]))
    first_peak = next(iter(peaks_of(week)), None)
    if first_peak is not None and len(days) >= DAYS_A_WEEK:
        yield words.peak(*first_peak)
    if facts.asked.compared is not None:
        yield words.compared(change_of(facts.compared), len(facts.places))
    yield words.coverage(known)
    if facts.later:
        yield words.later(facts.later)


def _figures(facts: FlowFacts, words: FlowWords, days: DaySums, week: Floats) -> Iterator[Figure]:
    in_, out, both = total_of(days)
    whole = days.measured_h == days.hours
    yield words.figure("total", both, Unit.PASSAGES)
    if len(facts.places) == 1:
        yield words.figure("in", in_, Unit.PASSAGES, facts.places[0].in_name)
        yield words.figure("out", out, Unit.PASSAGES, facts.places[0].out_name)
    if facts.asked.filled:
        yield words.figure("filled", int((days.sound + days.estimated).sum()), Unit.PASSAGES)
    yield words.figure(
        "per_day",
        float(days.counted[whole].mean()) if whole.any() else None,
        Unit.PER_DAY,
        words.over(int(whole.sum())),
    )
    best = busiest_day(days)
    if best is not None:
        yield words.figure("busiest_day", days.day(best), Unit.DAY, words.passages(int(days.counted[best])))
    for weekday, hour, mean in peaks_of(week)[:1]:
        yield words.figure("peak", words.hour_of_week(weekday, hour), Unit.WORDS, words.per_hour(mean))
    changed = change_of(facts.compared)
    if changed is not None:
        now, then, names = changed
        yield words.figure(
            "change", now / then - 1 if then else None, Unit.CHANGE, words.change_note(now, then, len(names))
        )
    yield words.figure("coverage", float(days.covered_h.sum() / days.hours.sum()), Unit.SHARE)


def _tables(facts: FlowFacts, words: FlowWords, days: DaySums, week: Floats) -> Iterator[Table]:
    if len(facts.places) > 1:
        yield _table(words, "places", [(each.name, each.days) for each in facts.places], Unit.WORDS)
    if facts.asked.compared is not None:
        yield _comparison_table(facts, words)
    if len(days) > DAILY_UNTIL:
        yield _table(words, "months", _months(days), Unit.MONTH)
    yield _week_table(facts, words, week)
    yield _parts_table(words, week)
    yield _table(words, "days", [(days.day(at), _one(days, at)) for at in range(len(days))], Unit.DAY)


def _table(words: FlowWords, key: str, stretches: Sequence[tuple[Cell, DaySums]], unit: Unit) -> Table:
    rows = tuple((head, *_cells(its, filled=words.asked.filled)) for head, its in stretches)
    whole = _added([its for _, its in stretches])
    return Table(
        key=key,
        title=words.table(key),
        columns=(Column(key="what", title=words.head(key), unit=unit), *words.flow_columns()),
        rows=rows,
        total=(words.all_together, *_cells(whole, filled=words.asked.filled)),
        note=words.table_note(key),
    )


def _cells(its: DaySums, *, filled: bool) -> tuple[Cell, ...]:
    """In, out, counted, sound, hours and what is known of them; with the estimates where asked for."""
    known = known_hours(its)
    anything = bool(its.known.any())
    return (
        *total_of(its),
        int(its.sound.sum()) if anything else None,
        *([int(its.estimated.sum())] if filled else []),
        known.hours,
        known.measured,
        *([known.estimated] if filled else []),
        known.partial + known.doubtful,
        known.missing,
    )


def _months(days: DaySums) -> list[tuple[Cell, DaySums]]:
    numbered = groupby(range(len(days)), key=lambda at: days.day(at).replace(day=1))
    return [(month, _some(days, list(its))) for month, its in numbered]


def _one(days: DaySums, at: int) -> DaySums:
    return _some(days, [at])


def _some(days: DaySums, which: list[int]) -> DaySums:
    """Some of the days."""
    return DaySums(
        first=days.day(which[0]),
        **{name: getattr(days, name)[which] for name in DaySums.__slots__ if name != "first"},
    )


def _added(stretches: Sequence[DaySums]) -> DaySums:
    """All days of all stretches."""
    return DaySums(
        first=stretches[0].first,
        **{
            name: np.concatenate([getattr(each, name) for each in stretches])
            for name in DaySums.__slots__
            if name != "first"
        },
    )


def _week_table(facts: FlowFacts, words: FlowWords, week: Floats) -> Table:
    over = np.min([each.week_over for each in facts.places], axis=0)
    rows = [
        (
            words.write.weekdays[weekday],
            _known(float(week[weekday].sum())),
            *(_known(float(week[weekday, list(hours)].sum())) for hours in DAY_PARTS.values()),
            int(over[weekday].min()),
        )
        for weekday in range(DAYS_A_WEEK)
    ]
    return Table(
        key="week",
        title=words.table("week"),
        columns=words.week_columns(),
        rows=tuple(rows),
        note=words.table_note("week"),
    )


def _parts_table(words: FlowWords, week: Floats) -> Table:
    rows = tuple((words.part(part), _known(share)) for part, share in part_shares(week).items())
    return Table(key="parts", title=words.table("parts"), columns=words.part_columns(), rows=rows)


def _comparison_table(facts: FlowFacts, words: FlowWords) -> Table:
    def row(each: PlaceCompared) -> tuple[Cell, ...]:
        its = each.compared
        if its is None:
            return (each.name, None, None, None, None)
        return (each.name, round(its.days), its.now, its.then, _known(its.change))

    changed = change_of(facts.compared)
    total: tuple[Cell, ...] | None = None
    if changed is not None and len(facts.compared) > 1:
        now, then, _ = changed
        total = (words.all_together, None, now, then, now / then - 1 if then else None)
    return Table(
        key="comparison",
        title=words.table("comparison"),
        columns=words.comparison_columns(),
        rows=tuple(row(each) for each in facts.compared),
        total=total,
        note=words.comparison_note(facts.compared),
    )


def _quality(facts: FlowFacts, write: Writing, words: FlowWords, days: DaySums, known: KnownHours) -> Quality:
    left_out = [
        LeftOut(
            place=place.name,
            start=each.start.astimezone(facts.asked.period.start.tzinfo),
            end=each.end.astimezone(facts.asked.period.start.tzinfo),
            why=write.cause(each.cause),
        )
        for place in facts.places
        for each in place.left_out
    ]
    return Quality(
        coverage=float(days.covered_h.sum() / days.hours.sum()),
        known=known,
        left_out=tuple(left_out),
        later=facts.later,
        notes=words.quality_notes(facts.later, facts.compared, [(each.name, each.begins) for each in facts.places]),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
