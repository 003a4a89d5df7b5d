"""The command `passerelle person`: who works here, and how they sign in on their telephones.

In come a registry and a wish, out come lines for a person and an exit status. A link or a code is shown once, alone on
standard output; its QR code goes to standard error.
"""

import getpass
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table

from cloud_api.existing import existing_registry
from cloud_api.exits import mistakes_in_words
from cloud_api.registry.people import LONGEST_NAME, TECHNICIAN, grouped, person_id
from cloud_api.scopes import Scope
from cloud_api.settings import ConfigError

person = typer.Typer(help="People who sign in.", no_args_is_help=True, rich_markup_mode="markdown")

RegistryUrl = Annotated[str, typer.Option("--registry", help="As `passerelle api` takes it: a file or postgresql://….")]
Name = Annotated[str, typer.Argument(help="As `person list` names them, or their name in full.")]


@person.command("add")
def add_person(
    name: Annotated[str, typer.Argument(help="In full (`Marie Dupont`): the audit trail names her so.")],
    registry: RegistryUrl,
    email: Annotated[str | None, typer.Option(help="Where to write to her.")] = None,
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What she may do: provision (/technician), report (/bureau); may be given several times."),
    ] = None,
) -> None:
    """Add somebody, a technician unless another scope is given; `person invite` lets her in.

    Examples:

        passerelle person add 'Marie Dupont' --email marie.dupont@ma-ville.fr --registry registry.db

        passerelle person add 'Office de commerce' --scope report --registry registry.db
    """
    with mistakes_in_words(), closing(existing_registry(registry)) as store:
        if not person_id(name) or len(name) > LONGEST_NAME:
            raise ConfigError(f"NAME {name!r}: 1 to {LONGEST_NAME} characters expected, letters among them")
        if email is not None and "@" not in email:
            raise ConfigError(f"--email {email!r}: an address as marie@ma-ville.fr expected")
        added = store.people.add(name.strip(), email=email, scopes=scope or TECHNICIAN, by=_who(), at=datetime.now(UTC))
    typer.echo(f"{added.id}: passerelle person invite {added.id} makes her link")


@person.command("list")
def list_people(registry: RegistryUrl) -> None:
    """Show everybody, and how many telephones they are signed in on.

    Examples:

        passerelle person list --registry registry.db
    """
    now = datetime.now(UTC)
    with mistakes_in_words(), closing(existing_registry(registry)) as store:
        people, keys = store.people.all(), store.keys.all()
    if not people:
        typer.echo("nobody yet; passerelle person add adds somebody")
        return
    table = Table("person", "name", "e-mail", "may", "signed in", "last seen", box=None, pad_edge=False)
    for each in people:
        theirs = [key for key in keys if key.person == each.id]
        seen = max((key.used_at for key in theirs if key.used_at is not None), default=None)
        table.add_row(
            each.id,
            each.name,
            each.email or "",
            ", ".join(sorted(each.scopes)),
            str(sum(key.opens_at(now) for key in theirs)),
            "never" if seen is None else f"{seen:%Y-%m-%d %H:%MZ}",
        )
    Console(soft_wrap=True, highlight=False, markup=False).print(table)


@person.command("invite")
def invite_person(
    name: Name,
    registry: RegistryUrl,
    url: Annotated[str, typer.Option(help="Where the town's pages are, as telephones reach them.")],
    code: Annotated[bool, typer.Option("--code", help="A code of 8 characters, to be read out, not a link.")] = False,
    hours: Annotated[int, typer.Option(help="Good for so long.", min=1, max=168)] = 24,
) -> None:
    """Make the personal link, or the code, with which somebody signs in on a telephone, once.

    What was made for her before opens nothing any more.

    Examples:

        passerelle person invite marie-dupont --url https://parking.ma-ville.fr --registry registry.db

        passerelle person invite marie-dupont --code --hours 1 --url https://parking.ma-ville.fr --registry registry.db
    """
    now = datetime.now(UTC)
    expires_at = now + timedelta(hours=hours)
    with mistakes_in_words(), closing(existing_registry(registry)) as store:
        page = sign_in_page(url)
        invited, secret = store.people.invite(name, code=code, by=_who(), at=now, expires_at=expires_at)
    until = f"for {invited.name}, once, until {expires_at:%Y-%m-%d %H:%MZ}"
    if code:
        typer.echo(grouped(secret))
        typer.echo(f"a code {until}; to be typed at {page}", err=True)
        return
    link = f"{page}/{secret}"
    typer.echo(link)
    show_qr(link)
    typer.echo(f"a link {until}; it is not shown again", err=True)


@person.command("sign-out")
def sign_out(name: Name, registry: RegistryUrl) -> None:
    """Sign somebody out everywhere: a telephone that is lost opens nothing any more, within seconds.

    Examples:

        passerelle person sign-out marie-dupont --registry registry.db
    """
    with mistakes_in_words(), closing(existing_registry(registry)) as store:
        gone, count = store.people.sign_out(name, by=_who(), at=datetime.now(UTC))
    typer.echo(f"{gone.name} is signed out of {count} telephone{'s' * (count != 1)}; links and codes are void")


def sign_in_page(url: str) -> str:
    """Where people sign in, of a town's pages. Raises `ConfigError`."""
    return f"{checked_url(url)}/technician/sign-in"


def checked_url(url: str) -> str:
    """Where a town's pages are, without the last slash. Raises `ConfigError`."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigError(f"--url {url!r}: an address as https://parking.ma-ville.fr expected")
    return url.rstrip("/")


def show_qr(link: str) -> None:
    """A QR code on standard error, where that is a terminal."""
    import segno

    if sys.stderr.isatty():
        segno.make(link, error="m").terminal(out=sys.stderr, compact=True)


def _who() -> str:
    return f"person ({getpass.getuser()})"
