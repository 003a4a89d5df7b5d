"""The command `passerelle event`: what makes days like no others, written down as the office's page does.

In come what a person says and a registry, out come lines for a person and an exit status. Nothing is ever deleted: a
report as of a date knows what was known then.
"""

import getpass
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Column, Table

from cloud_api.commands import parse_zone
from cloud_api.event_writing import Writer, find_event, new_event_id, withdraw_event, write_event
from cloud_api.existing import existing_registry
from cloud_api.exits import mistakes_in_words
from cloud_api.registry.store import RegistryStore
from cloud_api.reports.asking import AskError
from cloud_api.reports.calendar import Event, EventKind
from cloud_api.reports.named_events import EventChange, EventTexts, NamedEvent, named_events
from cloud_api.settings import ConfigError
from cloud_api.shell import WIDTH, RegistryUrl, TimeZone

event = typer.Typer(
    name="event", help="Events that the office measures.", no_args_is_help=True, rich_markup_mode="markdown"
)

EventId = Annotated[str, typer.Argument(metavar="EVENT", help="An event, as `event list` names it.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")]
First = Annotated[str, typer.Option("--from", help="Its first day: 2026-11-27.")]
Last = Annotated[str, typer.Option("--to", help="Its last day, included [default: the first].")]
Opens = Annotated[str, typer.Option("--opens", help="When it opens on each day: 10:00 [default: midnight].")]
Closes = Annotated[str, typer.Option("--closes", help="When it closes; before `--opens` it is past midnight.")]
Places = Annotated[
    list[str] | None, typer.Option("--place", help="A counter where it is, by its id; several times; else the town.")
]
NOTHING: Final = "nothing to do"
Kind = Annotated[EventKind, typer.Option(help="What sort of event it is.")]


@event.callback()
def events() -> None:
    """Events: days that are measured against others, and left out of what others are compared with."""


@event.command()
def add(
    context: typer.Context,
    name: Name,
    registry: RegistryUrl,
    start: First,
    end: Last = "",
    opens: Opens = "",
    closes: Closes = "",
    place: Places = None,
    kind: Kind = EventKind.OTHER,
) -> None:
    """Name an event; reports made from now on know it.

    Examples:

        passerelle event add 'Marché de Noël' --from 2026-11-27 --to 2026-12-24 --opens 10:00 --closes 20:00
        --place place-neuve --kind market --registry registry.db
    """
    texts = EventTexts(
        name=name, start=start, end=end, opens=opens, closes=closes, places=tuple(place or ()), kind=kind
    )
    with _opened(registry) as store:
        written = _write(context, store, new_event_id(), texts, seen=0)
    typer.echo(_told(written))


@event.command()
def change(
    context: typer.Context,
    event_id: EventId,
    registry: RegistryUrl,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Its first day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Its last day, included.")] = None,
    opens: Annotated[str | None, typer.Option(help="When it opens on each day.")] = None,
    closes: Annotated[str | None, typer.Option(help="When it closes.")] = None,
    place: Places = None,
    kind: Annotated[EventKind | None, typer.Option(help="What sort of event it is.")] = None,
) -> None:
    """Correct an event; what is not named stays. A report as of an earlier date knows it as it was.

    A withdrawn event is one again.

    Examples:

        passerelle event change 3f0a5c2d9b1e4477 --to 2026-12-31 --registry registry.db
    """
    places = None if place is None else tuple(place)
    change = EventChange(name=name, start=start, end=end, opens=opens, closes=closes, places=places, kind=kind)
    with _opened(registry) as store:
        known = _known(store, event_id)
        written = _write(context, store, event_id, change.made(known.event), seen=known.edition)
    typer.echo(_told(written))


@event.command()
def withdraw(context: typer.Context, event_id: EventId, registry: RegistryUrl) -> None:
    """Withdraw an event: it is kept and marked, and reports made from now on do not know it.

    Examples:

        passerelle event withdraw 3f0a5c2d9b1e4477 --registry registry.db
    """
    with _opened(registry) as store:
        known = _known(store, event_id)
        done = withdraw_event(store.office_events, event_id, seen=known.edition, by=_writer(context))
    typer.echo(f"withdrawn: {_in_words(known.event)}" if done else NOTHING)


@event.command("list")
def list_events(
    registry: RegistryUrl,
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="Those that were withdrawn too.")] = False,
    time_zone: TimeZone = "Europe/Paris",
) -> None:
    """List the events that were named, the last to begin at the front, and who wrote each down when.

    Those of the calendar's file are in the file.

    Examples:

        passerelle event list --withdrawn --registry registry.db
    """
    with mistakes_in_words():
        zone = parse_zone(time_zone)
    with _opened(registry) as store:
        known = named_events(store.office_events.all())
    found = [each for each in known if withdrawn or not each.withdrawn]
    table = Table(
        Column("event", no_wrap=True), "name", "days", Column("hours", no_wrap=True), "where", "kind", "written"
    )
    for each in found:
        its = each.event
        done = "withdrawn" if each.withdrawn else "written"
        written = f"{done} {each.at.astimezone(zone):%Y-%m-%d %H:%M} by {each.who}"
        where = ", ".join(its.places) or "the town"
        table.add_row(each.id, its.name, _days(its), its.hours, where, its.kind, written)
    if found:
        Console(width=WIDTH).print(table)
    typer.echo(f"{len(found)} event{'s' * (len(found) != 1)}")


@contextmanager
def _opened(registry: str) -> Iterator[RegistryStore]:
    with mistakes_in_words(misuses=(AskError,)), closing(existing_registry(registry)) as store:
        yield store


def _write(
    context: typer.Context, store: RegistryStore, event_id: str, texts: EventTexts, *, seen: int
) -> NamedEvent | None:
    counters = store.snapshot().counters
    return write_event(store.office_events, event_id, texts, counters, seen=seen, by=_writer(context))


def _writer(context: typer.Context) -> Writer:
    return Writer(f"{context.command_path} ({getpass.getuser()})", datetime.now(UTC))


def _known(store: RegistryStore, event_id: str) -> NamedEvent:
    known = find_event(store.office_events, event_id)
    if known is None:
        raise ConfigError(f"no event {event_id!r}; `passerelle event list --withdrawn` names them all")
    return known


def _told(written: NamedEvent | None) -> str:
    return NOTHING if written is None else f"{written.id}: {_in_words(written.event)}"


def _in_words(its: Event) -> str:
    where = ", ".join(its.places) or "the whole town"
    return f"{its.name}, {_days(its)}, {its.hours}, {where}"


def _days(its: Event) -> str:
    return f"{its.start}" if its.start == its.end else f"{its.start} to {its.end}"
