"""The command `passerelle store`: what is done to history as a whole.

In come addresses of stores that are there, out come lines for a person and an exit status.
"""

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer

from cloud_api.existing import existing_store
from cloud_api.exits import mistakes_in_words
from cloud_api.progress import told_progress
from cloud_api.retention import months_before, parse_months
from cloud_api.settings import ConfigError
from cloud_api.stores import open_store
from cloud_api.stores.address import InfluxAddress, parse_store_url
from cloud_api.stores.copying import copy_store
from cloud_api.stores.influx_setup import set_up
from cloud_api.stores.lasting import LastingStore

store = typer.Typer(help="History as a whole.", no_args_is_help=True, rich_markup_mode="markdown")


@store.callback()
def history() -> None:
    """History as a whole."""


@store.command("init")
def init_history(
    url: Annotated[str, typer.Argument(metavar="STORE", help="sqlite:///FILE or influxdb://USER@HOST:PORT/DATABASE.")],
) -> None:
    """Make a store ready for the API: a file, or a database on a server; what is there already stays.

    A server of InfluxDB 2 that nobody has set up gets the user, the database as organisation and bucket, and what
    password_file holds as the operator's token.

    Examples:

        passerelle store init influxdb://passerelle@127.0.0.1/town?password_file=store-token
    """
    with mistakes_in_words(), closing(open_store(url)) as opened:
        address = parse_store_url(url)
        if isinstance(address, InfluxAddress) and set_up(address):
            typer.echo(f"{address}: set up for the first time")
        opened.ready()
    typer.echo("The store is ready")


@store.command()
def trim(
    url: Annotated[
        str, typer.Option("--store", help="The API's store: sqlite:///FILE or influxdb://USER@HOST:PORT/DATABASE.")
    ],
    keep_raw: Annotated[str, typer.Option(help="Months after which of counts only hourly sums are kept.")] = "13",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much would go, and let nothing go.")] = False,
) -> None:
    """Let counts older than so many months go, but for their hourly sums. The API does so by itself.

    Hours are told afterwards as before, and a count that comes again is still counted once.

    Examples:

        passerelle store trim --store sqlite:///history.db --dry-run

        passerelle store trim --store influxdb://passerelle@db.example/town?password_file=db-password --keep-raw 24
    """
    now = datetime.now(UTC)
    with mistakes_in_words(), existing_store(url) as opened:
        months = parse_months("--keep-raw", keep_raw)
        if months is None:
            raise ConfigError("--keep-raw ever: then there is nothing to trim; months expected")
        before = months_before(now, months)
        waiting = opened.trimmable(before)
        if dry_run:
            typer.echo(f"{waiting} counts before {before:%Y-%m-%d} would become hourly sums")
            return
        done = _trim_all(opened, before, now)
    typer.echo(f"{done} counts before {before:%Y-%m-%d} are hourly sums now")
    if waiting > done:
        typer.echo(
            f"{waiting - done} are announced first: they go in a run at least ten minutes from now, or by the API's own"
        )


@store.command("copy")
def copy_history(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="sqlite:///FILE or influxdb://USER@HOST:PORT/DATABASE.")
    ],
    target: Annotated[str, typer.Argument(metavar="TO", help="The same; made where it is not there yet.")],
) -> None:
    """Bring all history from one store into another, of either kind, and hold every month against its source.

    May be cut off at any time and run again: what is there is left alone. Run it while the API still writes to FROM,
    stop the API, run it once more for what came since, and start the API on TO.

    Examples:

        passerelle store copy sqlite:///history.db influxdb://passerelle@127.0.0.1/town?password_file=db-password

        passerelle store copy influxdb://passerelle@127.0.0.1/town?password_file=db-password sqlite:///history.db
    """
    with (
        mistakes_in_words(),
        existing_store(source) as from_,
        closing(open_store(target)) as to,
        told_progress() as progress,
    ):
        if parse_store_url(source) == parse_store_url(target):
            raise ConfigError("FROM and TO are the same store")
        to.ready()
        copied = copy_store(from_, to, progress)
    typer.echo(
        f"copied and verified: counts {copied.parts}, hourly sums {copied.sums}, states {copied.states}, corrections "
        f"{copied.corrections}; months of a channel or space that were there already: {copied.there} of {copied.pieces}"
    )


def _trim_all(opened: LastingStore, before: datetime, now: datetime) -> int:
    """Run until nothing goes any more."""
    gone = 0
    while parts := (done := opened.trim(before, now=now)).parts:
        gone += parts
        typer.echo(f"  {gone} so far", err=True)
        if not done.more:
            break
    return gone
