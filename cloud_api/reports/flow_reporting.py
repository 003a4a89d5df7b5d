"""Makes a report on flows: reads what it needs, one counter at a time, and puts it together. Blocks on the store."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from cloud_api.reports.comparison import compare
from cloud_api.reports.daylight import daylight_h
from cloud_api.reports.flow_facts import Daylight, FlowFacts, PlaceCompared, PlaceYear
from cloud_api.reports.flow_report import flow_report
from cloud_api.reports.gathering import (
    Progress,
    Town,
    counters_of,
    every_place,
    later_parts,
    place_hours,
    silently,
    year_so_far,
)
from cloud_api.reports.open_hours import open_share
from cloud_api.reports.place_hours import PlaceHours, PlaceSums, summed
from cloud_api.reports.report import Asked, Report, Span
from cloud_api.reports.streets import StreetGathering, streets_of


def make_flow_report(town: Town, asked: Asked, tell: Progress = silently) -> Report:
    """The report, as of its date. Raises `StoreError`."""
    sums: list[PlaceSums] = []
    compared: list[PlaceCompared] = []
    years: list[PlaceYear] = []
    gathered = StreetGathering(streets_of(counters_of(town, asked)))
    for place in every_place(town, asked, tell):
        gathered.take(place.id, place.believed)
        sums.append(summed(place, open_share(asked.open_hours, place.hours)))
        compared += _compared(town, asked, place)
        years += _year(town, asked, place)
    return flow_report(
        FlowFacts(
            asked=asked,
            town=town.name,
            places=sums,
            compared=compared,
            daylight=_daylight(town, asked),
            streets=gathered.sums,
            years=years,
            later=later_parts(town, asked, sums),
        )
    )


def _year(town: Town, asked: Asked, place: PlaceHours) -> Iterator[PlaceYear]:
    so_far = year_so_far(town, town.registry.counters[place.id], asked.period, asked.as_of)
    if so_far is not None:
        yield PlaceYear(name=place.name, total=so_far)


def _daylight(town: Town, asked: Asked) -> Daylight | None:
    if asked.compared is None:
        return None
    latitude = counters_of(town, asked)[0].position.lat
    now, then = (_mean_daylight_h(span, latitude) for span in (asked.period, asked.compared))
    return Daylight(now, then)


def _mean_daylight_h(span: Span, latitude: float) -> float:
    days = np.arange(span.start.date().toordinal(), span.last_day.toordinal() + 1)
    return float(daylight_h(days, latitude).mean())


def _compared(town: Town, asked: Asked, place: PlaceHours) -> Iterator[PlaceCompared]:
    if asked.compared is None:
        return
    counter = town.registry.counters[place.id]
    then = place_hours(town, counter, asked.compared, asked.as_of)
    special, markets = town.office.special_days([place.id]), partial(town.office.markets_on, places=[place.id])
    compared = compare(place.believed, then.believed, town.calendar, special, markets)
    yield PlaceCompared(name=place.name, compared=compared)
