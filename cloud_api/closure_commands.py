"""The command `passerelle closure`: bays out of service for a time, by hand or by traffic orders.

In come what a person plans, or an export of DiaLog's (a file or an address), and a registry; out come lines for a
person and an exit status. Nothing is changed unless all was understood, and then all or nothing.
"""

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from cloud_api.commands import parse_zone
from cloud_api.existing import existing_registry
from cloud_api.exits import mistakes_in_words
from cloud_api.feeds.dialog import LARGEST_EXPORT, Orders, read_orders
from cloud_api.feeds.fetching import FetchError, download
from cloud_api.feeds.lots import FeedError
from cloud_api.feeds.order_closures import WITHIN_M, plan
from cloud_api.feeds.order_closures import Plan as OrdersPlan
from cloud_api.provisioning.closing import close_places, end_closure
from cloud_api.provisioning.plan import Plan, together
from cloud_api.registry import Closure, Registry
from cloud_api.registry.refusals import RefusedChangeError
from cloud_api.settings import ConfigError
from cloud_api.shell import WIDTH, DryRun, RegistryUrl, TimeZone, act

SHOWN: Final = 20
"""Refusals told one by one."""

closure = typer.Typer(name="closure", help="Closures of bays.", no_args_is_help=True, rich_markup_mode="markdown")


@closure.callback()
def closures() -> None:
    """Closures of bays: plan them by hand, or read them from the State's traffic orders."""


@closure.command()
def add(
    context: typer.Context,
    places: Annotated[list[str], typer.Argument(metavar="PLACE…", help="Zones or spaces, by their ids.")],
    registry: RegistryUrl,
    reason: Annotated[str, typer.Option(help="Why, for the public, in the town's words.")],
    start: Annotated[
        str | None, typer.Option("--from", help="Since when: 2026-11-30T08:00 by the town's clock [default: now].")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Until when [default: until further notice].")] = None,
    time_zone: TimeZone = "Europe/Paris",
    *,
    dry_run: DryRun = False,
) -> None:
    """Close zones or spaces for a time; a running API shows it within seconds.

    Examples:

        passerelle closure add marche-1 marche-2 --reason 'travaux de voirie' --to 2026-11-30T18:00
        --registry registry.db

        passerelle closure add place-du-marche --reason 'marché de Noël' --from 2026-12-12 --to 2026-12-25
        --registry registry.db
    """
    now = datetime.now(UTC)
    with _mistakes_in_words():
        zone = parse_zone(time_zone)
        begin = now if start is None else _moment("--from", start, zone)
        over = None if end is None else _moment("--to", end, zone)
    action = partial(close_places, places=places, reason=reason, start=begin, end=over)
    act(context, registry, action, dry_run=dry_run)


@closure.command("list")
def list_closures(
    registry: RegistryUrl,
    place: Annotated[str | None, typer.Option(help="Of this zone, its spaces included, or of this space.")] = None,
    past: Annotated[bool, typer.Option("--past", help="Those that are over too.")] = False,
    time_zone: TimeZone = "Europe/Paris",
) -> None:
    """List closures in force and planned, by the town's clock, the first to begin at the front.

    Examples:

        passerelle closure list --registry registry.db

        passerelle closure list --place place-du-marche --past --registry registry.db
    """
    now = datetime.now(UTC)
    with _mistakes_in_words():
        zone = parse_zone(time_zone)
        with closing(existing_registry(registry)) as store:
            known = store.snapshot()
    found = [each for each in _of(known, place) if past or each.end is None or each.end > now]
    table = Table("closure", "place", "from", "until", "why", "says", "")
    for each in sorted(found, key=lambda each: (each.start, each.id)):
        until = "further notice" if each.until is None else _local(each.until, zone)
        state = "in force" if each.in_force_at(now) else "planned" if each.start > now else "over"
        table.add_row(each.id, each.place, _local(each.start, zone), until, each.reason, each.source, state)
    if found:
        Console(width=WIDTH).print(table)
    typer.echo(f"{len(found)} closure{'s' * (len(found) != 1)}")


@closure.command()
def end(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="CLOSURE…", help="Closures, as `closure list` names them.")],
    registry: RegistryUrl,
    at: Annotated[str | None, typer.Option(help="When: 2026-11-30T12:00 by the town's clock [default: now].")] = None,
    time_zone: TimeZone = "Europe/Paris",
    *,
    dry_run: DryRun = False,
) -> None:
    """Let closures be over, or never begin; they stay in the registry and its audit trail.

    One that comes from an order comes back while the order stands.

    Examples:

        passerelle closure end marche-1.20261127T0900Z --registry registry.db
    """
    now = datetime.now(UTC)
    with _mistakes_in_words():
        over = now if at is None else _moment("--at", at, parse_zone(time_zone))

    def ended(town: Registry) -> Plan:
        return together(end_closure(_known(town, each), over) for each in ids)

    act(context, registry, ended, dry_run=dry_run)


def _known(town: Registry, closure_id: str) -> Closure:
    for each in town.closures:
        if each.id == closure_id:
            return each
    raise RefusedChangeError("closure", closure_id, "", "not there; `passerelle closure list` names them all")


def _moment(option: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option} {text!r}: a date or a time as 2026-11-30T18:00 expected") from None
    return (told if told.tzinfo is not None else told.replace(tzinfo=zone)).astimezone(UTC)


def _of(known: Registry, place: str | None) -> list[Closure]:
    if place is None:
        return list(known.closures)
    places = {place, *(space.id for space in known.spaces_of(place))}
    return [each for each in known.closures if each.place in places]


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"


@closure.command("import")
def import_orders(
    export: Annotated[str, typer.Argument(help="DiaLog's DATEX II export: a file, or its https:// address.")],
    registry: RegistryUrl,
    dry_run: DryRun = False,
    source: Annotated[
        str, typer.Option(help="What closures of these orders are marked with; others are not touched.")
    ] = "dialog",
    within_m: Annotated[
        float, typer.Option(help="How far from an order's line a bay may lie, in metres.", min=0, max=50)
    ] = WITHIN_M,
    time_zone: TimeZone = "Europe/Paris",
) -> None:
    """Close the bays where orders forbid to park for a time; open those whose order is gone.

    Reading the same export again changes nothing. Run it every few hours: hours that come back are written down two
    weeks ahead.

    Examples:

        passerelle closure import dialog.xml --registry registry.db --dry-run

        passerelle closure import
        'https://dialog.beta.gouv.fr/api/regulations.xml?includePermanent=false' --registry registry.db
    """
    now = datetime.now(UTC)
    with _mistakes_in_words():
        zone = parse_zone(time_zone)
        with closing(existing_registry(registry)) as store:
            with _opened(export) as stream:
                orders = read_orders(stream, zone)
            planned = plan(store.snapshot(), orders, source=source, now=now, zone=zone, within_m=within_m)
            change = store.rehearse if dry_run else store.merge
            merged = change(planned.changes, by=f"closure import ({source})", at=now)
    _tell(orders, planned, now)
    verb = "would be " if dry_run else ""
    typer.echo(
        f"{len(orders.orders)} orders forbid to park for a time: {len(merged.added)} closures {verb}added, "
        f"{len(merged.changed)} {verb}changed or ended, {planned.same} as they were"
    )


def _tell(orders: Orders, planned: OrdersPlan, now: datetime) -> None:
    for each in planned.changes:
        typer.echo(_in_words(each, now))
    for place in planned.doubtful:
        typer.echo(f"to decide  {place.id}: {place.reason}")
    for why, count in sorted(orders.left_out.items()):
        typer.echo(f"left out   {count} regulations: {why}")
    for refused in orders.refused[:SHOWN]:
        typer.echo(f"refused    order {refused.id[:80]}: {refused.reason}", err=True)
    if len(orders.refused) > SHOWN:
        typer.echo(f"refused    {len(orders.refused) - SHOWN} more orders", err=True)


def _in_words(each: Closure, now: datetime) -> str:
    if each.end is not None and each.end <= max(now, each.start):
        return f"ended      {each.place}: {each.reason}"
    until = "until further notice" if each.end is None else f"to {each.end:%Y-%m-%d %H:%MZ}"
    return f"closed     {each.place} from {each.start:%Y-%m-%d %H:%MZ} {until}: {each.reason}"


@contextmanager
def _opened(export: str) -> Iterator[BinaryIO]:
    if not export.startswith(("https://", "http://")):
        try:
            with Path(export).open("rb") as stream:
                yield stream
        except OSError as error:
            raise ConfigError(f"{export}: cannot be read: {error.strerror or error}") from error
        return
    with tempfile.TemporaryFile() as stream:
        download(export, stream, LARGEST_EXPORT)
        stream.seek(0)
        yield stream


def _mistakes_in_words() -> AbstractContextManager[None]:
    return mistakes_in_words(misuses=(RefusedChangeError,), failures=(FeedError, FetchError))
