"""A report on an event: from what it brought, to words, tables and charts. Pure.

Every figure has its interval; what cannot be told is told so, with the reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cloud_api.reports.event_words import EventWords
from cloud_api.reports.events import CannotTell, EventEffect, HourOfEvent, StreetEffect, Uplift
from cloud_api.reports.report import (
    Asked,
    Cell,
    Chart,
    ChartKind,
    Figure,
    KnownHours,
    Point,
    Quality,
    Report,
    Role,
    Series,
    Table,
    Unit,
)
from cloud_api.reports.writing import writing_in

UNTOLD: Final[tuple[Cell, ...]] = (None, None, None, None, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """All that a report on an event is made from."""

    asked: Asked
    town: str
    effect: EventEffect


def event_report(facts: EventFacts) -> Report:
    """The report; one that can tell nothing says why, and has neither figure nor chart."""
    effect = facts.effect
    words = EventWords(writing_in(facts.asked.language), facts.asked, effect)
    whole = effect.whole.whole
    told = isinstance(whole, Uplift)
    return Report(
        asked=facts.asked,
        town=facts.town,
        title=words.title,
        subtitle=words.subtitle,
        summary=tuple(words.summary()),
        figures=tuple(_figures(words, whole)) if isinstance(whole, Uplift) else (),
        tables=tuple(_tables(words, effect)) if told else (),
        charts=tuple(_charts(words, effect.whole.by_hour)) if told else (),
        method=words.method,
        quality=_quality(words, effect),
    )


def _figures(words: EventWords, whole: Uplift) -> Iterator[Figure]:
    yield words.figure("counted", whole.counted, Unit.PASSAGES)
    yield words.figure("expected", round(whole.expected), Unit.PASSAGES, words.interval(whole.low, whole.high))
    yield words.figure(
        "gained", round(whole.gained), Unit.PASSAGES, words.interval(whole.gained_low, whole.gained_high)
    )
    yield words.figure("change", whole.change, Unit.CHANGE, words.change_interval(whole))
    yield words.figure("comparable", whole.comparable_days, Unit.DAYS)
    yield words.figure("measured", whole.measured / whole.hours, Unit.SHARE, words.hours_of(whole))


def _tables(words: EventWords, effect: EventEffect) -> Iterator[Table]:
    streets = [(each.street, each) for each in effect.streets]
    yield _street_table(words, "streets", [*streets, (words.together, effect.whole)] if len(streets) > 1 else streets)
    yield Table(
        key="hours",
        title=words.table("hours"),
        columns=words.columns("hours"),
        rows=tuple((words.hour(each.hour), *_row(words, each.answer)) for each in effect.whole.by_hour),
    )
    if effect.elsewhere:
        yield _street_table(words, "elsewhere", [(each.street, each) for each in effect.elsewhere])


def _street_table(words: EventWords, key: str, streets: Sequence[tuple[str, StreetEffect]]) -> Table:
    return Table(
        key=key,
        title=words.table(key),
        columns=words.columns(key),
        rows=tuple((name, *_row(words, each.whole)) for name, each in streets),
        note=words.note(key),
    )


def _row(words: EventWords, answer: Uplift | CannotTell) -> tuple[Cell, ...]:
    if isinstance(answer, CannotTell):
        return (*UNTOLD, words.write.cause(answer.cause))
    return (
        answer.counted,
        round(answer.expected),
        round(answer.low),
        round(answer.high),
        round(answer.gained),
        answer.change,
        words.verdict(answer),
    )


def _charts(words: EventWords, by_hour: Sequence[HourOfEvent]) -> Iterator[Chart]:
    told = [(each.hour, each.answer) for each in by_hour if isinstance(each.answer, Uplift)]
    if not told:
        return
    names = words.chart_series()
    values = {
        Role.NOW: [(hour, float(its.counted)) for hour, its in told],
        Role.THEN: [(hour, its.expected) for hour, its in told],
    }
    yield Chart(
        key="hours",
        kind=ChartKind.LINES,
        title=words.table("hours"),
        alternative=words.chart_alternative(told),
        x_title=words.write.say("heure", "hour"),
        y_title=words.write.say("passages", "passages"),
        unit=Unit.PASSAGES,
        series=tuple(Series(names[role], role) for role in values),
        points=tuple(Point(str(hour), names[role], value) for role, its in values.items() for hour, value in its),
    )


def _quality(words: EventWords, effect: EventEffect) -> Quality:
    whole = effect.whole.whole
    hours = len(effect.event.cells)
    measured = whole.measured if isinstance(whole, Uplift) else 0
    return Quality(
        coverage=measured / hours,
        known=KnownHours(hours=hours, measured=measured, partial=0, doubtful=hours - measured, estimated=0, missing=0),
        notes=words.quality_notes(),
    )
