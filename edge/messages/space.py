"""Spaces, occupied or free."""

from typing import Annotated

from msgspec import Meta, Struct

from edge.messages.base import MAX_BATCH, Message, Name, TimeSource, Utc


class SpaceState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a parking sensor said of one space (or one region it watches)."""

    device: Name
    """Hardware address of the sensor."""
    channel: Name
    """The space or region among those it watches; `1` where it watches one."""
    occupied: bool
    """True when something stands on it."""
    at: Utc
    """When the sensor said so (a heartbeat counts)."""
    since: Utc | None = None
    """Since when it is so; None when the change itself was not seen."""
    source: TimeSource = TimeSource.GATEWAY
    """Whose clock dated it."""


class Space(Message, frozen=True, kw_only=True):
    """The states of all the spaces one sensor watches."""

    kind = "space"
    states: Annotated[tuple[SpaceState, ...], Meta(min_length=1, max_length=MAX_BATCH)]
    """Of one device; never empty."""
