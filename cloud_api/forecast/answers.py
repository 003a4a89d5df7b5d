"""What the API answers about arrivals and about past forecasts, in the envelope of the other parking answers."""

from typing import Final

from msgspec import Struct

from cloud_api.envelope import Envelope
from cloud_api.forecast.arrival import Arrival
from cloud_api.forecast.record import LeadQuality
from cloud_api.registry.places import Audience

QUALITY_TTL_S: Final = 300
"""Judged once an hour."""


class ZoneForecast(Struct, frozen=True, kw_only=True):
    """What a driver may expect of one zone."""

    id: str
    name: str
    audience: Audience | None
    """For whom the spaces are that are forecast: everybody, where there are such; null where nobody tells."""
    capacity: int
    """How many of these there are."""
    free: int | None
    """How many of these are known to be free now; null where that cannot be believed."""
    forecasts: tuple[Arrival, ...]
    """One for each lead time that was asked for, in that order."""


class ForecastAnswer(Envelope, frozen=True, kw_only=True):
    """One zone on arrival."""

    data: ZoneForecast


class ZoneQuality(Struct, frozen=True, kw_only=True):
    """How good a zone's past forecasts were."""

    id: str
    name: str
    leads: tuple[LeadQuality, ...]
    """By lead time; empty while the zone has no forecasts."""


class QualityList(Struct, frozen=True):
    """The zones of a town."""

    zones: tuple[ZoneQuality, ...]


class QualityAnswer(Envelope, frozen=True, kw_only=True):
    """How good past forecasts were."""

    data: QualityList
