"""The interface that both stores serve: facts go in and are never changed, hours come out.

Writing is idempotent: a fact that is already there is no error and changes no sum. Order does not matter. When `write`
returns, everything it was given survives a power cut of the store's machine.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from edge.messages import Flag, FlowInterval, SpaceState


class StoredFlow(Struct, frozen=True, kw_only=True):
    """A flow part with the epoch of the outbox it came from: (epoch, device, channel, mode, start, part) is its key."""

    gateway: str
    epoch: str
    interval: FlowInterval


class StoredSpace(Struct, frozen=True, kw_only=True):
    """A space state as history: (device, channel, at) is its key."""

    gateway: str
    state: SpaceState


Fact = StoredFlow | StoredSpace


class Channel(Struct, frozen=True, order=True):
    """One counted line and one mode of one device: what history is stored under."""

    device: str
    name: str
    mode: str = ""


class Hour(Struct, frozen=True, kw_only=True):
    """What is known of one channel in one UTC hour: the sum over its parts."""

    channel: Channel
    start: datetime
    """UTC, on the hour."""
    in_: int
    out: int | None
    """None where every part counts one direction only."""
    covered_s: int
    """Measured seconds, at most 3600."""
    flags: frozenset[Flag]
    parts: int


class StoreError(Exception):
    """A store that cannot be reached or did not commit: try again from the queue."""


class RefusedFactError(StoreError):
    """A fact that the store will never take: to be quarantined, with its reason."""

    def __init__(self, fact: Fact, reason: str) -> None:
        self.fact = fact
        self.reason = reason
        super().__init__(reason)


class Store(ABC):
    """History. Methods block; callers run them in a thread. Safe to be called from several threads."""

    @abstractmethod
    def write(self, facts: Sequence[Fact]) -> None:
        """Commit all facts. Raises `StoreError` (nothing may be taken as stored) or `RefusedFactError`."""

    @abstractmethod
    def hours(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Hour]:
        """Hours with at least one part, `start` <= hour < `end`, ordered by channel and hour. Raises `StoreError`."""

    @abstractmethod
    def channels(self) -> list[Channel]:
        """Every channel that ever had a part, in order. Raises `StoreError`."""

    @abstractmethod
    def last_states(self) -> list[StoredSpace]:
        """The newest state of every (device, channel). Raises `StoreError`."""

    @abstractmethod
    def ready(self) -> None:
        """Return when the store can take facts. Raises `StoreError` with the reason when it cannot."""

    @abstractmethod
    def close(self) -> None:
        """Release everything; the store is not used afterwards."""
