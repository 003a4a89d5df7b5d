"""The registry: which places there are, which device and channel serves each, from when to when, and what is closed."""

from cloud_api.registry.geometry import Position
from cloud_api.registry.places import (
    Audience,
    Capacity,
    Closure,
    Counter,
    Counting,
    Device,
    FeedSource,
    Gateway,
    Installation,
    Space,
    Zone,
    ZoneKind,
)
from cloud_api.registry.registry import Registry

__all__ = [
    "Audience",
    "Capacity",
    "Closure",
    "Counter",
    "Counting",
    "Device",
    "FeedSource",
    "Gateway",
    "Installation",
    "Position",
    "Registry",
    "Space",
    "Zone",
    "ZoneKind",
]
