"""What a report on flows is made from: values that were read and compared before. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud_api.reports.comparison import Compared
from cloud_api.reports.flow_indicators import Total
from cloud_api.reports.place_hours import PlaceSums
from cloud_api.reports.report import Asked, LaterParts
from cloud_api.reports.streets import StreetSums


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFacts:
    """All that a report on flows is made from."""

    asked: Asked
    town: str
    places: Sequence[PlaceSums]
    """At least one."""
    compared: Sequence[PlaceCompared] = ()
    streets: Sequence[StreetSums] = ()
    """Of all places together; none where each counter is a street of its own."""
    years: Sequence[PlaceYear] = ()
    """Of each counter; of none where the period begins with its year: then it is the same."""
    later: tuple[LaterParts, ...] = ()
