"""The command `passerelle broker`: what the city's broker needs before it can let gateways in by itself.

In come two places, out come the first state of mosquitto's dynamic security plugin and two passwords, each alone in a
file that nobody else may read. Nothing that is there already is written over.
"""

import os
import secrets
import shutil
from pathlib import Path
from typing import Annotated

import typer

from cloud_api.exits import FAILURE, end, mistakes_in_words
from cloud_api.new_files import write_new
from cloud_api.provisioning.broker_rules import ADMIN, API, SALT_BYTES, first_state
from cloud_api.settings import ConfigError

broker = typer.Typer(help="The city's broker.", no_args_is_help=True, rich_markup_mode="markdown")

PASSWORD_BYTES = 32


@broker.callback()
def commands() -> None:
    """The city's broker: who is let in. See docs/enrolment.md."""


@broker.command("init")
def init(
    state: Annotated[Path, typer.Option(help="Where mosquitto keeps who is let in; its folder belongs to mosquitto.")],
    passwords: Annotated[Path, typer.Option(help="Folder for the passwords that `passerelle api` reads.")],
) -> None:
    """Make the first state of mosquitto's dynamic security plugin, and the platform's two passwords.

    From then on nobody is let in but the platform and the gateways that it enrols; no password is known beforehand.
    Each file gets the owner of its folder, and mode 0600.

    Examples:

        sudo passerelle broker init --state /var/lib/mosquitto/dynamic-security.json --passwords /etc/passerelle
    """
    admin, api = secrets.token_urlsafe(PASSWORD_BYTES), secrets.token_urlsafe(PASSWORD_BYTES)
    salts = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(SALT_BYTES)
    files = {
        passwords / f"broker-{ADMIN}-password": admin.encode(),
        passwords / f"broker-{API}-password": api.encode(),
        state: first_state(admin, api, salts),
    }
    with mistakes_in_words():
        for path in files:
            _refuse_unless_free(path)
    for path, content in files.items():
        try:
            _write_private(path, content)
        except OSError as error:
            end(FAILURE, f"{path} cannot be written: {error.strerror}; run it as root, or name folders of your own")
        typer.echo(f"wrote {path}")


def _refuse_unless_free(path: Path) -> None:
    if not path.parent.is_dir():
        raise ConfigError(f"{path.parent}: no such folder; make it first")
    if os.path.lexists(path):
        raise ConfigError(f"{path} is there already: gateways may depend on it; remove it to start afresh")


def _write_private(path: Path, content: bytes) -> None:
    """Never readable by others, not even for a moment."""
    write_new(path, content)
    owner = path.parent.stat()
    if owner.st_uid != os.geteuid():
        shutil.chown(path, owner.st_uid, owner.st_gid)
