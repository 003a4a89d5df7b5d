"""What a town is made of: zones and their spaces, counters, gateways, and the installations that tie devices to them.

Values only, frozen and compared by value. An identifier is part of URLs, so it holds nothing that would need escaping.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from edge.messages import Name, Utc

PlaceId = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
"""Lower-case letters, digits and hyphens, at most 63."""
Label = Annotated[str, Meta(min_length=1, max_length=200)]
GatewayId = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]


class Position(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a place is, in degrees of WGS 84."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class Zone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parking spaces that a driver thinks of as one place."""

    id: PlaceId
    name: Label
    position: Position


class Space(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One parking space."""

    id: PlaceId
    zone: PlaceId
    audience: Annotated[str, Meta(pattern="^(public|pmr|ev|delivery|season|two_wheels)$")] = "public"
    """Who may park here; `pmr` is for holders of a disabled person's badge."""
    position: Position | None = None


class Counter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place where people are counted."""

    id: PlaceId
    name: Label
    position: Position
    in_: Label = field(name="in")
    """What `in` means in this street, in the town's words (`vers la gare`)."""
    out: Label = field()
    """What `out` means."""


class Installation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which device and channel serves which place, from when to when, which way round."""

    place: PlaceId
    """A counter or a space."""
    device: Name
    channel: Name
    mode: str = ""
    """The device's word for what it counts; empty where it does not tell."""
    start: Utc = field(name="from")
    """On the full hour: history is kept by the hour."""
    end: Utc | None = field(name="to", default=None)
    """First instant that no longer belongs to it, on the full hour; None while it lasts."""
    reversed: bool = False
    """The device's first direction is the street's `out`."""
    factor: Annotated[float, Meta(ge=0.1, le=10)] = 1.0
    """True passages per counted one, from a manual count. Applied at the place, never to stored measurements."""

    def serves_at(self, instant: datetime) -> bool:
        """Whether the device serves the place at this instant."""
        return self.start <= instant and (self.end is None or instant < self.end)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether any of `start` <= t < `end` belongs to it."""
        return self.start < end and (self.end is None or start < self.end)


class Gateway(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An edge node, and what people call it."""

    name: GatewayId
    """As in its topics."""
    label: Label
