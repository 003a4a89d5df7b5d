"""Events are named, corrected and withdrawn, and the calendar's file is kept: what shell, page and API have in common.

In come texts, out comes the event as it is written now. Editions are only added; who names the edition that he saw
writes over nobody. Blocks on the registry. Raises `AskError`, `EditedMeanwhileError` and `RegistryError`.
"""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from msgspec import Struct

from cloud_api.registry.event_editions import CALENDAR
from cloud_api.registry.office_events import OfficeEventStore
from cloud_api.reports.calendar import load_calendar
from cloud_api.reports.named_events import EventTexts, NamedEvent, body_of, event_of, named_events


class Writer(Struct, frozen=True):
    """Who writes, and when."""

    who: str
    at: datetime


def keep_calendar(events: OfficeEventStore, file: Path, by: Writer) -> None:
    """Write down what the calendar's file says, where it says anything new: older reports go on with what it said.

    Raises `PlacesError` for a file that cannot be read.
    """
    said = body_of(load_calendar(file))
    newest = next((each for each in reversed(events.all()) if each.event == CALENDAR), None)
    events.write(CALENDAR, said, seen=0 if newest is None else newest.number, by=by.who, at=by.at)


def new_event_id() -> str:
    """16 hexadecimal digits that no other event has."""
    return token_hex(8)


def find_event(events: OfficeEventStore, event: str) -> NamedEvent | None:
    """An event, withdrawn ones too; None where nobody ever named it."""
    return next((each for each in named_events(events.all()) if each.id == event), None)


def write_event(
    events: OfficeEventStore, event: str, texts: EventTexts, places: Collection[str], *, seen: int, by: Writer
) -> NamedEvent | None:
    """Write an edition, `seen` being the newest that its writer knows (0: none); None where it says nothing new.

    `places` are the counters that there are.
    """
    its = event_of(texts, places)
    written = events.write(event, body_of(its), seen=seen, by=by.who, at=by.at)
    if written is None:
        return None
    return NamedEvent(id=event, edition=written.number, event=its, who=written.who, at=written.at, withdrawn=False)


def withdraw_event(events: OfficeEventStore, event: str, *, seen: int, by: Writer) -> bool:
    """Withdraw an event, so that reports made from now on do not know it; says whether it was not withdrawn before."""
    return events.write(event, None, seen=seen, by=by.who, at=by.at) is not None
