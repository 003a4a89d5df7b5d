"""The commands `passerelle gateway add`, `list` and `show`: what gateways are called, and what is theirs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cloud_api.provisioning.installing import clock
from cloud_api.provisioning.plan import NotPossibleError, Plan, nearest
from cloud_api.registry import Gateway, Position
from cloud_api.registry.invitations import Access, Invitation, access_of, accesses
from cloud_api.shell import WIDTH, DryRun, RegistryUrl, act, opened


def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and hyphens.")],
    registry: RegistryUrl,
    label: Annotated[str | None, typer.Option(help="What people call it [default: its name].")] = None,
    own_file: Annotated[
        bool, typer.Option("--own-file", help="Its devices are those of its configuration file, not told from here.")
    ] = False,
    lat: Annotated[float | None, typer.Option(help="Where it is, degrees north.", min=-90, max=90)] = None,
    lon: Annotated[float | None, typer.Option(help="Degrees east.", min=-180, max=180)] = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Add a gateway, or change what it is called; it is told its devices from here on.

    Examples:

        passerelle gateway add halles --label 'Les halles' --registry registry.db

        passerelle gateway add gare --own-file --registry registry.db --dry-run
    """
    position = None if lat is None or lon is None else Position(lat=lat, lon=lon)
    entry = Gateway(name=name, label=label or name, managed=not own_file, position=position)
    told = "keeps its own file" if own_file else "takes its devices from here"
    act(context, registry, lambda _town: Plan((entry,), words=(f"gateway {name} {told}",)), dry_run=dry_run)


def list_gateways(registry: RegistryUrl) -> None:
    """List gateways: what is theirs, and whether the broker lets them in.

    Example:

        passerelle gateway list --registry registry.db
    """
    with opened(registry) as store:
        town, invitations = store.snapshot(), store.invitations.all()
    table = Table("gateway", "label", "devices", "access", "", box=None, pad_edge=False)
    now = datetime.now(UTC)
    for each in sorted(town.gateways.values(), key=lambda each: each.name):
        access = "\n".join(access_lines(each.name, invitations, now))
        devices = sum(device.gateway == each.name for device in town.devices.values())
        table.add_row(each.name, each.label, str(devices), access, "" if each.managed else "own file")
    Console(width=WIDTH).print(table)


def show(name: Annotated[str, typer.Argument(metavar="NAME", help="A gateway.")], registry: RegistryUrl) -> None:
    """Show a gateway, its devices, and who changed it last. How it does is on the page and at `/v1/gateways`.

    Example:

        passerelle gateway show halles --registry registry.db
    """
    with opened(registry) as store:
        town, trail, invitations = store.snapshot(), store.trail(key=name, limit=5), store.invitations.all()
        known = town.gateways.get(name)
        if known is None:
            raise NotPossibleError("unknown-gateway", "gateway", nearest=nearest(name, town.gateways), gateway=name)
    typer.echo(f"{known.name}: {known.label}{'' if known.managed else ', own file'}")
    for line in access_lines(name, invitations, datetime.now(UTC)):
        typer.echo(line)
    for each in sorted(town.devices.values(), key=lambda each: each.address):
        if each.gateway == name:
            typer.echo(f"  {each.address} {each.model} {each.label or ''}".rstrip())
    for trace in trail:
        typer.echo(f"changed {clock(trace.at)} by {trace.who}")


def access_lines(gateway: str, invitations: Sequence[Invitation], now: datetime) -> list[str]:
    """Whether a gateway has a way in at the broker, until when, and who else is invited in its name."""
    last = accesses(invitations).get(gateway)
    lines = []
    match access_of(gateway, invitations):
        case Access.ENROLLED if last is not None and last.certificate_ends_at is not None:
            lines.append(f"enrolled, certificate until {last.certificate_ends_at:%Y-%m-%d}")
        case Access.ENROLLED:
            lines.append("enrolled")
        case Access.REVOKED if last is not None and last.revoked_at is not None:
            lines.append(f"revoked {clock(last.revoked_at)}")
        case _:
            pass
    open_ = [each for each in invitations if each.gateway == gateway and each.is_open(now)]
    return lines + [f"invited until {clock(each.expires_at)}" for each in open_]
