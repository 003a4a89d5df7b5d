"""Makes a report in a process of its own, so that the API answers meanwhile whoever asks where to park.

In come, on standard input, what is asked and what is known of the town; out come, on standard output, one line that
tells how it went and then the file. Run as `python -m cloud_api.reports.apart`.
"""

import sys
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from cloud_api.apart import ApartError, ask_apart, read_question
from cloud_api.registry import Registry
from cloud_api.registry.contradictions import Tables
from cloud_api.registry.event_editions import EventEdition
from cloud_api.reports.asking import AskError, Texts
from cloud_api.reports.formats import Format
from cloud_api.reports.making import Source, asked_of, opened, pieces
from cloud_api.stores.base import StoreError
from cloud_api.trust import Cause

MODULE: Final = "cloud_api.reports.apart"
LINE_END: Final = b"\n"


class Question(Struct, frozen=True, kw_only=True):
    """What a report depends on."""

    texts: Texts
    now: datetime
    form: Format
    source: Source
    town: Tables
    named: tuple[EventEdition, ...] = ()
    """What the office wrote of events."""


class Made(Struct, frozen=True, tag=True):
    """The file follows."""


class Misasked(Struct, frozen=True, tag=True):
    """It cannot be asked so: the parts of an `AskError`."""

    field: str
    cause: Cause


class Away(Struct, frozen=True, tag=True):
    """The store cannot be read."""

    reason: str


How = Made | Misasked | Away


async def file_apart(question: Question) -> bytes:
    """A report's file; the process ends with the task that waits for it. Raises `AskError` and `StoreError`."""
    try:
        out = await ask_apart(MODULE, msgspec.json.encode(question))
    except ApartError as error:
        raise StoreError(f"no report from its process: {error}") from error
    line, _, file = out.partition(LINE_END)
    how: How = msgspec.json.decode(line, type=How)
    match how:
        case Misasked(field, cause):
            raise AskError(field, cause)
        case Away(reason):
            raise StoreError(reason)
        case Made():
            return file


def answer_to(question: Question) -> tuple[How, bytes]:
    """The same, here and now."""
    town = Registry(**msgspec.structs.asdict(question.town))
    try:
        with opened(question.source, town, question.named) as known:
            asked = asked_of(known, question.texts, question.now)
            return Made(), b"".join(pieces(known, asked, question.form))
    except AskError as error:
        return Misasked(error.field, error.cause), b""
    except StoreError as error:
        return Away(str(error)), b""


def main() -> None:
    """Answer the question on standard input."""
    question = msgspec.json.decode(read_question(), type=Question)
    how, file = answer_to(question)
    sys.stdout.buffer.write(msgspec.json.encode(how) + LINE_END + file)


if __name__ == "__main__":
    main()
