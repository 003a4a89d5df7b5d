"""Makes a report on flows: reads what it needs, one counter at a time, and puts it together. Blocks on the store."""

from collections.abc import Iterator, Sequence
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
from cloud_api.reports.hours import Hours
from cloud_api.reports.open_hours import open_share
from cloud_api.reports.place_hours import PlaceHours, PlaceSums, summed
from cloud_api.reports.report import Asked, Report, Span
from cloud_api.reports.streets import StreetGathering, streets_of


def make_flow_report(town: Town, asked: Asked, tell: Progress = silently) -> Report:
    """The report, as of its date. Raises `StoreError`."""
    sums: list[PlaceSums] = []
    compared: list[PlaceCompared] = []
    compared_streets: list[PlaceCompared] = []
    years: list[PlaceYear] = []
    streets = streets_of(counters_of(town, asked))
    gathered, before = StreetGathering(streets), StreetGathering(streets)
    for place in every_place(town, asked, tell):
        sums.append(summed(place, open_share(asked.open_hours, place.hours)))
        years += _year(town, asked, place)
        whole = gathered.take(place.id, place.believed)
        if asked.compared is not None:
            then = place_hours(town, town.registry.counters[place.id], asked.compared, asked.committed_until).believed
            compared.append(_compared(town, place.name, [place.id], place.believed, then))
            whole_then = before.take(place.id, then)
            if whole is not None and whole_then is not None:
                street, hours = whole
                compared_streets.append(_compared(town, street.name, street.counters, hours, whole_then[1]))
    in_order = [each.name for each in streets]
    return flow_report(
        FlowFacts(
            asked=asked,
            town=town.name,
            places=sums,
            compared=compared,
            compared_streets=sorted(compared_streets, key=lambda each: in_order.index(each.name)),
            daylight=_daylight(town, asked),
            streets=gathered.sums,
            years=years,
            later=later_parts(town, asked, sums),
        )
    )


def _year(town: Town, asked: Asked, place: PlaceHours) -> Iterator[PlaceYear]:
    so_far = year_so_far(town, town.registry.counters[place.id], asked.period, asked.committed_until)
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


def _compared(town: Town, name: str, places: Sequence[str], now: Hours, then: Hours) -> PlaceCompared:
    special, markets = town.office.special_days(places), partial(town.office.markets_on, places=places)
    return PlaceCompared(name=name, compared=compare(now, then, town.calendar, special, markets))
