"""The command `passerelle edge enrol`: this machine becomes a gateway by a code that was read aloud or photographed.

In comes an invitation, out come the files of a gateway: configuration, password, certificates. Whether they can be
written is looked at before the code is shown to anybody; the same command again goes on where it was interrupted.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from edge.exits import FAILED, MISUSED, failed

CONFIG = Path("/etc/passerelle/gateway.toml")


def enrol(
    code: Annotated[str, typer.Argument(help="The invitation's code, or the whole link of its QR code.")],
    url: Annotated[
        str | None, typer.Option(envvar="PASSERELLE_URL", help="The town's platform: https://HOST[:PORT].")
    ] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file to write.")] = CONFIG,
    ca_file: Annotated[
        Path | None, typer.Option(help="Certificates (PEM) to check the platform's against [default: the system's].")
    ] = None,
    plain_http: Annotated[
        bool, typer.Option("--plain-http", help="Send the code over http:// too: others may read it, and the password.")
    ] = False,
) -> None:
    """Become the gateway that a code invites: `passerelle gateway invite` made it.

    Of a configuration that is there, all but its name and its broker stays. Interrupted, it is given again as it was.

    Examples:

        sudo passerelle edge enrol 7K3M-9QXT-4B2W-HD5F --url https://passerelle.ville.example

        sudo passerelle edge enrol 'https://passerelle.ville.example/enrol#7K3M-9QXT-4B2W-HD5F'
    """
    from edge.config import ConfigError
    from edge.enrolled_files import current_text, machine_name, write
    from edge.enrolling import EnrolmentError, InvitationError, ask, is_private, read_invitation
    from edge.signing_request import new_key

    try:
        invitation, before = read_invitation(code, url), current_text(config)
    except (InvitationError, ConfigError) as error:
        raise failed(str(error), MISUSED) from error
    except OSError as error:
        raise failed(f"{config} cannot be read: {error.strerror}; run it as root", FAILED) from error
    if not (plain_http or is_private(invitation)):
        raise failed(f"{invitation.platform}: https:// expected; over http:// others may read the code", MISUSED)
    key = new_key()
    try:
        machine = machine_name(config.parent)
        identity = ask(invitation, machine, key.request(), version("passerelle"), ca_file)
        write(config, before, identity, key.private())
    except EnrolmentError as error:
        raise failed(str(error), FAILED) from error
    except OSError as error:
        says = f"{error.filename or config.parent} cannot be written: {error.strerror}"
        raise failed(f"{says}; run it as root, or make room, then give the same command again", FAILED) from error
    typer.echo(f"this is gateway {identity.gateway} now; {config} is written")
    typer.echo(
        f"devices that wait for it: {identity.devices}" if identity.managed else "its devices are those of its file"
    )
    typer.echo("next: passerelle doctor, then: systemctl restart passerelle-edge")
