"""Reads what reports on flows are made from: one counter after the other, so that a town's year needs no more memory
than a counter's. Blocks on the store.

A counter is judged by more than the period: what it counted in the eight weeks before tells what is usual there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from cloud_api.flows import CONTEXT, channel_of, street_of
from cloud_api.forecast.days import Calendar
from cloud_api.periods import Period
from cloud_api.plausibility import Street
from cloud_api.registry import Counter, Registry
from cloud_api.registry.event_editions import EventEdition
from cloud_api.reports.asking import period_of, settled_at
from cloud_api.reports.calendar import OfficeCalendar
from cloud_api.reports.counter_hours import counter_hours
from cloud_api.reports.flow_indicators import Total, year_to_date
from cloud_api.reports.hours import Flags, Floats, Hours
from cloud_api.reports.named_events import last_written, with_named
from cloud_api.reports.place_hours import PlaceHours, PlaceSums, within
from cloud_api.reports.quality import judged
from cloud_api.reports.report import Asked, LaterParts, Span
from cloud_api.reports.streets import street_name
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
    """Markets and events where nobody ever read a calendar's file."""
    named: Sequence[EventEdition] = ()
    """What the office wrote of events, and what the calendar's file said."""

    def calendar_at(self, as_of: datetime) -> OfficeCalendar:
        """The markets and events that were known then."""
        return with_named(self.office, self.named, as_of)

    def known_at(self, as_of: datetime) -> "Town":
        """The town whose office has named what it had named by then."""
        return replace(self, office=self.calendar_at(as_of), named=())

    def settled(self, now: datetime) -> datetime:
        """What a report is as of that is asked for now: some seconds ago, or when the office wrote since."""
        return max(settled_at(now), last_written(self.named, now))


def silently(_: str) -> None:
    """Tell nobody."""


def counters_of(town: Town, asked: Asked) -> list[Counter]:
    """The counters that a report is on."""
    return [town.registry.counters[place] for place in asked.places]


def place_hours(
    town: Town, counter: Counter, span: Span, until: datetime, *, filled: bool = False, history: timedelta = HISTORY
) -> PlaceHours:
    """One counter over a span, of what was committed until then. Raises `StoreError`."""
    asked = period_of(span)
    period = Period(asked.start - history, asked.end)
    told = _hours(town, counter, period, until)
    quality = judged(told, _street(town, counter, span))
    hours, fault, estimated, left_out = within(quality, span, town.calendar if filled else None)
    return PlaceHours(
        id=counter.id,
        name=counter.name,
        in_name=counter.in_,
        out_name=counter.out,
        street="" if counter.street is None else street_name(counter.street),
        section=counter.section or "",
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
        yield place_hours(town, counter, asked.period, asked.committed_until, filled=asked.filled)


def year_so_far(town: Town, counter: Counter, span: Span, until: datetime) -> Total | None:
    """What was counted from the first of January to the span's end, as far as it is over and was committed by then.

    None where the span begins with the year, or before it: then it is part of what the span tells. Raises `StoreError`.
    """
    first = datetime(span.last_day.year, 1, 1, tzinfo=town.zone)
    if span.start <= first:
        return None
    begun = until.astimezone(town.zone).replace(minute=0, second=0) + timedelta(hours=1)
    period = period_of(Span(first, min(span.end, begun)))
    if period.end <= period.start:
        return None
    return year_to_date(_hours(town, counter, period, until), span.last_day)


def later_parts(town: Town, asked: Asked, sums: Sequence[PlaceSums]) -> tuple[LaterParts, ...]:
    """What the store committed too late for the report, of each counter of which anything did. Raises `StoreError`."""
    return tuple(later for each in sums if (later := _later(town, asked, each)) is not None)


def _later(town: Town, asked: Asked, told: PlaceSums) -> LaterParts | None:
    period, counter = period_of(asked.period), town.registry.counters[told.id]
    if not _came_later(town, told.id, period, asked.committed_until):
        return None
    now, then = (
        counter_hours(town.registry, town.store, counter, period, town.zone, until)
        for until in (None, asked.committed_until)
    )
    changed = ~(_same(now.in_, then.in_) & _same(now.out, then.out) & _same(now.coverage, then.coverage))
    if not changed.any():
        return None
    return LaterParts(
        place=told.name,
        hours=int(changed.sum()),
        in_=round(float(np.nansum(now.in_) - np.nansum(then.in_))),
        out=round(float(np.nansum(now.out) - np.nansum(then.out))),
    )


def _hours(town: Town, counter: Counter, period: Period, until: datetime) -> Hours:
    """Of what was committed until then; all is read, which is faster, where nothing has come since, nor meanwhile."""
    if not _came_later(town, counter.id, period, until):
        told = counter_hours(town.registry, town.store, counter, period, town.zone, None)
        if not _came_later(town, counter.id, period, until):
            return told
    return counter_hours(town.registry, town.store, counter, period, town.zone, until)


def _came_later(town: Town, counter: str, period: Period, until: datetime) -> bool:
    """Whether anything did that can change these hours, or the doubts in them."""
    serving = town.registry.installations_of(counter, period.start, period.end)
    if not serving:
        return False
    channels = [channel_of(each) for each in serving]
    newest = town.store.newest(channels, period.start - CONTEXT, period.end + CONTEXT)
    return newest is not None and newest > until


def _same(one: Floats, other: Floats) -> Flags:
    same: Flags = (one == other) | (np.isnan(one) & np.isnan(other))
    return same


def _begins(town: Town, counter: Counter, span: Span) -> datetime | None:
    period = period_of(span)
    serving = town.registry.installations_of(counter.id, period.start, period.end)
    first = serving[0].start if serving else period.end
    return None if first <= period.start else first.astimezone(town.zone)


def _street(town: Town, counter: Counter, span: Span) -> Street:
    period = period_of(span)
    serving = town.registry.installations_of(counter.id, period.start, period.end)
    if not serving:
        return Street(
            mode="",
            in_=counter.in_,
            out=counter.out,
            zone=town.zone,
            lively_at_night=counter.lively_at_night,
        )
    return street_of(counter, serving[0], town.zone)
