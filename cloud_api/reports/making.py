"""Makes any report, and writes it in any form: what the command, the API and the monthly run have in common.

Blocks on the store. Raises `AskError` for what cannot be asked so.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from cloud_api.forecast.days import Calendar
from cloud_api.registry import Registry
from cloud_api.registry.event_editions import EventEdition
from cloud_api.reports.asking import Texts, ask
from cloud_api.reports.calendar import OfficeCalendar
from cloud_api.reports.event_reporting import event_asked, make_event_report
from cloud_api.reports.flow_reporting import make_flow_report
from cloud_api.reports.formats import Format, written
from cloud_api.reports.gathering import Progress, Town, every_place, silently
from cloud_api.reports.parking_reporting import make_parking_report
from cloud_api.reports.report import Asked, Kind, Report
from cloud_api.settings import SchoolZone
from cloud_api.stores import open_store


class Source(Struct, frozen=True, kw_only=True):
    """Where a town's reports come from: addresses and files, so that another process can read them."""

    store: str
    """As `open_store` takes it."""
    name: str
    """The town's."""
    time_zone: str
    school_zone: SchoolZone | None = None
    calendar: str | None = None
    """The file of the office's calendar; `cloud_api.event_writing.keep_calendar` keeps what it says."""

    def __repr__(self) -> str:
        """Without the store's address: it may hold a password."""
        return f"Source(name={self.name!r})"


@contextmanager
def opened(source: Source, registry: Registry, named: Sequence[EventEdition]) -> Iterator[Town]:
    """The town for the length of a `with`; `named`: what its office wrote of events, the calendar's file included.

    Raises `StoreError` and `StoreUrlError`.
    """
    with closing(open_store(source.store)) as store:
        yield Town(
            name=source.name,
            registry=registry,
            store=store,
            zone=ZoneInfo(source.time_zone),
            calendar=Calendar(source.school_zone),
            office=OfficeCalendar(),
            named=named,
        )


def asked_of(town: Town, texts: Texts, now: datetime) -> Asked:
    """What is asked of a town. Raises `AskError`."""
    if texts.kind is Kind.EVENT:
        return event_asked(town, texts, now)
    return ask(texts, town.zone, now, known_places(town.registry, texts.kind), settled=town.settled(now))


def known_places(registry: Registry, kind: Kind) -> Sequence[str]:
    """The places that such a report can be on."""
    return list(registry.zones if kind is Kind.PARKING else registry.counters)


def make_report(town: Town, asked: Asked, tell: Progress = silently) -> Report:
    """The report. Raises `StoreError`."""
    then = town.known_at(asked.as_of)
    match asked.kind:
        case Kind.FLOWS:
            return make_flow_report(then, asked, tell)
        case Kind.PARKING:
            return make_parking_report(then, asked, tell)
        case Kind.EVENT:
            return make_event_report(then, asked, tell)


def pieces(town: Town, asked: Asked, form: Format, tell: Progress = silently) -> Iterator[bytes]:
    """The pieces of a report's file. Raises `StoreError`."""
    hours = None if asked.kind is Kind.PARKING else every_place(town, asked, tell)
    return written(form, lambda: make_report(town, asked, tell), hours)
