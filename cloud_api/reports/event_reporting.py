"""Makes a report on an event: reads its streets and the others with their season, one counter at a time.

Blocks on the store. Where the event takes place is the calendar's to say, unless counters are named.
"""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import Final

from cloud_api.registry import Counter
from cloud_api.reports.asking import AskError, Texts, as_of_asked, ask
from cloud_api.reports.calendar import Event
from cloud_api.reports.event_effect import SEASON, Days, effect_of
from cloud_api.reports.event_report import EventFacts, event_report
from cloud_api.reports.gathering import Progress, Town, place_hours, silently
from cloud_api.reports.hours import Hours
from cloud_api.reports.report import Asked, Report, Span
from cloud_api.reports.streets import Street, street_hours, streets_of
from cloud_api.trust import Cause

YEAR: Final = timedelta(days=366)
NONE_BEFORE: Final = timedelta()


def event_asked(town: Town, texts: Texts, now: datetime) -> Asked:
    """What is asked of an event: its own days are the period. Raises `AskError`."""
    settled = town.settled(now)
    event = event_named(town.known_at(as_of_asked(texts.as_of, town.zone, settled)), texts.event)
    first, last = event.days[0], event.days[-1] + timedelta(days=1)
    known = list(town.registry.counters)
    places = texts.places or tuple(place for place in event.places if place in known)
    return ask(
        Texts(
            kind=texts.kind,
            start=first.isoformat(),
            end=last.isoformat(),
            places=places,
            as_of=texts.as_of,
            language=texts.language,
            event=event.name,
        ),
        town.zone,
        now,
        known,
        settled=settled,
    )


def event_named(town: Town, name: str | None) -> Event:
    """An event of the office's calendar. Raises `AskError`."""
    event = None if name is None else town.office.event(name)
    if event is None:
        names = ", ".join(sorted({each.name for each in town.office.events})) or "–"
        raise AskError(
            "event",
            Cause(
                f"{name or 'aucun'} : un événement de l’agenda de l’office est attendu ; il a : {names}",
                f"{name or 'none'}: an event of the office's calendar expected; it has: {names}",
            ),
        )
    return event


def make_event_report(town: Town, asked: Asked, tell: Progress = silently) -> Report:
    """The report. Raises `StoreError`."""
    event = event_named(town, asked.event)
    span = season_of(event, asked, town)
    streets, elsewhere = (
        {street.name: _street(town, street, span, asked, tell) for street in streets_of(counters)}
        for counters in _by_part(town, asked.places)
    )
    effect = effect_of(event, streets, elsewhere, Days(town.calendar, town.office))
    return event_report(EventFacts(asked=asked, town=town.name, effect=effect))


def season_of(event: Event, asked: Asked, town: Town) -> Span:
    """What an event is held against: its season, that of the year before, and that of the year after as far as "
    "known."""
    midnight = datetime.combine(event.start, time(), town.zone)
    end = min(midnight + YEAR + SEASON + (event.days[-1] - event.start), asked.committed_until.astimezone(town.zone))
    return Span(midnight - YEAR - SEASON, end.replace(minute=0, second=0, microsecond=0))


def _by_part(town: Town, places: Collection[str]) -> tuple[list[Counter], list[Counter]]:
    counters = town.registry.counters.values()
    return [each for each in counters if each.id in places], [each for each in counters if each.id not in places]


def _street(town: Town, street: Street, span: Span, asked: Asked, tell: Progress) -> Hours:
    hours = {each: _believed(town, town.registry.counters[each], span, asked, tell) for each in street.counters}
    return street_hours(street, hours)


def _believed(town: Town, counter: Counter, span: Span, asked: Asked, tell: Progress) -> Hours:
    tell(counter.name)
    return place_hours(town, counter, span, asked.committed_until, history=NONE_BEFORE).believed
