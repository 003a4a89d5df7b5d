"""The office's events as its page shows them: those that were named, and those of the calendar's file. Blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.registry import Registry
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.event_editions import EventEdition
from cloud_api.registry.files.draft import PlacesError
from cloud_api.reports.calendar import Event, EventKind, OfficeCalendar, load_calendar
from cloud_api.reports.named_events import WHOLE_DAY, NamedEvent, calendar_at, named_events
from cloud_api.reports.report import Language, Span
from cloud_api.reports.writing import Writing, writing_in
from cloud_api.services import Services
from cloud_api.web.office.words import Words, words_in


class EventShown(Struct, frozen=True, kw_only=True):
    """One event, in words."""

    id: str | None = None
    """None: it stands in the calendar's file."""
    edition: int = 0
    name: str
    days: str
    hours: str
    """Empty: the whole day."""
    places: str
    """Empty: the whole town."""
    kind: str
    """Empty: none that has a name."""
    written: str
    """Who wrote it down, and when."""
    withdrawn: bool = False
    begun: bool
    """It can be measured."""


def event_names(services: Services) -> list[str]:
    """The events that a report can be on, the last to begin at the front, each once; none where none can be read:
    the report says what is wrong."""
    try:
        written = services.registry_store.office_events.all()
    except RegistryError:
        written = ()
    named = (each.event for each in named_events(written) if not each.withdrawn)
    found = sorted([*named, *_of_the_file(services, written)], key=lambda each: each.start, reverse=True)
    return list(dict.fromkeys(each.name for each in found))


def events_shown(services: Services, written: Sequence[EventEdition], language: Language) -> list[EventShown]:
    """All events, the last to begin at the front, those of the file after the named ones."""
    tell = _Telling(
        write=writing_in(language),
        words=words_in(language),
        zone=services.settings.time_zone,
        town=services.registry,
        today=services.clock().astimezone(services.settings.time_zone).date(),
    )
    filed = sorted(_of_the_file(services, written), key=lambda each: each.start, reverse=True)
    return [*map(tell.named, named_events(written)), *map(tell.filed, filed)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Telling:
    """What is needed to tell of an event in words."""

    write: Writing
    words: Words
    zone: tzinfo
    town: Registry
    today: date

    def named(self, its: NamedEvent) -> EventShown:
        at = self.write.instant(its.at.astimezone(self.zone))
        template = self.words.event_withdrawn_by if its.withdrawn else self.words.event_written_by
        told = self._told(its.event, template.format(name=its.who, at=at))
        return replace(told, id=its.id, edition=its.edition, withdrawn=its.withdrawn)

    def filed(self, event: Event) -> EventShown:
        return self._told(event, self.words.event_in_file)

    def _told(self, event: Event, written: str) -> EventShown:
        first, after = event.start, event.end + timedelta(days=1)
        return EventShown(
            name=event.name,
            days=self.write.span(Span(self._midnight(first), self._midnight(after))),
            hours="" if event.hours == "-".join(WHOLE_DAY) else event.hours.replace("-", " – "),
            places=", ".join(map(self.town.name_of, event.places)),
            kind="" if event.kind is EventKind.OTHER else self.words.event_kinds[event.kind],
            written=written,
            begun=event.start <= self.today,
        )

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)


def _of_the_file(services: Services, written: Sequence[EventEdition]) -> tuple[Event, ...]:
    """As it is now, or as it was read last where the API reads none."""
    reporter = services.reporter
    if reporter is None or reporter.source.calendar is None:
        return (calendar_at(written, services.clock()) or OfficeCalendar()).events
    try:
        return load_calendar(Path(reporter.source.calendar)).events
    except PlacesError:
        return ()
