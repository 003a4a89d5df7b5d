"""What a reader of exports hands on: counts, cells that are empty, and lines that cannot be taken. Values only."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct


class Way(StrEnum):
    """Which direction a column counts; it is the channel's name in the store."""

    IN = "in"
    OUT = "out"
    BOTH = "both"
    """Both together: the export does not tell them apart."""


class Count(Struct, frozen=True, kw_only=True):
    """Passages of one counter in one direction in one interval."""

    counter: str
    """As the export names it."""
    way: Way
    start: datetime
    """UTC."""
    seconds: int
    """Length of the interval, 60 to 3600, a divisor of 3600."""
    passages: int
    line: int
    """1-based."""


class Refused(Struct, frozen=True, kw_only=True):
    """A line, or a cell of it, that is not taken."""

    line: int
    field: str
    """The column; empty where it is the whole line."""
    text: str
    """What stands there."""
    reason: str
    """What is wrong, and what was expected."""


class Empty(Struct, frozen=True):
    """A cell without a count: nobody measured."""

    line: int


class UnreadableError(Exception):
    """An export that cannot be read at all: what of it, and what was expected."""


Read = Iterator[Count | Refused | Empty]
Lines = Iterable[str]
Profile = Callable[[Lines, ZoneInfo], Read]
"""Reads an export, line by line, times without an offset by the clock of a zone. Raises `UnreadableError`."""

MOST: int = 2**40
"""As in the contract (`edge.messages.Count`)."""


def passages_in(text: str) -> int | None:
    """A whole number of passages, written `12`, `12.0` or `1 234`; None where it is none."""
    plain = text.replace("\N{NO-BREAK SPACE}", "").replace("\N{NARROW NO-BREAK SPACE}", "").replace(" ", "")
    whole, _, rest = plain.replace(",", ".").partition(".")
    known = whole.isascii() and whole.isdecimal() and not rest.strip("0")
    return int(whole) if known and int(whole) <= MOST else None
