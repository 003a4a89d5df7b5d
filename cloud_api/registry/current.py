"""The one holder of the registry that the parts of one town's API work with: all of them ask it.

It is exchanged on the event loop, between two steps of whoever runs there, so that all see the same snapshot. A thread
is given a snapshot and keeps it for as long as its work lasts.
"""

from typing import TYPE_CHECKING

from cloud_api.registry.registry import Registry

if TYPE_CHECKING:
    from cloud_api.registry.store import RegistryStore


class CurrentRegistry:
    """Guards that there is one registry at a time, whoever asks."""

    def __init__(self, registry: Registry, revision: int = 0) -> None:
        self.now = registry
        self.revision = revision
        """Of the store, when the snapshot was taken: it may hold younger changes too, never fewer."""

    def replace(self, other: "CurrentRegistry") -> Registry:
        """Hold another snapshot; returns the one that was held before."""
        before = self.now
        self.now, self.revision = other.now, other.revision
        return before


def read_current(store: "RegistryStore") -> CurrentRegistry:
    """The registry as it is in the store now. Blocks. Raises `RegistryError`."""
    revision = store.revision()
    return CurrentRegistry(store.snapshot(), revision)
