"""The command `passerelle install`: which sensor serves which place.

In come addresses, places and a registry, out come lines that say what was done.
"""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cloud_api.commands import parse_zone
from cloud_api.exits import USAGE, mistakes_in_words
from cloud_api.exits import end as leave
from cloud_api.provisioning import installing
from cloud_api.provisioning.actions import device_of
from cloud_api.provisioning.plan import Plan
from cloud_api.registry import Registry
from cloud_api.shell import WIDTH, DryRun, RegistryUrl, TimeZone, act, opened

install = typer.Typer(
    name="install", help="Which sensor serves which place.", no_args_is_help=True, rich_markup_mode="markdown"
)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="An adopted device.")]
Channel = Annotated[str | None, typer.Option(help="One of its channels [default: all].")]
At = Annotated[str | None, typer.Option(help="When: 2026-11-30T12:00 by the town's clock [default: now].")]


@install.callback()
def installations() -> None:
    """Installations: add, turn round, end, list."""


@install.command()
def add(
    context: typer.Context,
    address: Address,
    place: Annotated[str, typer.Argument(metavar="PLACE", help="A counter, a space, or a zone counted at entrances.")],
    registry: RegistryUrl,
    channel: Annotated[str, typer.Option(help="The counted line or the space, as the model names it.")] = "1",
    mode: Annotated[str, typer.Option(help="What it counts, where the model tells (`pedestrian`).")] = "",
    reverse: Annotated[bool, typer.Option("--reverse", help="Its first direction is the street's `out`.")] = False,
    at: At = None,
    time_zone: TimeZone = "Europe/Paris",
    *,
    dry_run: DryRun = False,
) -> None:
    """Let a device serve a place: a space from the minute on, a counter from the full hour on.

    Examples:

        passerelle install add 0004a30b00ff0001 marche-1 --registry registry.db

        passerelle install add 0004a30b00ff0003 rue-haute --channel line1 --mode pedestrian --reverse
        --registry registry.db
    """
    instant = _moment(at, time_zone)

    def installed(town: Registry) -> Plan:
        known = device_of(town, address).address
        return installing.install(
            town, device=known, channel=channel, mode=mode, place=place, reversed_=reverse, at=instant
        )

    act(context, registry, installed, dry_run=dry_run)


@install.command()
def end(
    context: typer.Context,
    address: Address,
    registry: RegistryUrl,
    channel: Channel = None,
    at: At = None,
    time_zone: TimeZone = "Europe/Paris",
    *,
    dry_run: DryRun = False,
) -> None:
    """Let a device serve its places no more; its gateway goes on listening to it.

    Example:

        passerelle install end 0004a30b00ff0001 --registry registry.db
    """
    instant = _moment(at, time_zone)
    action = partial(installing.end, device=address, at=instant, channel=channel)
    act(context, registry, action, dry_run=dry_run)


@install.command("turn-round")
def turn_round(
    context: typer.Context, address: Address, registry: RegistryUrl, channel: Channel = None, *, dry_run: DryRun = False
) -> None:
    """Mend a reversed direction, since the device was installed.

    Example:

        passerelle install turn-round 0004a30b00ff0003 --registry registry.db
    """
    action = partial(installing.turn_round, device=address, at=datetime.now(UTC), channel=channel)
    act(context, registry, action, dry_run=dry_run)


@install.command("list")
def list_installations(
    registry: RegistryUrl,
    place: Annotated[str | None, typer.Option(help="Of this place.")] = None,
    past: Annotated[bool, typer.Option("--past", help="Those that are over too.")] = False,
) -> None:
    """List what serves what, since when, which way round.

    Example:

        passerelle install list --place rue-haute --past --registry registry.db
    """
    with opened(registry) as store:
        town = store.snapshot()
    now = datetime.now(UTC)
    found = [
        each
        for each in town.installations
        if place in {None, each.place} and (past or each.end is None or each.end > now)
    ]
    table = Table("place", "device", "channel", "from", "until", "", box=None, pad_edge=False)
    for each in sorted(found, key=lambda each: (each.place, each.start)):
        channel = " ".join(part for part in (each.channel, each.mode) if part)
        until = "–" if each.end is None else installing.clock(each.end)
        way = "reversed" if each.reversed else ""
        table.add_row(each.place, each.device, channel, installing.clock(each.start), until, way)
    if found:
        Console(width=WIDTH).print(table)
    typer.echo(f"{len(found)} installation{'s' * (len(found) != 1)}")


def _moment(text: str | None, time_zone: str) -> datetime:
    """Told by the town's clock; now where nothing is told. Ends the command in words."""
    if text is None:
        return datetime.now(UTC)
    with mistakes_in_words():
        zone = parse_zone(time_zone)
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        leave(USAGE, f"--at {text!r}: a time as 2026-11-30T18:00 expected")
    return (told if told.tzinfo is not None else told.replace(tzinfo=zone)).astimezone(UTC)
