"""A report on parking: from the stays in each zone to words and tables. Pure; figures as in `docs/indicators.md`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

import numpy as np

from cloud_api.reports.flow_indicators import DAYS_A_WEEK, HOURS_A_DAY
from cloud_api.reports.hours import Floats
from cloud_api.reports.parking_facts import ParkingFacts, ZoneStays
from cloud_api.reports.parking_indicators import Overstays, Within, occupancy, saturated_s, stay_lengths, turnover
from cloud_api.reports.parking_words import ParkingWords
from cloud_api.reports.report import (
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

HOUR_S: Final = 3600
MINUTE_S: Final = 60
MOST_ROWS: Final = 50_000
"""More hours than that are told by day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFigures:
    """A zone's figures over the hours of the period that are over."""

    zone: ZoneStays
    occupancy: Floats
    """float64[hour], 0 to 1."""
    saturated: Floats
    """float64[hour], in hours."""
    arrivals: int
    turnover: float
    stays: int
    mean_min: float | None
    median_min: float | None


def parking_report(facts: ParkingFacts) -> Report:
    """The report; one of which nothing is known says so in words, and has neither figure nor chart."""
    words = ParkingWords(writing_in(facts.asked.language), facts.asked, facts.zones)
    zones = [zone_figures(each) for each in facts.zones if each.known and each.starts]
    return Report(
        asked=facts.asked,
        town=facts.town,
        title=words.title,
        subtitle=words.subtitle,
        summary=tuple(_summary(words, zones)) if zones else (words.nothing,),
        figures=tuple(_figures(words, zones)) if zones else (),
        tables=tuple(_tables(words, zones)) if zones else (),
        charts=(_week_chart(words, week_of(zones)),) if zones else (),
        method=words.method,
        quality=_quality(words, facts),
    )


def zone_figures(zone: ZoneStays) -> ZoneFigures:
    """The figures of a zone of which something is known; shares are of the spaces that are known."""
    within = Within(float(zone.edges[0]), float(zone.edges[-1]))
    lengths = stay_lengths(zone.stays, within)
    per_day = turnover(zone.stays, zone.known, within)
    return ZoneFigures(
        zone=zone,
        occupancy=occupancy(zone.stays, zone.known, zone.edges),
        saturated=saturated_s(zone.stays, zone.known, zone.edges) / HOUR_S,
        arrivals=round(per_day * zone.known * within.days),
        turnover=per_day,
        stays=lengths.stays,
        mean_min=lengths.mean_s / MINUTE_S if lengths.stays else None,
        median_min=lengths.median_s / MINUTE_S if lengths.stays else None,
    )


def together(zones: Sequence[ZoneFigures]) -> Floats:
    """float64[hour]: the share of all known spaces that was occupied."""
    weights = np.array([each.zone.known for each in zones], dtype=np.float64)
    share: Floats = weights @ np.stack([each.occupancy for each in zones]) / weights.sum()
    return share


def week_of(zones: Sequence[ZoneFigures]) -> Floats:
    """float64[7, 24]: the mean occupancy of each hour of the week; NaN where the period has none."""
    share = together(zones)
    starts = zones[0].zone.starts
    cell = np.array([start.weekday() * HOURS_A_DAY + start.hour for start in starts])
    size = DAYS_A_WEEK * HOURS_A_DAY
    over = np.bincount(cell, minlength=size)
    sums = np.bincount(cell, weights=share, minlength=size)
    return np.where(over > 0, sums / np.maximum(over, 1), np.nan).reshape(DAYS_A_WEEK, HOURS_A_DAY)


def _summary(words: ParkingWords, zones: Sequence[ZoneFigures]) -> Iterator[str]:
    yield words.occupied(float(together(zones).mean()))
    week = week_of(zones)
    best = np.unravel_index(int(np.nanargmax(week)), week.shape)
    yield words.fullest(int(best[0]), int(best[1]), float(week[best]))
    yield words.cars(sum(each.arrivals for each in zones), _turnover(zones))
    saturated = [(each.zone.name, float(each.saturated.sum())) for each in zones if each.saturated.sum() >= 1]
    yield words.saturated(sorted(saturated, key=lambda each: -each[1]))
    yield words.overstayed(overstays_of(zones))
    yield words.known(sum(each.zone.known for each in zones))


def _turnover(zones: Sequence[ZoneFigures]) -> float:
    known = sum(each.zone.known for each in zones)
    return sum(each.turnover * each.zone.known for each in zones) / known


def overstays_of(zones: Sequence[ZoneFigures]) -> Overstays | None:
    """Of all cars that left a space with a limit; None where no space has one."""
    known = [its for each in zones for _, its in each.zone.limited]
    return Overstays(sum(each.stays for each in known), sum(each.over for each in known)) if known else None


def _figures(words: ParkingWords, zones: Sequence[ZoneFigures]) -> Iterator[Figure]:
    yield words.figure("spaces", sum(each.zone.known for each in zones), Unit.SPACES)
    yield words.figure("occupancy", float(together(zones).mean()), Unit.SHARE)
    yield words.figure("arrivals", sum(each.arrivals for each in zones), Unit.CARS)
    yield words.figure("turnover", _turnover(zones), Unit.PER_SPACE_AND_DAY)
    if len(zones) == 1:
        yield words.figure("median_stay", zones[0].median_min, Unit.MINUTES, words.stays(zones[0].stays))
        yield words.figure("mean_stay", zones[0].mean_min, Unit.MINUTES, words.stays(zones[0].stays))
    over = overstays_of(zones)
    if over is not None:
        yield words.figure("overstay", over.share, Unit.SHARE, words.over(over))
    yield words.figure("saturation", float(sum(each.saturated.sum() for each in zones)), Unit.HOURS)


def _tables(words: ParkingWords, zones: Sequence[ZoneFigures]) -> Iterator[Table]:
    yield words.titled("zones", tuple(_zone_row(each) for each in zones))
    if overstays_of(zones) is not None:
        yield words.titled("overstays", tuple(_overstays(words, zones)))
    yield words.titled("days", tuple(_days(zones)))
    if sum(len(each.occupancy) for each in zones) <= MOST_ROWS:
        yield words.titled("hours", tuple(_hours(zones)))


def _zone_row(each: ZoneFigures) -> tuple[Cell, ...]:
    return (
        each.zone.name,
        each.zone.spaces,
        each.zone.known,
        float(each.occupancy.mean()),
        float(each.occupancy.max()),
        each.turnover,
        each.median_min,
        each.mean_min,
        float(each.saturated.sum()),
    )


def _overstays(words: ParkingWords, zones: Sequence[ZoneFigures]) -> Iterator[tuple[Cell, ...]]:
    for each in zones:
        for limit, its in each.zone.limited:
            yield each.zone.name, words.limit(limit), its.stays, its.over, its.share
        if not each.zone.limited:
            yield each.zone.name, words.no_limit, None, None, None


def _days(zones: Sequence[ZoneFigures]) -> Iterator[tuple[Cell, ...]]:
    share = together(zones)
    saturated = np.sum([each.saturated for each in zones], axis=0)
    for day, its in groupby(enumerate(zones[0].zone.starts), key=lambda each: each[1].date()):
        which = [at for at, _ in its]
        yield _day(day, share[which], saturated[which])


def _day(day: date, share: Floats, saturated: Floats) -> tuple[Cell, ...]:
    return day, float(share.mean()), float(share.max()), float(saturated.sum())


def _hours(zones: Sequence[ZoneFigures]) -> Iterator[tuple[Cell, ...]]:
    for each in zones:
        for start, share, saturated in zip(each.zone.starts, each.occupancy, each.saturated, strict=True):
            yield each.zone.name, start, each.zone.known, float(share), float(saturated) * MINUTE_S


def _week_chart(words: ParkingWords, week: Floats) -> Chart:
    best = np.unravel_index(int(np.nanargmax(week)), week.shape)
    return Chart(
        key="week",
        kind=ChartKind.HEAT,
        title=words.write.say("Occupation, heure par heure de la semaine", "Occupancy, hour by hour of the week"),
        alternative=words.fullest(int(best[0]), int(best[1]), float(week[best])),
        x_title=words.write.say("heure", "hour"),
        y_title="",
        unit=Unit.SHARE,
        series=tuple(Series(name, Role.MEASURED) for name in words.write.weekdays),
        points=tuple(
            Point(str(hour), name, None if np.isnan(week[weekday, hour]) else float(week[weekday, hour]))
            for weekday, name in enumerate(words.write.weekdays)
            for hour in range(HOURS_A_DAY)
        ),
    )


def _quality(words: ParkingWords, facts: ParkingFacts) -> Quality:
    """Of parking an hour is known by its spaces: each counts for itself."""
    hours = sum(len(each.starts) * each.spaces for each in facts.zones)
    known = sum(len(each.starts) * each.known for each in facts.zones)
    return Quality(
        coverage=known / hours if hours else 0.0,
        known=KnownHours(hours=hours, measured=known, partial=0, doubtful=0, estimated=0, missing=hours - known),
        notes=words.quality_notes(),
    )
