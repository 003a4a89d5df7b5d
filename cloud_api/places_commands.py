"""The command `passerelle places`: a town's places from files into the registry.

In come a file and a registry, out come lines for a person and an exit status. A file with any mistake changes nothing.
"""

import getpass
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from cloud_api.registry import load_places
from cloud_api.registry.database import RegistryError
from cloud_api.registry.store import open_registry
from cloud_api.settings import ConfigError

FAILURE: Final = 1
USAGE: Final = 2

places = typer.Typer(help="A town's places.", no_args_is_help=True, rich_markup_mode="markdown")

RegistryUrl = Annotated[
    str, typer.Option("--registry", help="The registry: a file, sqlite:///FILE or postgresql://USER@HOST/DATABASE.")
]


@places.callback()
def commands() -> None:
    """A town's places: put them into the registry."""


@places.command("import")
def import_places(
    file: Annotated[Path, typer.Argument(help="The places (TOML).")],
    registry: RegistryUrl,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change, and change nothing.")] = False,
) -> None:
    """Add what is new and change what differs; what the file does not name stays.

    A running API shows it within seconds.

    Examples:

        passerelle places import places.toml --registry registry.db --dry-run

        passerelle places import places.toml --registry registry.db
    """
    with _mistakes_in_words():
        entries = load_places(file).entries
        with closing(open_registry(registry)) as store:
            change = store.rehearse if dry_run else store.merge
            merged = change(entries, by=f"places import ({getpass.getuser()})", at=datetime.now(UTC))
    verb = "would be " if dry_run else ""
    for verdict, names in (("added", merged.added), ("changed", merged.changed)):
        for name in names:
            typer.echo(f"{verb}{verdict:8} {name}")
    typer.echo(f"{len(merged.added)} {verb}added, {len(merged.changed)} {verb}changed, {merged.same} as they were")


@contextmanager
def _mistakes_in_words() -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        _end(USAGE, str(error))
    except RegistryError as error:
        _end(FAILURE, str(error))


def _end(status: int, message: str) -> NoReturn:
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(status)
