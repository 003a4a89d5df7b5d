"""The commands `passerelle gateway invite`, `replace` and `revoke`: who may become a gateway, and who is one no more.

In come a registry and a name, out come a code, alone on standard output, and lines for a person. The platform that runs
acts on it within seconds.
"""

import getpass
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from cloud_api.existing import existing_registry
from cloud_api.exits import mistakes_in_words
from cloud_api.registry.codes import Code
from cloud_api.registry.invitations import Invitation
from cloud_api.registry.store import RegistryStore
from cloud_api.settings import ConfigError

Maker = Callable[..., tuple[Invitation, Code]]
PICTURES: Final = (".png", ".svg")
DOT_PX: Final = 8
"""Of a QR code in a file."""

RegistryUrl = Annotated[str, typer.Option("--registry", help="As `passerelle api` takes it: a file or postgresql://….")]
Name = Annotated[str, typer.Argument(metavar="GATEWAY", help="Its name in the registry.")]
Url = Annotated[
    str,
    typer.Option(envvar="PASSERELLE_URL", help="Where gateways reach the platform: https://HOST."),
]
Minutes = Annotated[int, typer.Option(help="So long the code is good.", min=1, max=7 * 24 * 60)]
Picture = Annotated[Path | None, typer.Option("--qr", help="Write the QR code to this file too: .png or .svg.")]


def invite(gateway: Name, registry: RegistryUrl, url: Url, minutes: Minutes = 60, picture: Picture = None) -> None:
    """Make a code with which a machine becomes this gateway, once; show it, and as a QR code.

    Codes for it that are still open are good no longer. Only a digest of the code is kept.

    Examples:

        passerelle gateway invite mairie --registry registry.db --url https://passerelle.ville.example

        passerelle gateway invite mairie --registry registry.db --url https://ville.example --minutes 1440 --qr code.svg
    """
    _make(gateway, registry, url, minutes, picture, lambda store: store.invitations.invite)


def replace(gateway: Name, registry: RegistryUrl, url: Url, minutes: Minutes = 60, picture: Picture = None) -> None:
    """Make a code with which another machine takes this gateway's place: its name, its devices, its history.

    The present machine works on until the other one is enrolled, and is cut off then. Was it stolen? Revoke it first.

    Examples:

        passerelle gateway replace mairie --registry registry.db --url https://passerelle.ville.example
    """
    _make(gateway, registry, url, minutes, picture, lambda store: store.invitations.replace)


def revoke(gateway: Name, registry: RegistryUrl) -> None:
    """End a gateway's access and all its codes: the platform that runs cuts it off within seconds, for good.

    What it counted stays. Another code lets it, or another machine, in again.

    Examples:

        passerelle gateway revoke mairie --registry registry.db
    """
    with mistakes_in_words(), closing(existing_registry(registry)) as store:
        revoked = store.invitations.revoke(gateway, by=_who(), at=datetime.now(UTC))
    users = [each.user for each in revoked if each.used_at is not None]
    typer.echo(
        f"gateway {gateway} is revoked: {', '.join(users) or 'no machine'}; open codes: {len(revoked) - len(users)}"
    )


def _make(
    gateway: str, registry: str, url: str, minutes: int, picture: Path | None, maker: Callable[[RegistryStore], Maker]
) -> None:
    now = datetime.now(UTC)
    with mistakes_in_words(), closing(existing_registry(registry)) as store:
        platform = _platform(url)
        if picture is not None and picture.suffix not in PICTURES:
            raise ConfigError(f"--qr {picture}: a name that ends in {' or '.join(PICTURES)} expected")
        expires_at = now + timedelta(minutes=minutes)
        _, code = maker(store)(gateway, by=_who(), at=now, expires_at=expires_at)
        managed = store.snapshot().gateways[gateway].managed
    typer.echo(code)
    with mistakes_in_words():
        _draw(f"{platform}/enrol#{code}", picture)
    typer.echo(f"good until {expires_at:%H:%M} UTC, once; on the gateway:", err=True)
    typer.echo(f"  sudo passerelle edge enrol {code} --url {platform}", err=True)
    if not managed:
        typer.echo(f"{gateway} takes its devices from its own file: the registry says managed = false", err=True)


def _platform(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"--url {url!r}: https://HOST[:PORT] expected")
    return url.rstrip("/")


def _draw(link: str, picture: Path | None) -> None:
    import segno

    drawn = segno.make(link, error="m", micro=False)
    if picture is not None:
        try:
            drawn.save(str(picture), scale=DOT_PX)
        except OSError as error:
            raise ConfigError(f"--qr {picture}: cannot be written: {error.strerror}") from error
    drawn.terminal(out=typer.get_text_stream("stderr"), compact=True)


def _who() -> str:
    return f"gateway ({getpass.getuser()})"
