"""Events that the office names on its page or from the shell: from what was typed, and as known at a date. Pure.

In come texts, out comes an `Event`, or one `AskError` that names the field and says in both languages what was
expected.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from cloud_api.registry.event_editions import CALENDAR, EventEdition
from cloud_api.registry.soundness import FORMULA
from cloud_api.reports.asking import AskError
from cloud_api.reports.calendar import LONGEST_EVENT, YEARS, Event, EventKind, OfficeCalendar
from cloud_api.trust import Cause

LONGEST_NAME: Final = 200
WHOLE_DAY: Final = ("00:00", "24:00")
CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
AT_ONCE: Final = timedelta(seconds=1)
NEVER: Final = datetime.min.replace(tzinfo=UTC)


class EventTexts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event as it was typed."""

    name: str = ""
    start: str = field(name="from", default="")
    """Its first day (`2026-11-27`)."""
    end: str = field(name="to", default="")
    """Its last day, included; empty for the first."""
    opens: str = ""
    """Of each day, by the town's clock (`10:00`); empty for midnight."""
    closes: str = ""
    """Likewise; before `opens` it is past midnight."""
    places: tuple[str, ...] = ()
    """Counters where it is, by their ids; none: the whole town."""
    kind: str = EventKind.OTHER.value


class EventChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be another in an event as it was typed; what is null stays."""

    name: str | None = None
    start: str | None = field(name="from", default=None)
    end: str | None = field(name="to", default=None)
    opens: str | None = None
    closes: str | None = None
    places: tuple[str, ...] | None = None
    kind: str | None = None

    def made(self, event: Event) -> EventTexts:
        """What is to be typed for the event when it is corrected so."""
        said = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return replace(texts_of(event), **{name: value for name, value in said if value is not None})


def event_of(texts: EventTexts, known: Collection[str]) -> Event:
    """The event that was typed; `known` are the places that there are. Raises `AskError`."""
    start = _day("start", texts.start)
    end = _day("end", texts.end) if texts.end else start
    if end < start or end - start > LONGEST_EVENT:
        raise AskError(
            "end",
            Cause(
                "le dernier jour est attendu : le premier ou un jour qui suit, un an plus tard au plus",
                "the last day expected: the first or a later one, a year later at most",
            ),
        )
    opens, closes = _clock("opens", texts.opens), _clock("closes", texts.closes)
    return Event(
        name=_name(texts.name),
        start=start,
        end=end,
        hours=f"{opens or WHOLE_DAY[0]}-{closes or WHOLE_DAY[1]}",
        places=_places(texts.places, known),
        kind=_kind(texts.kind),
    )


def texts_of(event: Event) -> EventTexts:
    """What is to be typed for an event."""
    opens, _, closes = event.hours.partition("-")
    return EventTexts(
        name=event.name,
        start=event.start.isoformat(),
        end=event.end.isoformat(),
        opens="" if opens == WHOLE_DAY[0] else opens,
        closes="" if closes == WHOLE_DAY[1] else closes,
        places=event.places,
        kind=event.kind.value,
    )


def body_of(said: Event | OfficeCalendar) -> dict[str, Any]:
    """What is kept of it: JSON."""
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(said))
    return body


class NamedEvent(Struct, frozen=True, kw_only=True):
    """An event with who wrote it down last, and when."""

    id: str
    edition: int
    """To be named by whoever changes it."""
    event: Event
    """As it was last; also where it is withdrawn."""
    who: str
    at: datetime
    withdrawn: bool


def named_events(editions: Iterable[EventEdition]) -> list[NamedEvent]:
    """Every event, as its newest edition says, the last to begin at the front."""
    found: dict[str, NamedEvent] = {}
    for each in editions:
        if each.event == CALENDAR:
            continue
        known = found.get(each.event)
        if each.body is not None:
            event = msgspec.convert(each.body, Event)
        elif known is not None:
            event = known.event
        else:
            continue
        found[each.event] = NamedEvent(
            id=each.event,
            edition=each.number,
            event=event,
            who=each.who,
            at=each.at,
            withdrawn=each.body is None,
        )
    return sorted(found.values(), key=lambda each: (each.event.start, each.event.name), reverse=True)


def with_named(calendar: OfficeCalendar, editions: Sequence[EventEdition], as_of: datetime) -> OfficeCalendar:
    """What the calendar's file said then (`calendar`, where it was never read), and the events named by then."""
    calendar = calendar_at(editions, as_of) or calendar
    then = named_events(each for each in editions if each.at <= as_of)
    events = (each.event for each in reversed(then) if not each.withdrawn)
    return replace(calendar, events=(*calendar.events, *events))


def calendar_at(editions: Iterable[EventEdition], as_of: datetime) -> OfficeCalendar | None:
    """What the calendar's file said then; before anybody read it, what it said first. None where nobody ever did."""
    kept = [each for each in editions if each.event == CALENDAR]
    known = [each for each in kept if each.at <= as_of] or kept[:1]
    return msgspec.convert(known[-1].body, OfficeCalendar) if known else None


def last_written(editions: Iterable[EventEdition], now: datetime) -> datetime:
    """When the newest edition was written that counts by now; the beginning of time where there is none.

    Several that are written at once are told apart by microseconds that are still to come.
    """
    return max((each.at for each in editions if each.at <= now + AT_ONCE), default=NEVER)


def _day(field: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise AskError(
            field,
            Cause(f"{text or 'vide'} : un jour (2026-11-27) est attendu", f"{text!r}: a day (2026-11-27) expected"),
        ) from None
    if day.year not in YEARS:
        first, last = YEARS[0], YEARS[-1]
        raise AskError(
            field,
            Cause(
                f"{text} : un jour de {first} à {last} est attendu", f"{text!r}: a day from {first} to {last} expected"
            ),
        )
    return day


def _clock(field: str, text: str) -> str:
    """`HH:MM`, or nothing."""
    if not text or (field == "closes" and text == WHOLE_DAY[1]):
        return text
    if CLOCK.fullmatch(text) is None:
        raise AskError(
            field,
            Cause(f"{text} : une heure (10:00) est attendue", f"{text!r}: a time (10:00) expected"),
        )
    return text


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME:
        raise AskError(
            "name",
            Cause(
                f"un nom de 1 à {LONGEST_NAME} caractères est attendu",
                f"a name of 1 to {LONGEST_NAME} letters expected",
            ),
        )
    if name.startswith(FORMULA):
        raise AskError(
            "name",
            Cause(
                f"{name} : commence comme une formule de tableur ; une lettre ou un chiffre est attendu",
                f"{name!r} begins as a spreadsheet's formula does; a letter or a figure expected",
            ),
        )
    return name


def _places(named: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    for place in named:
        if place not in known:
            some = ", ".join(sorted(known)[:20]) or "–"
            raise AskError("place", Cause(f"{place} : inconnu ; connus : {some}", f"no place {place!r}; known: {some}"))
    return tuple(dict.fromkeys(named))


def _kind(text: str) -> EventKind:
    try:
        return EventKind(text)
    except ValueError:
        names = ", ".join(EventKind)
        raise AskError(
            "kind", Cause(f"{text} : l’un de {names} est attendu", f"{text!r}: one of {names} expected")
        ) from None
