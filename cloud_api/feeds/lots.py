"""What another operator says of its car parks, whatever the tongue.

In come statements that a reader took out of a document, out comes a `Reading`: the lots that can be believed in
themselves, and those that cannot be, each refused by its name. One wrong lot never hides the others.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from cloud_api.registry import Position

MOST_LOTS: Final = 5000
"""In one document; the largest feeds known (a German state's) hold some 3,000."""
LONGEST_ID: Final = 200
_FRACTION: Final = re.compile(r"\.(\d{1,6})\d*")
"""Clocks that tell more than microseconds are cut, not refused."""


class FeedError(Exception):
    """A document that cannot be read at all: where in it, and what was expected there."""

    def __init__(self, place: str, expected: str) -> None:
        self.place = place
        """A path in JSON (`results[3]`), an element of XML, or a line."""
        self.expected = expected
        super().__init__(f"{place}: {expected} expected")


class LotState(StrEnum):
    """What the operator says that a driver would find."""

    OPEN = "open"
    CLOSED = "closed"
    FULL = "full"
    """Its signs say so; a few spaces may be left."""


class Tendency(StrEnum):
    """Where the operator says that it is going."""

    FILLING = "filling"
    STEADY = "steady"
    EMPTYING = "emptying"


class Lot(Struct, frozen=True, kw_only=True):
    """One car park as its operator tells of it. None is what the operator does not say."""

    id: str
    """What the feed calls it."""
    name: str | None = None
    position: Position | None = None
    capacity: int | None = None
    """Spaces in all, for every audience."""
    free: int | None = None
    """Free spaces in all, for every audience."""
    state: LotState | None = None
    at: datetime | None = None
    """As of when, by the operator's clock, UTC."""
    tendency: Tendency | None = None


class Refusal(Struct, frozen=True, kw_only=True):
    """A lot that cannot be as it is told."""

    id: str
    """What the feed calls it, or its place in the document where it has no name."""
    reason: str


class Reading(Struct, frozen=True, kw_only=True):
    """One document, read."""

    lots: tuple[Lot, ...]
    refused: tuple[Refusal, ...] = ()


class RefusedLotError(Exception):
    """What is wrong with one lot."""


Reader = Callable[[bytes], Reading]
"""Reads one tongue. Raises `FeedError`."""


def gather(statements: Iterable[tuple[str, Callable[[], Lot]]]) -> Reading:
    """What can be believed of statements, each with its place in the document. A name told twice is believed once."""
    lots: dict[str, Lot] = {}
    refused: list[Refusal] = []
    for place, read in statements:
        if len(lots) >= MOST_LOTS:
            refused.append(Refusal(id=place, reason=f"at most {MOST_LOTS} car parks in one document expected"))
            break
        try:
            lot = checked(read())
        except RefusedLotError as error:
            refused.append(Refusal(id=place, reason=str(error)))
            continue
        reason = impossible(lot, lot.capacity)
        if lot.id in lots:
            reason = "told twice in one document; once expected"
        if reason is None:
            lots[lot.id] = lot
        else:
            refused.append(Refusal(id=lot.id, reason=reason))
    return Reading(lots=tuple(lots.values()), refused=tuple(refused))


def checked(lot: Lot) -> Lot:
    """A lot with a name that can be kept. Raises `RefusedLotError`."""
    if not lot.id.strip() or len(lot.id) > LONGEST_ID:
        raise RefusedLotError(f"id {lot.id[:40]!r}; 1 to {LONGEST_ID} characters expected")
    return lot


def impossible(lot: Lot, capacity: int | None) -> str | None:
    """Why the figures of a lot of this capacity cannot be; None when they can."""
    if capacity is not None and capacity < 0:
        return f"capacity {capacity}; 0 or more expected"
    if lot.free is not None and lot.free < 0:
        return f"free {lot.free}; 0 or more expected"
    if lot.free is not None and capacity is not None and lot.free > capacity:
        return f"free {lot.free} > capacity {capacity}; at most the capacity expected"
    return None


def moment(text: str) -> datetime:
    """A time of ISO 8601 in UTC; without an offset it is UTC already. Raises `RefusedLotError`."""
    try:
        read = datetime.fromisoformat(_FRACTION.sub(lambda found: f".{found[1]}", text.strip()))
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RefusedLotError(f"time {text[:40]!r}; ISO 8601 expected") from error


def position(lat: float, lon: float) -> Position:
    """A place on Earth. Raises `RefusedLotError`."""
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise RefusedLotError(f"position {lat}, {lon}; degrees of latitude and longitude expected")
    return Position(lat=lat, lon=lon)
