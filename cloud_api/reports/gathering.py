"""Reads what reports on flows are made from: one counter after the other, so that a town's year needs no more memory
than a counter's. Blocks on the store.

A counter is judged by more than the period: what it counted in the eight weeks before tells what is usual there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cloud_api.flows import channel_of, hourly_flows_of, street_of
from cloud_api.forecast.days import Calendar
from cloud_api.periods import Period
from cloud_api.plausibility import Street
from cloud_api.registry import Counter, Registry
from cloud_api.reports.asking import period_of
from cloud_api.reports.calendar import OfficeCalendar
from cloud_api.reports.hours import hours_of
from cloud_api.reports.place_hours import PlaceHours, PlaceSums, summed, within
from cloud_api.reports.quality import judged
from cloud_api.reports.report import Asked, LaterParts, Span
from cloud_api.stores.base import Store

HISTORY: Final = timedelta(weeks=8)
"""What is read before a period to judge it by."""
Progress = Callable[[str], None]
"""Told the name of each counter as it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """Where a report's figures come from."""

    name: str
    registry: Registry
    store: Store
    zone: ZoneInfo
    calendar: Calendar
    office: OfficeCalendar
    """Markets and events."""


def silently(_: str) -> None:
    """Tell nobody."""


def counters_of(town: Town, asked: Asked) -> list[Counter]:
    """The counters that a report is on."""
    return [town.registry.counters[place] for place in asked.places]


def place_hours(
    town: Town, counter: Counter, span: Span, as_of: datetime, *, filled: bool = False, history: timedelta = HISTORY
) -> PlaceHours:
    """One counter over a span, as of a date. Raises `StoreError`."""
    asked = period_of(span)
    period = Period(asked.start - history, asked.end)
    (flows,) = hourly_flows_of(town.registry, town.store, [counter], period, town.zone, as_of)
    quality = judged(hours_of(flows, town.zone), _street(town, counter, span))
    hours, fault, estimated, left_out = within(quality, span, town.calendar if filled else None)
    return PlaceHours(
        id=counter.id,
        name=counter.name,
        in_name=counter.in_,
        out_name=counter.out,
        begins=_begins(town, counter, span),
        hours=hours,
        fault=fault,
        estimated=estimated,
        left_out=left_out,
    )


def every_place(town: Town, asked: Asked, tell: Progress = silently) -> Iterator[PlaceHours]:
    """Each counter of a report over its period, one at a time. Raises `StoreError`."""
    for counter in counters_of(town, asked):
        tell(counter.name)
        yield place_hours(town, counter, asked.period, asked.as_of, filled=asked.filled)


def later_parts(town: Town, asked: Asked, sums: Sequence[PlaceSums]) -> tuple[LaterParts, ...]:
    """What came into the store after the report's date, of each counter of which anything did. Raises `StoreError`."""
    return tuple(later for each in sums if (later := _later(town, asked, each)) is not None)


def _later(town: Town, asked: Asked, told: PlaceSums) -> LaterParts | None:
    period = period_of(asked.period)
    serving = town.registry.installations_of(told.id, period.start, period.end)
    channels = [channel_of(each) for each in serving]
    if not channels:
        return None
    now, then = (
        {(hour.channel, hour.start): hour for hour in town.store.hours(channels, period.start, period.end, as_of)}
        for as_of in (None, asked.as_of)
    )
    changed = {start for (channel, start), hour in now.items() if then.get((channel, start)) != hour}
    if not changed:
        return None
    (flows,) = hourly_flows_of(town.registry, town.store, [town.registry.counters[told.id]], period, town.zone)
    return LaterParts(
        place=told.name,
        hours=len(changed),
        in_=(flows.totals.in_ or 0) - int(told.days.in_.sum()),
        out=(flows.totals.out or 0) - int(told.days.out.sum()),
    )


def _begins(town: Town, counter: Counter, span: Span) -> datetime | None:
    period = period_of(span)
    serving = town.registry.installations_of(counter.id, period.start, period.end)
    first = serving[0].start if serving else period.end
    return None if first <= period.start else first.astimezone(town.zone)


def _street(town: Town, counter: Counter, span: Span) -> Street:
    period = period_of(span)
    serving = town.registry.installations_of(counter.id, period.start, period.end)
    if not serving:
        return Street(mode="", in_=counter.in_, out=counter.out, zone=town.zone)
    return street_of(counter, serving[0], town.zone)


def sums_of(places: Iterator[PlaceHours]) -> list[PlaceSums]:
    """The sums of each, its hours let go before the next is read."""
    return [summed(place) for place in places]
