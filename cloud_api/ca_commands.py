"""The command `passerelle ca`: the town's own small certificate authority, made, used and looked at.

In come a folder and names, out come files and lines for a person. Nothing here is needed where certificates are given.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cloud_api.authority import (
    CLIENT_DAYS,
    SERVER_DAYS,
    SOON_DAYS,
    AuthorityError,
    Issued,
    create_authority,
    issued,
    open_authority,
)
from cloud_api.exits import FAILURE, end, mistakes_in_words

ca = typer.Typer(help="The town's own certificates.", no_args_is_help=True, rich_markup_mode="markdown")

Folder = Annotated[Path, typer.Argument(help="Where the authority is kept: on a stick, not on the broker.")]
CertificateName = Annotated[str, typer.Argument(metavar="NAME", help="Of the certificate, and of its files.")]


@ca.command("create")
def create_ca(
    folder: Folder, town: Annotated[str, typer.Option(help="The town's name, as people will read it.")]
) -> None:
    """Make an authority: `ca.pem`, which everybody may have, and `ca.key`, which nobody may have.

    Examples:

        passerelle ca create /media/stick/ca --town Châteaubriant
    """
    with mistakes_in_words(failures=(AuthorityError,)):
        create_authority(folder, town, _now())
    typer.echo(f"{folder / 'ca.pem'}: give it to gateways and services (ca_file, --ca-file)")
    typer.echo(f"{folder / 'ca.key'}: keep it; whoever has it can pose as your broker")


@ca.command("server")
def issue_server(
    folder: Folder,
    name: CertificateName,
    host: Annotated[list[str], typer.Option(help="A name or address under which it is reached; several times.")],
    days: Annotated[int, typer.Option(help="Good for so many days.", min=1, max=3650)] = SERVER_DAYS,
) -> None:
    """Issue a certificate for a broker or an API.

    Examples:

        passerelle ca server /media/stick/ca broker --host broker.chateaubriant.fr --host 10.0.0.5
    """
    with mistakes_in_words(failures=(AuthorityError,)):
        files = open_authority(folder).server(name, host, _now(), days)
    _tell(files, days)


@ca.command("client")
def issue_client(
    folder: Folder,
    name: CertificateName,
    days: Annotated[int, typer.Option(help="Good for so many days.", min=1, max=3650)] = CLIENT_DAYS,
) -> None:
    """Issue a certificate for who shows it to the broker; its name is the user's.

    Examples:

        passerelle ca client /media/stick/ca halles
    """
    with mistakes_in_words(failures=(AuthorityError,)):
        files = open_authority(folder).client(name, _now(), days)
    _tell(files, days)


@ca.command("list")
def list_issued(folder: Folder) -> None:
    """Show all certificates of a folder and when they end; exit status 1 when one has ended or will within 30 days.

    Examples:

        passerelle ca list /etc/passerelle/tls
    """
    now = _now()
    with mistakes_in_words(failures=(AuthorityError,)):
        known = issued(folder)
    table = Table("certificate", "for", "ends", "state", box=None, pad_edge=False)
    for each in known:
        table.add_row(each.file.name, ", ".join(each.hosts) or each.name, f"{each.ends:%Y-%m-%d}", _state(each, now))
    Console(soft_wrap=True, highlight=False, markup=False).print(table)
    late = [each.file.name for each in known if each.days_left(now) < SOON_DAYS]
    if late:
        end(FAILURE, f"{', '.join(late)}: issue anew, put in place, and restart who uses it")


def _state(each: Issued, now: datetime) -> str:
    left = each.days_left(now)
    return "has ended" if left < 0 else f"days left: {left}"


def _tell(files: tuple[Path, Path], days: int) -> None:
    certificate, key = files
    typer.echo(f"{certificate}: the certificate, good for {days} days")
    typer.echo(f"{key}: its key, for its owner alone")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
