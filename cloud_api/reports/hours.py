"""A counter's hours as arrays, with the town's calendar beside them: what every indicator of flows is made from.

In come the hours that the API tells; out come arrays of one length, an entry for every local hour of the period. What
nobody measured is NaN, never 0. Pure.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cloud_api.flows import HourlyFlows
from cloud_api.trust import Trust

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

MEASURED: Final = 0.9
"""An hour counts as measured when at least so much of it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """One counter, or several that were added up: all arrays have the shape [hour], in order of time."""

    zone: ZoneInfo
    start: Ints
    """Seconds since 1970."""
    in_: Floats
    """Passages towards `in`; NaN where nobody measured, or this direction is not counted."""
    out: Floats
    coverage: Floats
    """Measured share of the hour, 0 to 1."""
    sound: Flags
    """False where the counts cannot be so (`implausible`)."""
    day: Ints
    """The local date, as days since 0001-01-01 (`date.toordinal`)."""
    hour: Ints
    """Hour of the day by the town's clock, 0 to 23; on the day the clocks go back one of them comes twice."""

    def __len__(self) -> int:
        return len(self.start)

    @property
    def both(self) -> Floats:
        """Both directions together; NaN where neither is known."""
        return np.where(np.isnan(self.in_) & np.isnan(self.out), np.nan, np.nansum([self.in_, self.out], axis=0))

    @property
    def measured(self) -> Flags:
        """Which hours were measured, for nine tenths at least, and can be believed."""
        return (self.coverage >= MEASURED) & self.sound & ~np.isnan(self.both)

    @property
    def weekday(self) -> Ints:
        """0 is Monday."""
        return (self.day - 1) % 7


def hours_of(flows: HourlyFlows, zone: ZoneInfo) -> Hours:
    """A counter's hours, as the API tells them, to the unit."""
    return make_hours(
        [hour.start for hour in flows.hours],
        zone,
        in_=_known(hour.in_ for hour in flows.hours),
        out=_known(hour.out for hour in flows.hours),
        coverage=np.array([hour.coverage for hour in flows.hours]),
        sound=np.array([hour.trust is not Trust.IMPLAUSIBLE for hour in flows.hours], dtype=np.bool_),
    )


def make_hours(
    starts: Sequence[datetime], zone: ZoneInfo, *, in_: Floats, out: Floats, coverage: Floats, sound: Flags
) -> Hours:
    """Hours that begin at these instants; all arrays have the shape [hour]."""
    local = [start.astimezone(zone) for start in starts]
    return Hours(
        zone=zone,
        start=np.array([int(start.timestamp()) for start in starts], dtype=np.int64),
        in_=in_,
        out=out,
        coverage=coverage,
        sound=sound,
        day=np.array([start.toordinal() for start in local], dtype=np.int64),
        hour=np.array([start.hour for start in local], dtype=np.int64),
    )


def added_up(counters: Sequence[Hours]) -> Hours:
    """The sum of counters over the same hours, known only where every one of them is.

    A sum of those that happen to be known would fall when a sensor fails. Both directions stand under `in_`: of several
    counters they need not mean the same. Which counters may be added, so that nobody is counted twice, is `streets`'
    to say. Raises `ValueError` where there is none, or their hours differ.
    """
    return _joined(counters, np.sum)


def averaged(counters: Sequence[Hours]) -> Hours:
    """The mean of counters over the same hours, likewise."""
    return _joined(counters, np.mean)


def _joined(counters: Sequence[Hours], how: Callable[..., Floats]) -> Hours:
    if not counters or any(not np.array_equal(each.start, counters[0].start) for each in counters):
        raise ValueError("counters over the same hours expected, at least one")
    first = counters[0]
    return replace(
        first,
        in_=how([each.both for each in counters], axis=0),
        out=np.full(len(first), np.nan),
        coverage=np.min([each.coverage for each in counters], axis=0),
        sound=np.all([each.sound for each in counters], axis=0),
    )


def _known(counts: Iterable[int | None]) -> Floats:
    return np.array([np.nan if count is None else count for count in counts], dtype=np.float64)
