"""What the comings and goings of cars say: occupancy, turnover, stays, saturation. Pure functions on arrays, defined in
`docs/indicators.md`.

In come the changes that the sensors of some spaces told, in order; out come figures of a period. A car that was there
before the first change, or is there after the last, has a stay whose length nobody knows: it occupies, and is left out
of every figure about lengths.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from msgspec import Struct

from cloud_api.reports.hours import Floats
from cloud_api.reports.open_hours import OpenTime
from cloud_api.stores.base import SpaceChange

DAY_S = 86_400.0
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Stays:
    """Cars on spaces; both arrays have the shape [stay], seconds since 1970."""

    arrived: Floats
    """-inf where the car was there before anything is known."""
    left: Floats
    """inf while it is there."""

    @property
    def lengths(self) -> Floats:
        """In seconds, of those of which both ends are known."""
        both = np.isfinite(self.arrived) & np.isfinite(self.left)
        return (self.left - self.arrived)[both]


class StayLengths(Struct, frozen=True, kw_only=True):
    """How long cars stayed; NaN over no stay."""

    stays: int
    """How many it rests on."""
    mean_s: float
    median_s: float


@dataclass(frozen=True, slots=True)
class Limit:
    """For how long a car may stay."""

    minutes: int
    during: OpenTime | None
    """The time that counts, from before every stay known to after; None where all of it does."""


class Overstays(Struct, frozen=True):
    """Of so many cars that left, how many had stayed for longer than they may."""

    stays: int
    over: int

    @property
    def share(self) -> float | None:
        """0 to 1; None where no car left."""
        return self.over / self.stays if self.stays else None


class Within(Struct, frozen=True):
    """A period, start <= t < end, in seconds since 1970."""

    start: float
    end: float

    @property
    def days(self) -> float:
        """Its length in days of 24 hours."""
        return (self.end - self.start) / DAY_S


def stays_of(changes: Iterable[SpaceChange]) -> Stays:
    """The stays on spaces whose changes are given by space, and in order of time within it.

    A sensor that says the same twice in a row says nothing new.
    """
    stays = [
        stay for _, its in groupby(changes, key=lambda each: (each.device, each.channel)) for stay in _stays(list(its))
    ]
    return Stays(np.array([start for start, _ in stays]), np.array([end for _, end in stays]))


def occupancy(stays: Stays, spaces: int, edges: Floats) -> Floats:
    """The share of the spaces that was occupied, on the mean, between each two edges: float64[edges - 1]."""
    times, level = _levels(stays, edges[0], edges[-1])
    return _between(times, level, edges) / (spaces * np.diff(edges))


def saturated_s(stays: Stays, spaces: int, edges: Floats) -> Floats:
    """For how many seconds between each two edges every space was occupied: float64[edges - 1]."""
    times, level = _levels(stays, edges[0], edges[-1])
    return _between(times, (level >= spaces).astype(np.float64), edges)


def turnover(stays: Stays, spaces: int, within: Within) -> float:
    """Cars that arrived, per space and day of 24 hours."""
    return float(_in(stays.arrived, within).sum()) / (spaces * within.days)


def stay_lengths(stays: Stays, within: Within) -> StayLengths:
    """How long the cars stayed that left within the period."""
    lengths = _ended(stays, within)
    if not len(lengths):
        return StayLengths(stays=0, mean_s=float("nan"), median_s=float("nan"))
    return StayLengths(stays=len(lengths), mean_s=float(lengths.mean()), median_s=float(np.median(lengths)))


def overstays(stays: Stays, within: Within, limit: Limit) -> Overstays:
    """Of the cars that left within the period and whose arrival is known."""
    its = _in(stays.left, within) & np.isfinite(stays.arrived)
    arrived, left = (
        each[its] if limit.during is None else limit.during.until(each[its]) for each in (stays.arrived, stays.left)
    )
    return Overstays(int(its.sum()), int((left - arrived > limit.minutes * MINUTE_S).sum()))


def _stays(changes: Sequence[SpaceChange]) -> list[tuple[float, float]]:
    new = [changes[0], *(after for before, after in pairwise(changes) if after.occupied != before.occupied)]
    starts = [each.at.timestamp() for each in new if each.occupied]
    ends = [each.at.timestamp() for each in new if not each.occupied]
    if not new[0].occupied:
        starts.insert(0, -np.inf)
    if new[-1].occupied:
        ends.append(np.inf)
    return list(zip(starts, ends, strict=True))


def _levels(stays: Stays, first: float, last: float) -> tuple[Floats, Floats]:
    """How many spaces are occupied from each moment on until the next: two arrays of one shape, from `first` on."""
    arrived, left = (np.clip(each, first, last) for each in (stays.arrived, stays.left))
    times = np.concatenate([[first], arrived, left])
    steps = np.concatenate([[0.0], np.ones(len(arrived)), -np.ones(len(left))])
    order = np.argsort(times, kind="stable")
    return times[order], np.cumsum(steps[order])


def _between(times: Floats, level: Floats, edges: Floats) -> Floats:
    """The integral of a level over each stretch between two edges; it stands from each moment until the next."""
    until = np.append(times, edges[-1])
    area = np.concatenate([[0.0], np.cumsum(level * np.diff(until))])
    return np.diff(np.interp(edges, until, area))


def _ended(stays: Stays, within: Within) -> Floats:
    its = _in(stays.left, within) & np.isfinite(stays.arrived)
    return (stays.left - stays.arrived)[its]


def _in(times: Floats, within: Within) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (times >= within.start) & (times < within.end)
