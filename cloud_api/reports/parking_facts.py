"""What a report on parking is made from. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud_api.registry.places import MaxStay
from cloud_api.reports.hours import Floats
from cloud_api.reports.parking_indicators import Overstays, Stays
from cloud_api.reports.report import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneStays:
    """The stays in one zone over a period."""

    name: str
    counted_by_space: bool
    """False where cars are counted at entrances, another operator tells, or nobody counts: no stay is known there."""
    spaces: int
    known: int
    """Of so many spaces something is known."""
    stays: Stays
    limited: Sequence[tuple[MaxStay, Overstays]]
    """For each limit that holds on spaces there, the cars that left them; empty where no limit is set."""
    edges: Floats
    """float64[hour + 1]: where its hours begin and end, seconds since 1970; empty where none is over yet."""
    starts: tuple[datetime, ...]
    """Where its hours begin, local with their offsets."""
    later: int
    """Changes that came into the store after the report's date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingFacts:
    """All that a report on parking is made from."""

    asked: Asked
    town: str
    zones: Sequence[ZoneStays]
    """At least one."""
