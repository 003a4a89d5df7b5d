"""A report on flows: from each counter's sums, and those of the period it is held against, to words and tables. Pure.

Totals are what the API tells, to the unit. A figure of several counters is the sum of theirs: passages, not persons.
"""

from collections.abc import Iterator

from cloud_api.reports.flow_charts import charts_of
from cloud_api.reports.flow_facts import FlowFacts
from cloud_api.reports.flow_heads import COUNTER, STREET, Two
from cloud_api.reports.flow_indicators import DAYS_A_WEEK
from cloud_api.reports.flow_sums import (
    busiest_day,
    change_of,
    open_share_of,
    peaks_of,
    total_of,
    town_of,
    week_of,
    year_of,
)
from cloud_api.reports.flow_tables import tables_of
from cloud_api.reports.flow_words import FlowWords
from cloud_api.reports.hours import Floats
from cloud_api.reports.place_hours import DaySums, known_hours, together
from cloud_api.reports.report import Figure, KnownHours, LeftOut, Quality, Report, Unit
from cloud_api.reports.writing import Writing, writing_in


def flow_report(facts: FlowFacts) -> Report:
    """The report; one of which nothing was measured says so in words, and has neither figure nor chart."""
    write = writing_in(facts.asked.language)
    words = FlowWords(write, facts.asked, [each.name for each in facts.places])
    days = together([each.days for each in facts.places])
    week = week_of(facts.heard)
    known = known_hours(days)
    measured = bool(days.known.any())
    return Report(
        asked=facts.asked,
        town=facts.town,
        title=words.title,
        subtitle=words.subtitle,
        summary=tuple(_summary(facts, words, days, week, known)) if measured else (words.nothing,),
        figures=tuple(_figures(facts, words, days, week)) if measured else (),
        tables=tuple(tables_of(facts, words, days, week)) if measured else (),
        charts=charts_of(words, days, week) if measured else (),
        method=words.method,
        quality=_quality(facts, write, words, days, known),
    )


def _summary(facts: FlowFacts, words: FlowWords, days: DaySums, week: Floats, known: KnownHours) -> Iterator[str]:
    in_, out, both = total_of(days)
    yield words.total(both, in_, out, int(days.known.sum()), len(days))
    if facts.streets:
        yield words.streets(town_of(facts.streets), len(facts.streets))
    best = busiest_day(together([each.days for each in facts.heard]))
    if best is not None and len(days) > 1:
        yield words.busiest(days.day(best), int(days.counted[best]))
    first_peak = next(iter(peaks_of(week)), None)
    if first_peak is not None and len(days) >= DAYS_A_WEEK:
        yield words.peak(*first_peak)
    share = open_share_of(days)
    if share is not None:
        yield words.open_share(share)
    year = year_of(facts.years)
    if year is not None:
        yield words.year(year)
    if facts.asked.compared is not None:
        yield words.comparison.compared(change_of(facts.told_compared), len(facts.told_compared), _told_by(facts))
    if facts.daylight is not None and facts.daylight.differs:
        yield words.comparison.daylight(facts.daylight)
    yield words.coverage(known)
    if facts.later:
        yield words.later(facts.later)


def _figures(facts: FlowFacts, words: FlowWords, days: DaySums, week: Floats) -> Iterator[Figure]:
    in_, out, both = total_of(days)
    heard = together([each.days for each in facts.heard])
    whole = heard.measured_h == heard.hours
    yield words.heads.figure("total", both, Unit.PASSAGES)
    if len(facts.places) == 1:
        yield words.heads.figure("in", in_, Unit.PASSAGES, facts.places[0].in_name)
        yield words.heads.figure("out", out, Unit.PASSAGES, facts.places[0].out_name)
    if facts.streets:
        its = town_of(facts.streets)
        yield words.heads.figure("streets", its.passages, Unit.PASSAGES, words.known_share(its))
    if facts.asked.filled:
        yield words.heads.figure("filled", int((days.sound + days.estimated).sum()), Unit.PASSAGES)
    yield words.heads.figure(
        "per_day",
        float(days.counted[whole].mean()) if whole.any() else None,
        Unit.PER_DAY,
        words.over(int(whole.sum())),
    )
    best = busiest_day(heard)
    if best is not None:
        yield words.heads.figure("busiest_day", days.day(best), Unit.DAY, words.passages(int(days.counted[best])))
    for weekday, hour, mean in peaks_of(week)[:1]:
        yield words.heads.figure("peak", words.hour_of_week(weekday, hour), Unit.WORDS, words.per_hour(mean))
    share = open_share_of(days)
    if share is not None:
        yield words.heads.figure("open_share", share, Unit.SHARE, words.open_hours)
    year = year_of(facts.years)
    if year is not None:
        yield words.heads.figure("year", year.both, Unit.PASSAGES, words.year_measured(year))
    changed = change_of(facts.told_compared)
    if changed is not None:
        now, then, names = changed
        yield words.heads.figure(
            "change",
            now / then - 1 if then else None,
            Unit.CHANGE,
            words.comparison.change_note(now, then, len(names), _told_by(facts)),
        )
    yield words.heads.figure("coverage", float(days.covered_h.sum() / days.hours.sum()), Unit.SHARE)


def _told_by(facts: FlowFacts) -> Two:
    return STREET if facts.compared_streets else COUNTER


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
