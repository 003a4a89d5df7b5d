"""The registry: which places there are, and which device and channel serves each, from when to when."""

from cloud_api.registry.places import Counter, Gateway, Installation, Position, Space, Zone
from cloud_api.registry.registry import Registry
from cloud_api.registry.toml import PlacesError, load_places

__all__ = [
    "Counter",
    "Gateway",
    "Installation",
    "PlacesError",
    "Position",
    "Registry",
    "Space",
    "Zone",
    "load_places",
]
