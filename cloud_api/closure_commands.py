"""The command `passerelle closure`: traffic orders into closures of the registry.

In come an export of DiaLog's (a file or an address) and a registry; out come lines for a person and an exit status.
Nothing is changed unless the whole export was read, and then all or nothing.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from cloud_api.commands import parse_zone
from cloud_api.feeds.dialog import Orders, read_orders
from cloud_api.feeds.fetching import FetchError, download
from cloud_api.feeds.lots import FeedError
from cloud_api.feeds.order_closures import WITHIN_M, Plan, plan
from cloud_api.registry import Closure
from cloud_api.registry.database import RegistryError
from cloud_api.registry.store import open_registry
from cloud_api.settings import ConfigError

FAILURE: Final = 1
USAGE: Final = 2
LARGEST: Final = 512 * 2**20
"""Bytes of an export; the national one had 100 MB in 2026."""
SHOWN: Final = 20
"""Refusals told one by one."""

closure = typer.Typer(help="Closures of bays.", no_args_is_help=True, rich_markup_mode="markdown")


@closure.callback()
def closures() -> None:
    """Closures of bays: read them from the State's traffic orders."""


@closure.command("import")
def import_orders(
    export: Annotated[str, typer.Argument(help="DiaLog's DATEX II export: a file, or its https:// address.")],
    registry: Annotated[str, typer.Option(help="The registry: a file, sqlite:///FILE or postgresql://….")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change, and change nothing.")] = False,
    source: Annotated[
        str, typer.Option(help="What closures of these orders are marked with; others are not touched.")
    ] = "dialog",
    within_m: Annotated[
        float, typer.Option(help="How far from an order's line a bay may lie, in metres.", min=0, max=50)
    ] = WITHIN_M,
    time_zone: Annotated[str, typer.Option(help="The town's time zone.")] = "Europe/Paris",
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
        with closing(open_registry(registry)) as store:
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


def _tell(orders: Orders, planned: Plan, now: datetime) -> None:
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
        download(export, stream, LARGEST)
        stream.seek(0)
        yield stream


@contextmanager
def _mistakes_in_words() -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        _end(USAGE, str(error))
    except (FeedError, FetchError, RegistryError) as error:
        _end(FAILURE, str(error))


def _end(status: int, message: str) -> None:
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(status)
