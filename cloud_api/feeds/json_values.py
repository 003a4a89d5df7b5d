"""JSON of others, bounded and taken apart with one message for each thing that is not as expected."""

from contextlib import suppress
from typing import Final, TypeAlias, TypeVar

import msgspec

from cloud_api.feeds.lots import FeedError, RefusedLotError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Object: TypeAlias = dict[str, Json]
Word = TypeVar("Word")
LARGEST: Final = 2**31


def decoded(body: bytes) -> Json:
    """The document. Raises `FeedError` with the byte where it ends to be JSON."""
    try:
        document: Json = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FeedError("document", f"JSON ({error})") from error
    return document


def entries(value: Json, place: str) -> list[Json]:
    """The entries of a list. Raises `FeedError`."""
    if not isinstance(value, list):
        raise FeedError(place, "a list")
    return value


def members(value: Json) -> Object:
    """The members of one lot's object. Raises `RefusedLotError`."""
    if not isinstance(value, dict):
        raise RefusedLotError("an object expected")
    return value


def number(value: Json, name: str) -> float | None:
    """A number, or the text of one; None where there is none. Raises `RefusedLotError`."""
    if value is None or value == "":
        return None
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        with suppress(ValueError):
            read = float(value)
            if -LARGEST < read < LARGEST:
                return read
    raise RefusedLotError(f"{name} {str(value)[:40]!r}; a number expected")


def count(value: Json, name: str) -> int | None:
    """A whole number, or the text of one; None where there is none. Raises `RefusedLotError`."""
    read = number(value, name)
    if read is not None and not read.is_integer():
        raise RefusedLotError(f"{name} {read}; a whole number expected")
    return None if read is None else int(read)


def text(value: Json) -> str | None:
    """A text, or a number as one; None where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        return None
    return str(value)


def word(value: Json, name: str, meanings: dict[str, Word]) -> Word | None:
    """What a word of the operator's means; None where there is none. Raises `RefusedLotError` for a word not known."""
    said = text(value)
    if said is None:
        return None
    if said not in meanings:
        raise RefusedLotError(f"{name} {said[:40]!r}; one of {', '.join(meanings)} expected")
    return meanings[said]


def required(value: str | None, name: str) -> str:
    """A text that must be there. Raises `RefusedLotError`."""
    if value is None:
        raise RefusedLotError(f"{name} missing")
    return value
