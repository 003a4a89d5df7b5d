"""What a store offers besides taking and telling: raw parts can go while their hours stay, and all of it can move.

Both are slow work for a person or a timer, done in pieces that hold up nobody; each piece may be done again.
"""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from cloud_api.stores.base import Channel, Correction, Store
from cloud_api.stores.kept import CommittedFlow, CommittedSpace, Kept


class Trimmed(Struct, frozen=True, kw_only=True):
    """What one run of retention did."""

    parts: int
    """So many parts went into hourly sums."""
    more: bool
    """Whether there is more to do: another run goes on."""


class FlowSpan(Struct, frozen=True, order=True):
    """From when to when something is known of a channel."""

    channel: Channel
    first: datetime
    last: datetime
    """The newest hour."""


class SpaceSpan(Struct, frozen=True, order=True):
    """From when to when something is known of a space."""

    device: str
    channel: str
    first: datetime
    last: datetime
    """The newest state."""


class LastingStore(Store):
    """A store whose history is trimmed and moved. All methods block and raise `StoreError`."""

    @abstractmethod
    def horizon(self) -> datetime | None:
        """Of intervals before it only hourly sums are told; None where nothing was ever trimmed. It never goes back."""

    @abstractmethod
    def forgotten(self) -> datetime | None:
        """Before it no hours are kept, and no parts taken; None where all are. It never goes back."""

    @abstractmethod
    def forget(self, before: datetime, *, now: datetime) -> None:
        """Let the hours before an instant go for good, with all that they are made of.

        Their keys go too: a part of theirs that comes later cannot be told from one that comes again, so it is refused.
        """

    @abstractmethod
    def trimmable(self, before: datetime) -> int:
        """How many parts of intervals before an instant are kept by themselves."""

    @abstractmethod
    def trim(self, before: datetime, *, now: datetime) -> Trimmed:
        """Let parts of intervals before an instant go, oldest first, as many as one run may; their hours stay.

        Every hour is told afterwards as before, to the unit. The keys of the parts stay: one that comes again is
        recognised, one that comes for the first time is counted. `now` is the time, UTC.
        """

    @abstractmethod
    def settle(self, now: datetime, /) -> bool:
        """Make hours of some days ago quick to tell, as many as one run may; whether there is more to do.

        They are told as before, and what comes late for them is counted. `now` is the time, UTC.
        """

    @abstractmethod
    def flow_spans(self) -> list[FlowSpan]:
        """Every channel, in order."""

    @abstractmethod
    def space_spans(self) -> list[SpaceSpan]:
        """Every space, in order."""

    @abstractmethod
    def parts(self, channel: Channel, start: datetime, end: datetime) -> list[CommittedFlow]:
        """The parts that are kept by themselves, of intervals `start` <= interval < `end`, in order."""

    @abstractmethod
    def kept(self, channel: Channel, start: datetime, end: datetime) -> list[Kept]:
        """What is kept of parts that went, `start` <= hour < `end`, in order."""

    @abstractmethod
    def states(self, device: str, channel: str, start: datetime, end: datetime) -> list[CommittedSpace]:
        """The states of one space, `start` <= at < `end`, in order."""

    @abstractmethod
    def every_correction(self) -> list[Correction]:
        """The corrections of all car parks, by place and time."""

    @abstractmethod
    def take_over(self, facts: Sequence[CommittedFlow | CommittedSpace]) -> None:
        """Commit facts that another store had committed before."""

    @abstractmethod
    def keep(self, sums: Sequence[Kept], horizon: datetime) -> None:
        """Commit what another store had kept of parts that went, and up to where."""
