"""What a report on flows is made from: values that were read and compared before. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cloud_api.reports.comparison import Compared
from cloud_api.reports.flow_indicators import Total
from cloud_api.reports.place_hours import PlaceSums
from cloud_api.reports.report import Asked, LaterParts
from cloud_api.reports.streets import StreetSums

NOTABLE_H: Final = 0.5
"""Days that differ by less are alike to whoever goes shopping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCompared:
    """A counter's period against another, over days that can be compared."""

    name: str
    compared: Compared | None
    """None where not one day can be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceYear:
    """What a counter counted from the first of January to the period's end."""

    name: str
    total: Total


@dataclass(frozen=True, slots=True)
class Daylight:
    """How long the days of two periods are from sunrise to sunset: means, hours."""

    now_h: float
    then_h: float

    @property
    def differs(self) -> bool:
        """Whether by so much that it must be told."""
        return abs(self.now_h - self.then_h) >= NOTABLE_H


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFacts:
    """All that a report on flows is made from."""

    asked: Asked
    town: str
    places: Sequence[PlaceSums]
    """At least one."""
    compared: Sequence[PlaceCompared] = ()
    compared_streets: Sequence[PlaceCompared] = ()
    """Of each of `streets`."""
    daylight: Daylight | None = None
    """Of both periods; None where nothing is compared."""
    streets: Sequence[StreetSums] = ()
    """Of all places together; none where each counter is a street of its own."""
    years: Sequence[PlaceYear] = ()
    """Of each counter; of none where the period begins with its year: then it is the same."""
    later: tuple[LaterParts, ...] = ()

    @property
    def heard(self) -> Sequence[PlaceSums]:
        """Those of which anything was measured: what the others have is no mean, and no day of theirs is whole."""
        return [each for each in self.places if each.days.known.any()]

    @property
    def told_compared(self) -> Sequence[PlaceCompared]:
        """What the change of all of them is told by: streets where there are such, for then nobody weighs twice."""
        return self.compared_streets or self.compared
