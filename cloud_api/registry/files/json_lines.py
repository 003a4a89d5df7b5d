"""JSON whose parts know on which line they stand. In comes text, out come members and elements with their offsets."""

from bisect import bisect_right
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final

from msgspec import Struct

_DECODER: Final = JSONDecoder()
_BLANK: Final = " \t\r\n"


class Part(Struct, frozen=True):
    """A value within a text, and what it stands for."""

    name: str
    """The member's name; empty for an element of an array."""
    value: Any
    at: int
    """Where the value begins, characters from the start of the text."""
    named_at: int
    """Where its name begins; where it begins itself when it has none."""


class Lines:
    """Which line a character stands on."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(index + 1 for index, character in enumerate(text) if character == "\n")]

    def of(self, at: int) -> int:
        """1-based."""
        return bisect_right(self._starts, at)


def members(text: str, at: int = 0) -> Iterator[Part]:
    """The members of the object that begins at a place. Raises `JSONDecodeError`."""
    at = _expect(text, at, "{")
    if text.startswith("}", at):
        return
    while True:
        if not text.startswith('"', at):
            raise JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
        named_at = at
        name, at = _DECODER.raw_decode(text, at)
        at = _expect(text, at, ":")
        value, end = _DECODER.raw_decode(text, at)
        yield Part(name, value, at, named_at)
        at = _skip(text, end)
        if text.startswith("}", at):
            return
        at = _expect(text, at, ",")


def elements(text: str, at: int) -> Iterator[Part]:
    """The elements of the array that begins at a place. Raises `JSONDecodeError`."""
    at = _expect(text, at, "[")
    while not text.startswith("]", at):
        value, end = _DECODER.raw_decode(text, at)
        yield Part("", value, at, at)
        at = _skip(text, end)
        if text.startswith(",", at):
            at = _skip(text, at + 1)


def _expect(text: str, at: int, sign: str) -> int:
    at = _skip(text, at)
    if not text.startswith(sign, at):
        raise JSONDecodeError(f"Expecting {sign!r}", text, at)
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at
