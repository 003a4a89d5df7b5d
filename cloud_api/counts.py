"""How many spaces are free, occupied, unknown and closed: of a zone, or of one audience of it. Values only."""

from datetime import datetime

from msgspec import Struct

from cloud_api.registry.places import Audience
from cloud_api.trend import Trend
from cloud_api.trust import Cause, Trust


class Counts(Struct, frozen=True, kw_only=True):
    """Spaces now. `free + occupied + unknown + closed = capacity` wherever free and occupied are known."""

    capacity: int
    free: int | None
    """Spaces known to be free; null when nothing is known of any."""
    occupied: int | None
    """Spaces known to be occupied; null when nothing is known of any."""
    unknown: int
    """Spaces whose last news cannot be believed, or that never had any."""
    closed: int
    trust: Trust
    cause: Cause | None
    measured_at: datetime | None
    """The newest news that the figures rest on, UTC; where they rest on none, the newest there ever was."""
    oldest_at: datetime | None
    """The oldest news that the figures rest on, UTC; null where they rest on none."""
    trend: Trend | None = None
    """Where it has been going for the last half-hour; null while that is not known."""


class AudienceCounts(Counts, frozen=True, kw_only=True):
    """Spaces kept for one audience."""

    audience: Audience
