"""One counter's hours with the verdict on each, and their sums by day: what reports on flows are made from. Pure.

What was counted is summed as the API tells it, to the unit, whether it can be believed or not; beside it stands how
much of it was measured whole and can be believed, and, on request, what was estimated. A sum over several counters is
the sum of their sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

import numpy as np

from cloud_api.forecast.days import Calendar
from cloud_api.reports.filling import filled
from cloud_api.reports.flow_indicators import DAYS_A_WEEK, HOURS_A_DAY
from cloud_api.reports.hours import Flags, Floats, Hours, Ints
from cloud_api.reports.quality import FAULTS, SOUND, Fault, LeftOutHours, Quality
from cloud_api.reports.report import KnownHours, Span

MISSING: Final = FAULTS.index(Fault.NOT_MEASURED)
PARTIAL: Final = FAULTS.index(Fault.PARTLY_MEASURED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHours:
    """A counter over a period; arrays have the shape [hour], one entry for every local hour."""

    id: str
    name: str
    in_name: str
    """What `in` means there, in the town's words."""
    out_name: str
    street: str
    """The street it is told with; empty where nobody named one."""
    section: str
    """The line across it that it counts a part of; empty where it counts one of its own."""
    begins: datetime | None
    """When within the period a sensor began to serve it; its end where none did; None where one did all along."""
    hours: Hours
    """As the API tells them."""
    fault: Ints
    """Index into `quality.FAULTS`; `SOUND` where the hour is measured and can be believed."""
    estimated: Floats
    """Passages estimated for an hour that is left out; NaN where it is not, or nothing was asked to be filled in."""
    left_out: tuple[LeftOutHours, ...]

    @property
    def sound(self) -> Flags:
        """Hours that were measured and can be believed."""
        sound: Flags = self.fault == SOUND
        return sound

    @property
    def believed(self) -> Hours:
        """The same hours, those that cannot be believed marked so."""
        doubted = (self.fault != SOUND) & (self.fault != MISSING) & (self.fault != PARTIAL)
        return replace(self.hours, sound=~doubted)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySums:
    """Sums by local day; arrays have the shape [day], for every day of the period."""

    first: date
    in_: Ints
    in_known: Flags
    """Whether anything of it was counted in this direction."""
    out: Ints
    out_known: Flags
    sound: Ints
    """Passages of both directions in hours that were measured whole and can be believed."""
    estimated: Ints
    open: Floats
    """Of `sound`, those while shops were open."""
    hours: Ints
    measured_h: Ints
    estimated_h: Ints
    partial_h: Ints
    doubtful_h: Ints
    missing_h: Ints
    covered_h: Floats
    """Hours measured, in parts of hours."""

    def __len__(self) -> int:
        return len(self.hours)

    @property
    def counted(self) -> Ints:
        """Passages of both directions."""
        return self.in_ + self.out

    @property
    def known(self) -> Flags:
        """Whether anything was counted."""
        return self.in_known | self.out_known

    def day(self, at: int) -> date:
        """The local day of an entry."""
        return date.fromordinal(self.first.toordinal() + at)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSums:
    """A counter over a period, without its hours: small, however long the period."""

    id: str
    name: str
    in_name: str
    out_name: str
    begins: datetime | None
    """As of `PlaceHours`."""
    days: DaySums
    week: Floats
    """float64[7, 24]: the mean passages of each hour of the week over sound hours; NaN where there is none."""
    week_over: Ints
    """int64[7, 24]: how many hours each mean is taken over."""
    left_out: tuple[LeftOutHours, ...]


def within(
    quality: Quality, span: Span, calendar: Calendar | None
) -> tuple[Hours, Ints, Floats, tuple[LeftOutHours, ...]]:
    """Of a judged history what lies in a span: hours, faults, estimates and what was left out.

    Nothing is estimated without a calendar.
    """
    start, end = int(span.start.timestamp()), int(span.end.timestamp())
    its = (quality.hours.start >= start) & (quality.hours.start < end)
    estimated = np.full(len(its), np.nan) if calendar is None else filled(quality, calendar).estimated
    return (
        cut(quality.hours, its),
        quality.fault[its].astype(np.int64),
        estimated[its],
        tuple(each for each in quality.left_out if each.start < span.end and each.end > span.start),
    )


def cut(hours: Hours, its: Flags) -> Hours:
    """Some of the hours."""
    return Hours(
        zone=hours.zone,
        start=hours.start[its],
        in_=hours.in_[its],
        out=hours.out[its],
        coverage=hours.coverage[its],
        sound=hours.sound[its],
        day=hours.day[its],
        hour=hours.hour[its],
    )


def summed(place: PlaceHours, open_: Floats) -> PlaceSums:
    """A counter's sums; `open_`: float64[hour], how much of each hour shops are open."""
    week, over = _week(place)
    return PlaceSums(
        id=place.id,
        name=place.name,
        in_name=place.in_name,
        out_name=place.out_name,
        begins=place.begins,
        days=_day_sums(place, open_),
        week=week,
        week_over=over,
        left_out=place.left_out,
    )


def together(places: Sequence[DaySums]) -> DaySums:
    """Several counters' sums over the same days, added up; at least one."""
    first = places[0]
    return DaySums(
        first=first.first,
        in_=np.sum([each.in_ for each in places], axis=0),
        in_known=np.any([each.in_known for each in places], axis=0),
        out=np.sum([each.out for each in places], axis=0),
        out_known=np.any([each.out_known for each in places], axis=0),
        sound=np.sum([each.sound for each in places], axis=0),
        estimated=np.sum([each.estimated for each in places], axis=0),
        open=np.sum([each.open for each in places], axis=0),
        hours=np.sum([each.hours for each in places], axis=0),
        measured_h=np.sum([each.measured_h for each in places], axis=0),
        estimated_h=np.sum([each.estimated_h for each in places], axis=0),
        partial_h=np.sum([each.partial_h for each in places], axis=0),
        doubtful_h=np.sum([each.doubtful_h for each in places], axis=0),
        missing_h=np.sum([each.missing_h for each in places], axis=0),
        covered_h=np.sum([each.covered_h for each in places], axis=0),
    )


def known_hours(days: DaySums) -> KnownHours:
    """How much is known of all days together."""
    return KnownHours(
        hours=int(days.hours.sum()),
        measured=int(days.measured_h.sum()),
        partial=int(days.partial_h.sum()),
        doubtful=int(days.doubtful_h.sum()),
        estimated=int(days.estimated_h.sum()),
        missing=int(days.missing_h.sum()),
    )


def _day_sums(place: PlaceHours, open_: Floats) -> DaySums:
    hours, fault = place.hours, place.fault
    first = int(hours.day[0])
    day, length = hours.day - first, int(hours.day[-1]) - first + 1
    estimated = ~np.isnan(place.estimated)
    sound = place.sound
    left = ~sound & ~estimated

    def total(of: Floats | Flags) -> Floats:
        sums: Floats = np.bincount(day, weights=of, minlength=length).astype(np.float64)
        return sums

    def whole(of: Floats | Flags) -> Ints:
        return np.rint(total(of)).astype(np.int64)

    return DaySums(
        first=date.fromordinal(first),
        in_=whole(np.nan_to_num(hours.in_)),
        in_known=total(~np.isnan(hours.in_)) > 0,
        out=whole(np.nan_to_num(hours.out)),
        out_known=total(~np.isnan(hours.out)) > 0,
        sound=whole(np.where(sound, np.nan_to_num(hours.both), 0.0)),
        estimated=whole(np.nan_to_num(place.estimated)),
        open=total(np.where(sound, np.nan_to_num(hours.both) * open_, 0.0)),
        hours=whole(np.ones(len(hours))),
        measured_h=whole(sound),
        estimated_h=whole(estimated),
        partial_h=whole(left & (fault == PARTIAL)),
        doubtful_h=whole(left & (fault != PARTIAL) & (fault != MISSING)),
        missing_h=whole(left & (fault == MISSING)),
        covered_h=total(hours.coverage),
    )


def _week(place: PlaceHours) -> tuple[Floats, Ints]:
    sound = place.sound
    cell = (place.hours.weekday * HOURS_A_DAY + place.hours.hour)[sound]
    size = DAYS_A_WEEK * HOURS_A_DAY
    over: Ints = np.bincount(cell, minlength=size)
    sums: Floats = np.bincount(cell, weights=place.hours.both[sound], minlength=size).astype(np.float64)
    means: Floats = np.where(over > 0, sums / np.maximum(over, 1), np.nan)
    return means.reshape(DAYS_A_WEEK, HOURS_A_DAY), over.reshape(DAYS_A_WEEK, HOURS_A_DAY)


def starts_of(hours: Hours) -> list[datetime]:
    """The start of each hour, local with its offset."""
    return [datetime.fromtimestamp(int(start), UTC).astimezone(hours.zone) for start in hours.start]
