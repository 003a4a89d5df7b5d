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
from cloud_api.registry.toml import PlacesError, load_places

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
    "PlacesError",
    "Position",
    "Registry",
    "Space",
    "Zone",
    "ZoneKind",
    "load_places",
]
