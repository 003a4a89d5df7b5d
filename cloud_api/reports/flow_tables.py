"""The tables of a report on flows. Pure."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Final

import numpy as np

from cloud_api.reports.flow_facts import FlowFacts, PlaceCompared
from cloud_api.reports.flow_indicators import DAY_PARTS, DAYS_A_WEEK, Total
from cloud_api.reports.flow_sums import change_of, open_share_of, part_shares, total_of, town_of, year_of
from cloud_api.reports.flow_words import FlowWords
from cloud_api.reports.hours import Floats
from cloud_api.reports.place_hours import DaySums, known_hours
from cloud_api.reports.report import Cell, Column, Table, Unit
from cloud_api.reports.streets import SectionSums

WEEKLY_FROM: Final = 14
"""Days of a shorter period are not told by week."""
DAILY_UNTIL: Final = 62
"""Days of a longer period are told by month first."""


def tables_of(facts: FlowFacts, words: FlowWords, days: DaySums, week: Floats) -> Iterator[Table]:
    if len(facts.places) > 1:
        yield _table(words, "places", [(each.name, each.days) for each in facts.places], Unit.WORDS)
    if facts.streets:
        yield _street_table(facts, words)
        yield _section_table(facts, words)
    if facts.asked.compared is not None:
        yield from _comparison_tables(facts, words)
    if len(days) > DAILY_UNTIL:
        yield _table(words, "months", _stretches(days, _month_of), Unit.MONTH)
    if len(days) >= WEEKLY_FROM:
        yield _table(words, "weeks", _stretches(days, _monday_of), Unit.DAY)
    yield _week_table(facts, words, week)
    yield _parts_table(words, week)
    yield _open_table(facts, words, days)
    if facts.years:
        yield _year_table(facts, words)
    yield _table(words, "days", [(days.day(at), _one(days, at)) for at in range(len(days))], Unit.DAY)


def _table(words: FlowWords, key: str, stretches: Sequence[tuple[Cell, DaySums]], unit: Unit) -> Table:
    rows = tuple((head, *_cells(its, filled=words.asked.filled)) for head, its in stretches)
    whole = _added([its for _, its in stretches])
    return Table(
        key=key,
        title=words.heads.table(key),
        columns=(Column(key="what", title=words.heads.head(key), unit=unit), *words.heads.flow_columns()),
        rows=rows,
        total=(words.all_together, *_cells(whole, filled=words.asked.filled)),
        note=words.heads.table_note(key),
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


def _stretches(days: DaySums, of: Callable[[date], date]) -> list[tuple[Cell, DaySums]]:
    """The days in stretches, each with its first day."""
    numbered = groupby(range(len(days)), key=lambda at: of(days.day(at)))
    return [(first, _some(days, list(its))) for first, its in numbered]


def _month_of(day: date) -> date:
    return day.replace(day=1)


def _monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


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
    over = np.min([each.week_over for each in facts.heard], axis=0)
    unheard = [each.name for each in facts.places if not each.days.known.any()]
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
        title=words.heads.table("week"),
        columns=words.heads.week_columns(),
        rows=tuple(rows),
        note=" ".join([words.heads.table_note("week"), *([words.without(unheard)] if unheard else [])]),
    )


def _parts_table(words: FlowWords, week: Floats) -> Table:
    rows = tuple((words.heads.part_of_day(part), _known(share)) for part, share in part_shares(week).items())
    return Table(key="parts", title=words.heads.table("parts"), columns=words.heads.columns("parts"), rows=rows)


def _street_table(facts: FlowFacts, words: FlowWords) -> Table:
    whole = town_of(facts.streets)
    return Table(
        key="streets",
        title=words.heads.table("streets"),
        columns=words.heads.columns("streets"),
        rows=tuple((each.whole.name, len(each.sections), *_section_cells(each.whole)) for each in facts.streets),
        total=(words.town, None, *_section_cells(whole)) if len(facts.streets) > 1 else None,
        note=words.heads.table_note("streets"),
    )


def _section_table(facts: FlowFacts, words: FlowWords) -> Table:
    return Table(
        key="sections",
        title=words.heads.table("sections"),
        columns=words.heads.columns("sections"),
        rows=tuple(
            (street.whole.name, each.name, *_section_cells(each))
            for street in facts.streets
            if street.whole.counters > 1
            for each in street.sections
        ),
        note=words.heads.table_note("sections"),
    )


def _section_cells(its: SectionSums) -> tuple[Cell, ...]:
    known = its.known_h > 0
    return its.counters, its.passages if known else None, its.per_day, its.days, its.known_h / its.hours


def _open_table(facts: FlowFacts, words: FlowWords, days: DaySums) -> Table:
    return Table(
        key="open",
        title=words.heads.table("open"),
        columns=words.heads.columns("open"),
        rows=tuple((each.name, *_open_cells(each.days)) for each in facts.places),
        total=(words.all_together, *_open_cells(days)) if len(facts.places) > 1 else None,
        note=words.open_note,
    )


def _open_cells(days: DaySums) -> tuple[Cell, ...]:
    share = open_share_of(days)
    if share is None:
        return None, None, None
    return int(days.sound.sum()), round(float(days.open.sum())), share


def _year_table(facts: FlowFacts, words: FlowWords) -> Table:
    whole = year_of(facts.years)
    return Table(
        key="year",
        title=words.heads.table("year"),
        columns=words.heads.columns("year"),
        rows=tuple((each.name, *_year_cells(each.total)) for each in facts.years),
        total=(words.all_together, *_year_cells(whole)) if whole is not None and len(facts.years) > 1 else None,
        note=words.year_note,
    )


def _year_cells(its: Total) -> tuple[Cell, ...]:
    return its.in_, its.out, its.both, its.hours, its.measured, its.coverage


def _comparison_tables(facts: FlowFacts, words: FlowWords) -> Iterator[Table]:
    """Of counters; where streets are told, the sum is theirs."""
    note = words.comparison.comparison_note(facts.compared, facts.daylight)
    if facts.compared_streets:
        by_street = words.comparison.comparison_note(facts.compared_streets, None)
        yield _comparison_table(words, "comparison_streets", facts.compared_streets, by_street, words.town)
        yield _comparison_table(words, "comparison", facts.compared, note, "")
    else:
        yield _comparison_table(words, "comparison", facts.compared, note, words.all_together)


def _comparison_table(words: FlowWords, key: str, compared: Sequence[PlaceCompared], note: str, total: str) -> Table:
    changed = change_of(compared)
    last: tuple[Cell, ...] | None = None
    if changed is not None and len(compared) > 1 and total:
        now, then, _ = changed
        last = (total, None, now, then, now / then - 1 if then else None)
    return Table(
        key=key,
        title=words.heads.table(key),
        columns=words.heads.columns(key),
        rows=tuple(_comparison_row(each) for each in compared),
        total=last,
        note=note,
    )


def _comparison_row(each: PlaceCompared) -> tuple[Cell, ...]:
    its = each.compared
    if its is None:
        return (each.name, None, None, None, None)
    return (each.name, round(its.days), its.now, its.then, _known(its.change))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
