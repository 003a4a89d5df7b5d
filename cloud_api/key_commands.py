"""The command `passerelle key`: keys to the API, made, listed and revoked.

In come a registry and a wish, out come lines for a person and an exit status. A key's text is shown once, alone on
standard output, so that it can go straight into a file.
"""

import getpass
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cloud_api.existing import existing_registry
from cloud_api.exits import mistakes_in_words
from cloud_api.registry.keys import LONGEST_LABEL, AccessKey
from cloud_api.scopes import Scope
from cloud_api.settings import ConfigError

key = typer.Typer(help="Keys to the API.", no_args_is_help=True, rich_markup_mode="markdown")

RegistryUrl = Annotated[str, typer.Option("--registry", help="As `passerelle api` takes it: a file or postgresql://….")]


@key.command("create")
def create_key(
    label: Annotated[str, typer.Argument(help="Whose key it is and what for (`city app`).")],
    registry: RegistryUrl,
    scope: Annotated[list[Scope], typer.Option(help="What it opens; may be given several times.")],
    days: Annotated[
        int | None, typer.Option(help="Good for so many days [default: until it is revoked].", min=1, max=3650)
    ] = None,
) -> None:
    """Make a key and show it, once: only a digest of it is kept.

    The API knows it within seconds.

    Examples:

        passerelle key create 'office de commerce' --scope report --scope read:flows --registry registry.db

        passerelle key create 'city app' --scope read:flows --days 365 --registry registry.db > city-app.key
    """
    now = datetime.now(UTC)
    with mistakes_in_words(), closing(existing_registry(registry)) as store:
        if not label.strip() or len(label) > LONGEST_LABEL:
            raise ConfigError(f"LABEL: 1 to {LONGEST_LABEL} characters expected")
        expires_at = None if days is None else now + timedelta(days=days)
        made, secret = store.keys.create(label.strip(), scope, by=_who(), at=now, expires_at=expires_at)
    typer.echo(secret)
    typer.echo(f"key {made.id} for {made.label}: keep it now, it is not shown again", err=True)


@key.command("list")
def list_keys(registry: RegistryUrl) -> None:
    """Show all keys: whose, what they open, whether they are good, when they were last used.

    Examples:

        passerelle key list --registry registry.db
    """
    with mistakes_in_words(), closing(existing_registry(registry)) as store:
        keys = store.keys.all()
    if not keys:
        typer.echo("no keys yet; passerelle key create makes one")
        return
    now = datetime.now(UTC)
    table = Table("key", "for", "opens", "made", "state", "last used", box=None, pad_edge=False)
    for each in keys:
        table.add_row(
            each.id,
            each.label,
            ", ".join(sorted(each.scopes)),
            f"{each.created_at:%Y-%m-%d}",
            _state(each, now),
            "never" if each.used_at is None else f"{each.used_at:%Y-%m-%d %H:%MZ}",
        )
    Console(soft_wrap=True, highlight=False, markup=False).print(table)


@key.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="As `key list` names it.")], registry: RegistryUrl
) -> None:
    """Let a key open nothing any more, within seconds and for good.

    Examples:

        passerelle key revoke 9f3a6b01 --registry registry.db
    """
    with mistakes_in_words(), closing(existing_registry(registry)) as store:
        revoked = store.keys.revoke(key_id, by=_who(), at=datetime.now(UTC))
    typer.echo(f"key {revoked.id} for {revoked.label} is revoked since {revoked.revoked_at:%Y-%m-%d %H:%MZ}")


def _state(each: AccessKey, now: datetime) -> str:
    if each.opens_at(now):
        return "good" if each.expires_at is None else f"good until {each.expires_at:%Y-%m-%d}"
    return "revoked" if each.revoked_at is not None else "expired"


def _who() -> str:
    return f"key ({getpass.getuser()})"
