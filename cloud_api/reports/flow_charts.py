"""The charts of a report on flows, as values: what is drawn, in words and points. Pure."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

import numpy as np

from cloud_api.reports.flow_indicators import DAYS_A_WEEK, HOURS_A_DAY
from cloud_api.reports.flow_words import FlowWords
from cloud_api.reports.hours import Floats
from cloud_api.reports.place_hours import DaySums
from cloud_api.reports.report import Chart, ChartKind, Point, Role, Series, Unit

DAILY_UNTIL: Final = 120
"""Bars of a longer period are months."""


def charts_of(words: FlowWords, days: DaySums, week: Floats) -> tuple[Chart, ...]:
    """Passages over time by how well they are known, and the usual week where it is known."""
    charts = [_over_time(words, days)]
    if (days.measured_h < days.hours).any():
        charts.append(_known(words, days))
    if not np.isnan(week).all():
        charts.append(_usual_week(words, week))
    return tuple(charts)


def _over_time(words: FlowWords, days: DaySums) -> Chart:
    say = words.write.say
    by_month = len(days) > DAILY_UNTIL
    names = {
        Role.MEASURED: say("heures mesurées", "measured hours"),
        Role.PARTIAL: say("heures écartées", "hours left out"),
        **({Role.ESTIMATED: say("estimés", "estimated")} if words.asked.filled else {}),
    }
    missing = int(days.missing_h.sum())
    per = say("mois", "month") if by_month else say("jour", "day")
    return Chart(
        key="over_time",
        kind=ChartKind.STACKED_BARS,
        title=say(f"Passages par {per}", f"Passages by {per}"),
        alternative=say(
            f"Barres : passages par {per}, de {words.write.number(int(days.counted.min()))} à "
            f"{words.write.number(int(days.counted.max()))} par jour ; {words.write.number(missing)} heures manquent.",
            f"Bars: passages by {per}, from {words.write.number(int(days.counted.min()))} to "
            f"{words.write.number(int(days.counted.max()))} a day; {words.write.number(missing)} hours are missing.",
        ),
        x_title=per,
        y_title=say("passages", "passages"),
        unit=Unit.PASSAGES,
        series=tuple(Series(name, role) for role, name in names.items()),
        points=tuple(_bars(words, days, names, by_month=by_month)),
        dates=not by_month,
    )


def _known(words: FlowWords, days: DaySums) -> Chart:
    say, number = words.write.say, words.write.number
    by_month = len(days) > DAILY_UNTIL
    hours = {
        Role.MEASURED: (say("mesurées et fiables", "measured and sound"), days.measured_h),
        Role.ESTIMATED: (say("estimées", "estimated"), days.estimated_h),
        Role.PARTIAL: (say("écartées", "left out"), days.partial_h + days.doubtful_h),
        Role.MISSING: (say("manquantes", "missing"), days.missing_h),
    }
    sums = ", ".join(f"{number(int(its.sum()))} {name}" for name, its in hours.values())
    return Chart(
        key="known",
        kind=ChartKind.STACKED_BARS,
        title=say("Ce qu’on sait de ces heures", "What is known of these hours"),
        alternative=say(f"Heures : {sums}.", f"Hours: {sums}."),
        x_title=say("mois", "month") if by_month else say("jour", "day"),
        y_title=say("heures", "hours"),
        unit=Unit.HOURS,
        series=tuple(Series(name, role) for role, (name, _) in hours.items()),
        points=tuple(
            Point(label, name, float(its[which].sum()))
            for label, which in _stretches(words, days, by_month=by_month)
            for name, its in hours.values()
        ),
        dates=not by_month,
    )


def _stretches(words: FlowWords, days: DaySums, *, by_month: bool) -> Iterator[tuple[str, list[int]]]:
    """The label of each bar, and which days are in it."""
    labels = [words.write.short_month(day) if by_month else day.isoformat() for day in map(days.day, range(len(days)))]
    for label, its in groupby(range(len(days)), key=lambda at: labels[at]):
        yield label, list(its)


def _bars(words: FlowWords, days: DaySums, names: dict[Role, str], *, by_month: bool) -> Iterator[Point]:
    values = {
        Role.MEASURED: days.sound,
        Role.PARTIAL: days.counted - days.sound,
        Role.ESTIMATED: days.estimated,
    }
    for label, which in _stretches(words, days, by_month=by_month):
        known = bool(days.known[which].any())
        for role, name in names.items():
            yield Point(label, name, float(values[role][which].sum()) if known or role is Role.ESTIMATED else None)


def _usual_week(words: FlowWords, week: Floats) -> Chart:
    say, write = words.write.say, words.write
    best = np.unravel_index(int(np.nanargmax(week)), week.shape)
    when = words.hour_of_week(int(best[0]), int(best[1]))
    return Chart(
        key="week",
        kind=ChartKind.HEAT,
        title=say("Semaine type, heure par heure", "A usual week, hour by hour"),
        alternative=say(
            f"Carrés par jour et par heure ; le plus foncé est le {when}, {write.number(float(week[best]))} passages.",
            f"Squares by day and hour; the darkest is {when}, {write.number(float(week[best]))} passages.",
        ),
        x_title=say("heure", "hour"),
        y_title="",
        unit=Unit.PER_HOUR,
        series=tuple(Series(name, Role.MEASURED) for name in write.weekdays),
        points=tuple(
            Point(
                str(hour),
                write.weekdays[weekday],
                None if np.isnan(week[weekday, hour]) else float(week[weekday, hour]),
            )
            for weekday in range(DAYS_A_WEEK)
            for hour in range(HOURS_A_DAY)
        ),
    )
