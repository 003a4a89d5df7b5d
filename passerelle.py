"""The command: puts together what the three packages offer. Nothing imports it.

`edge` and `devices` come with the gateway; what needs an extra says which when it is not installed.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.commands import edge_app
from edge.devices_commands import devices_app
from edge.doctor_command import doctor
from edge.exits import FAILED, MISUSED, failed
from edge.listen_commands import listen_app, ports, scan

if TYPE_CHECKING:
    from edge.messages import ModelInfo

app = typer.Typer(
    help="Passerelle: pedestrian counters and parking sensors, from the street to free spaces and hourly flows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(edge_app, name="edge")
app.add_typer(devices_app, name="devices")
app.command()(doctor)

devices_app.add_typer(listen_app, name="listen")
devices_app.command()(ports)
devices_app.command()(scan)


OF_AN_EXTRA = re.compile(r"""(?P<package>[\w.-]+).*;.*\bextra == ["'](?P<extra>[\w-]+)["']""")
"""A requirement as our installation's metadata writes it: `fastapi<1,>=0.115; extra == "cloud"`."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A command that an optional part of the installation brings."""

    words: tuple[str, ...]
    """How it is called after `passerelle`."""
    group: typer.Typer
    module: str
    function: str
    """A command, or a group of commands (`typer.Typer`)."""
    needs: str
    """The extras that bring what it needs, with commas between."""
    help: str

    def lacks(self) -> str | None:
        """What to install before it can run, in words; None when all is there."""
        missing = {name: packages for name in self.needs.split(",") if (packages := missing_packages(name))}
        if not missing:
            return None
        package, names = next(iter(missing.values()))[0], ",".join(missing)
        return f"needs the extra {names!r} ({package} is not installed): pip install 'passerelle[{names}]'"


EXTRAS = (
    Extra(("api",), app, "cloud_api.commands", "api", "cloud", "Run the API, its page and the ingest."),
    Extra(
        ("simulate",), app, "firmware_sim.commands", "simulate", "sim", "Run simulated sensors that speak real bytes."
    ),
    Extra(("places",), app, "cloud_api.places_commands", "places", "cloud", "A town's places: import, export, check."),
    Extra(
        ("quarantine",),
        app,
        "cloud_api.quarantine_commands",
        "quarantine",
        "cloud",
        "Facts that the store refused: list, show, retry, drop.",
    ),
    Extra(
        ("closure",),
        app,
        "cloud_api.closure_commands",
        "closure",
        "cloud",
        "Closures of bays: add, list, end, import from traffic orders.",
    ),
    Extra(
        ("event",),
        app,
        "cloud_api.event_commands",
        "event",
        "cloud",
        "Events that the office measures: add, change, list, withdraw.",
    ),
    Extra(
        ("gateway",),
        app,
        "cloud_api.gateway_commands",
        "gateway",
        "cloud",
        "The town's gateways: add, list, show, invite, replace, revoke.",
    ),
    Extra(
        ("device",),
        app,
        "cloud_api.device_commands",
        "device",
        "cloud",
        "The town's sensors: adopt, import, swap, move, retire.",
    ),
    Extra(("install",), app, "cloud_api.install_commands", "install", "cloud", "Which sensor serves which place."),
    Extra(("broker",), app, "cloud_api.broker_commands", "broker", "cloud", "The city's broker: who is let in."),
    Extra(
        ("report",),
        app,
        "cloud_api.report_commands",
        "report",
        "cloud",
        "Reports: flows, parking, what an event brought.",
    ),
    Extra(("key",), app, "cloud_api.key_commands", "key", "cloud", "Keys to the API: create, list, revoke."),
    Extra(
        ("person",), app, "cloud_api.people_commands", "person", "cloud", "People who sign in: add, invite, sign out."
    ),
    Extra(
        ("zones",),
        app,
        "cloud_api.zones_commands",
        "zones",
        "cloud",
        "Car parks counted at their entrances: correct, history.",
    ),
    Extra(
        ("acceptance",),
        app,
        "cloud_api.acceptance_commands",
        "acceptance",
        "cloud",
        "Records of tests on the spot: verify.",
    ),
    Extra(
        ("ca",),
        app,
        "cloud_api.ca_commands",
        "ca",
        "cloud",
        "The town's own certificates: create, server, client, list.",
    ),
    Extra(("store",), app, "cloud_api.store_commands", "store", "cloud", "History as a whole: trim, copy."),
    Extra(
        ("backup",), app, "cloud_api.backup_commands", "backup", "cloud", "Copy all that the API keeps into one file."
    ),
    Extra(
        ("restore",), app, "cloud_api.backup_commands", "restore", "cloud", "Put a backup back into an empty machine."
    ),
    Extra(
        ("import",),
        app,
        "cloud_api.import_commands",
        "import_",
        "cloud",
        "A town's history of counts from other systems' exports.",
    ),
    Extra(
        ("status",),
        app,
        "cloud_api.status_command",
        "status",
        "cloud",
        "A whole town at one glance: gateways, sensors, store, what is wrong.",
    ),
    Extra(("demo",), app, "passerelle_demo.command", "demo", "cloud,sim", "Start a small town and print what to open."),
    Extra(
        ("devices", "encode"),
        devices_app,
        "firmware_sim.encode_command",
        "encode",
        "sim",
        "Print one frame in hexadecimal, made by the simulator.",
    ),
    Extra(
        ("devices", "simulate"),
        devices_app,
        "firmware_sim.by_hand_command",
        "simulate",
        "sim",
        "Be one serial sensor, moved by hand.",
    ),
)


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
        try:
            (folder / name).write_text(page())
        except OSError as error:
            reason = f"--folder: {folder / name} cannot be written: {error.strerror}"
            raise failed(f"{reason}; run it in a checkout, or name a folder that is there", FAILED) from error
        typer.echo(f"wrote {folder / name}")


def missing_packages(extra: str) -> list[str]:
    """The packages of an extra of ours that are not installed."""
    wanted = [match for line in requires("passerelle") or () if (match := OF_AN_EXTRA.match(line))]
    return [each["package"] for each in wanted if each["extra"] == extra and not _is_installed(each["package"])]


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


def main() -> None:
    """Run the command line; of the extras only the one that is asked for is loaded."""
    for extra in EXTRAS:
        asked = tuple(sys.argv[1 : 1 + len(extra.words)]) == extra.words
        if asked:
            _mount(extra, _load(extra))
        else:
            extra.group.command(extra.words[-1], help=extra.help)(_nothing)
    app(obj=_models_of_this_version)


def _models_of_this_version() -> "tuple[ModelInfo, ...]":
    """What gateways of this version can read, for commands that know no drivers."""
    from edge.recognition import known_models

    return known_models()


def _mount(extra: Extra, loaded: Callable[..., None] | typer.Typer) -> None:
    if isinstance(loaded, typer.Typer):
        extra.group.add_typer(loaded, name=extra.words[-1])
    else:
        extra.group.command(extra.words[-1])(loaded)


def _load(extra: Extra) -> Callable[..., None] | typer.Typer:
    lack = extra.lacks()
    if lack is not None:
        typer.echo(f"passerelle {' '.join(extra.words)} {lack}", err=True)
        raise SystemExit(MISUSED)
    loaded: Callable[..., None] | typer.Typer = getattr(import_module(extra.module), extra.function)
    return loaded


def _nothing() -> None:
    """Stands for a command that was not asked for, in the list of commands."""
