"""The interface that both stores serve: facts go in and are never changed, hours come out.

Writing is idempotent: a fact that is already there is no error and changes no sum. Order does not matter. When `write`
returns, everything it was given survives a power cut of the store's machine. Two facts that differ never share a key;
should a sender break that rule, nothing is counted twice, and which of them is kept is the store's affair.

A store writes down when it committed each fact, so that a report can be made again as of its date. What a file held
before stores did so was always there.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from edge.messages import Flag, FlowInterval, SpaceState

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2262, 1, 1, tzinfo=UTC)
"""Facts are dated from `EARLIEST` until before `LATEST`: what fits 63 bits of nanoseconds."""
HOUR_S = 3600
Clock = Callable[[], datetime]
"""Tells the time now, UTC."""
_MICROSECOND = timedelta(microseconds=1)


class StoredFlow(Struct, frozen=True, kw_only=True):
    """A flow part and where it came from: (gateway, epoch, device, channel, mode, start, part) is its key."""

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


class SpaceChange(Struct, frozen=True, kw_only=True, order=True):
    """A car came or left: one change of one space, at the moment that the sensor gave for it."""

    device: str
    channel: str
    at: datetime
    occupied: bool
    """What the space became."""


class Passed(Struct, frozen=True, kw_only=True):
    """What one channel counted in one interval: the sum over its parts."""

    channel: Channel
    start: datetime
    seconds: int
    """Length of the interval."""
    in_: int
    out: int | None
    """None where every part counts one direction only."""
    covered_s: int
    """Measured seconds, at most `seconds`."""


class CorrectionCause(StrEnum):
    """How it is known how many cars are in a car park."""

    MANUAL = "manual"
    """Somebody counted them."""
    EMPTY = "empty"
    """It was seen empty."""
    FULL = "full"
    """It was seen full."""
    BOUND = "bound"
    """The count left 0…capacity, which no car park does: it is at the bound."""
    CARRIED = "carried"
    """The count itself, written down so that nobody need sum further back."""


class Correction(Struct, frozen=True, kw_only=True):
    """How many cars are in a car park at an instant: a fact that later counting starts from. (place, at) is its key."""

    place: str
    at: datetime
    """Passages of intervals that start at this instant or later are added to it."""
    occupied: int
    cause: CorrectionCause
    counted: int | None = None
    """What the counting had made of it; None where nothing was counted."""
    note: str = ""
    """Who said so, or what was seen."""


class StoreError(Exception):
    """A store that cannot be reached or did not commit: try again from the queue."""


class StoreUrlError(Exception):
    """A store's address that is not one: which piece of it, and what was expected. Never shows a password."""


class RefusedFactError(StoreError):
    """A fact that the store will never take: to be quarantined, with its reason."""

    def __init__(self, fact: Fact, reason: str) -> None:
        self.fact = fact
        self.reason = reason
        self.others: tuple[RefusedFactError, ...] = ()
        """Further facts of the same write that were refused."""
        super().__init__(reason)


class Store(ABC):
    """History. Methods block; callers run them in a thread. Safe to be called from several threads."""

    @abstractmethod
    def write(self, facts: Sequence[Fact]) -> None:
        """Commit all facts. Raises `StoreError` (nothing may be taken as stored) or `RefusedFactError`.

        `RefusedFactError` names the facts that can never be stored, the first and its `others`; all the rest is
        committed by then.
        """

    @abstractmethod
    def hours(
        self, channels: Sequence[Channel], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[Hour]:
        """Hours with at least one part, `start` <= hour < `end`, ordered by channel and hour. Raises `StoreError`.

        A channel named twice is answered once; one that was never heard of has no hours. With `as_of` only the parts
        add up that were committed until then.
        """

    @abstractmethod
    def newest(self, channels: Sequence[Channel], start: datetime, end: datetime) -> datetime | None:
        """When the newest part of their hours in `start` <= hour < `end` was committed. Raises `StoreError`.

        None where there is none, or none tells.
        """

    @abstractmethod
    def channels(self) -> list[Channel]:
        """Every channel that ever had a part, in order. Raises `StoreError`."""

    @abstractmethod
    def last_states(self) -> list[StoredSpace]:
        """The newest state of every (device, channel). Raises `StoreError`."""

    @abstractmethod
    def changes(
        self, devices: Sequence[str], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[SpaceChange]:
        """The changes of these sensors' spaces, `start` <= change, told before `end`; by device, channel and time.

        However often a state was told, its change is one. One whose moment nobody knows is left out. With `as_of` only
        what was committed until then tells. Raises `StoreError`.
        """

    @abstractmethod
    def intervals(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Passed]:
        """Intervals with at least one part, `start` <= interval < `end`, by channel and time. Raises `StoreError`."""

    @abstractmethod
    def correct(self, corrections: Sequence[Correction]) -> None:
        """Commit corrections, as durably as other facts. Raises `StoreError`."""

    @abstractmethod
    def corrections(self, place: str, start: datetime, end: datetime) -> list[Correction]:
        """What is known of a car park otherwise, `start` <= at < `end`, oldest first. Raises `StoreError`."""

    @abstractmethod
    def ready(self) -> None:
        """Return when the store can take facts. Raises `StoreError` with the reason when it cannot."""

    @abstractmethod
    def close(self) -> None:
        """Release everything; the store is not used afterwards."""


def utc_now() -> datetime:
    """The clock of whoever names no other."""
    return datetime.now(UTC)


def sift(facts: Sequence[Fact], forgotten: datetime | None = None) -> tuple[list[Fact], list[RefusedFactError]]:
    """The facts that can be dated in a store, and the refusals of the others.

    Of hours before `forgotten` nothing is known any more, so nobody could tell a part that comes again.
    """
    sound: list[Fact] = []
    refusals: list[RefusedFactError] = []
    for fact in facts:
        reason = _fault(fact) or _forgotten(fact, forgotten)
        if reason is None:
            sound.append(fact)
        else:
            refusals.append(RefusedFactError(fact, reason))
    return sound, refusals


def raise_refusals(refusals: Sequence[RefusedFactError]) -> None:
    """Raise the first refusal with the others attached, if there is any."""
    if refusals:
        first, *others = refusals
        first.others = tuple(others)
        raise first


def _fault(fact: Fact) -> str | None:
    if isinstance(fact, StoredFlow):
        start = fact.interval.start
        if start.microsecond:
            return f"the interval starts between two seconds: {start.isoformat()}"
        return _undatable(start)
    return _undatable(fact.state.at) or (None if fact.state.since is None else _undatable(fact.state.since))


def _forgotten(fact: Fact, before: datetime | None) -> str | None:
    if before is None or not isinstance(fact, StoredFlow) or fact.interval.start >= before:
        return None
    return f"{fact.interval.start.isoformat()} is before {before:%Y-%m-%d}: hours before it are kept no longer"


def is_datable(at: datetime) -> bool:
    """Whether a fact can be of this time."""
    return EARLIEST <= at < LATEST


def _undatable(at: datetime) -> str | None:
    if is_datable(at):
        return None
    return f"{at.isoformat()} is not between {EARLIEST:%Y} and {LATEST:%Y}"


def to_microseconds(at: datetime) -> int:
    """Microseconds since `EARLIEST`, exactly."""
    return (at - EARLIEST) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The UTC time so many microseconds after `EARLIEST`."""
    return EARLIEST + timedelta(microseconds=microseconds)


def to_seconds(at: datetime) -> int:
    """Whole seconds since `EARLIEST`, rounded down."""
    return to_microseconds(at) // 1_000_000


def from_seconds(seconds: int) -> datetime:
    """The UTC time so many seconds after `EARLIEST`."""
    return EARLIEST + timedelta(seconds=seconds)


def whole_hours(start: datetime, end: datetime) -> range:
    """The starts of the UTC hours in `start` <= hour < `end`, in seconds since `EARLIEST`."""
    return range(_next_hour(start), _next_hour(end), HOUR_S)


def _next_hour(at: datetime) -> int:
    within = min(max(at, EARLIEST), LATEST)
    return -(-to_microseconds(within) // (HOUR_S * 1_000_000)) * HOUR_S
