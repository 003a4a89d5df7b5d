"""The command: puts together what the three packages offer. Nothing imports it.

`edge` and `devices` come with the gateway; what needs an extra says which when it is not installed.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from edge.commands import devices_app, edge_app

app = typer.Typer(
    help="Passerelle: pedestrian counters and parking sensors, from the street to free spaces and hourly flows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(edge_app, name="edge")
app.add_typer(devices_app, name="devices")

EXTRAS = {
    "api": ("cloud_api.commands", "api", "cloud", "Run the API, its page and the ingest."),
    "simulate": ("firmware_sim.commands", "simulate", "sim", "Run simulated sensors that speak real bytes."),
    "demo": ("passerelle_demo", "demo", "cloud,sim", "Start a small town and print what to open."),
}
"""Command: (module, function, the extra that brings what it needs, help)."""


@app.callback(invoke_without_command=True)
def passerelle(
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    """Show the version when asked to."""
    if show_version:
        typer.echo(f"passerelle {version('passerelle')}")
        raise typer.Exit


@app.command()
def docs(folder: Annotated[Path, typer.Option(help="Where to write.")] = Path("docs")) -> None:
    """Write the pages that are made from the code (messages.md, devices.md)."""
    from edge.documentation import devices_page, messages_page

    for name, page in (("messages.md", messages_page), ("devices.md", devices_page)):
        (folder / name).write_text(page())
        typer.echo(f"wrote {folder / name}")


def main() -> None:
    """Run the command line; of the extras only the one that is asked for is loaded."""
    for command, (module, function, extra, help_text) in EXTRAS.items():
        if sys.argv[1:2] == [command]:
            app.command(command)(_load(command, module, function, extra))
        else:
            app.command(command, help=help_text)(_nothing)
    app()


def _load(command: str, module: str, function: str, extra: str) -> Callable[..., None]:
    try:
        loaded: Callable[..., None] = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        typer.echo(f"passerelle {command} needs {error.name!r}: pip install 'passerelle[{extra}]'", err=True)
        raise SystemExit(2) from error
    return loaded


def _nothing() -> None:
    """Stands for a command that was not asked for, in the list of commands."""
