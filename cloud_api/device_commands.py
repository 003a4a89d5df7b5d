"""The command `passerelle device`: sensors of the town, from a delivery's list to the end of their service.

In come addresses and a registry, out come lines that say what was done. Keys are read from files and never shown.
"""

from datetime import UTC, datetime
from typing import Annotated

import typer
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from cloud_api.device_import_command import import_delivery
from cloud_api.device_sticker_command import print_stickers
from cloud_api.provisioning import actions, installing
from cloud_api.provisioning.installing import in_force
from cloud_api.provisioning.plan import Plan
from cloud_api.registry import Device, Registry
from cloud_api.registry.radio_keys import NO_KEYS
from cloud_api.shell import WIDTH, DryRun, RegistryUrl, act, opened, options_of

device = typer.Typer(name="device", help="The town's sensors.", no_args_is_help=True, rich_markup_mode="markdown")
device.command("import")(import_delivery)
device.command("stickers")(print_stickers)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="devEUI, Bluetooth address or name on a wire.")]
Options = Annotated[
    list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="Setting of the model; may be repeated.")
]


@device.callback()
def devices() -> None:
    """Sensors of the town: adopt, install elsewhere, swap, retire."""


@device.command()
def adopt(
    context: typer.Context,
    address: Address,
    registry: RegistryUrl,
    model: Annotated[str, typer.Option(help="As `passerelle devices list` names it.")],
    gateway: Annotated[str | None, typer.Option(help="Who listens to it [default: the store room].")] = None,
    link: Annotated[str | None, typer.Option(help="The gateway's link that hears it.")] = None,
    label: Annotated[str | None, typer.Option(help="What is written on it.")] = None,
    period_s: Annotated[int | None, typer.Option(help="How often it reports, seconds.", min=1)] = None,
    option: Options = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Let a gateway listen to a device; it is told within seconds, or when it comes on line.

    Examples:

        passerelle device adopt 0004A30B00FF0001 --model bosch-tps110 --gateway halles --registry registry.db

        passerelle device adopt radar-north --model hlk-ld2450 --gateway halles --link radar --registry registry.db
    """
    wanted = Device(
        address=address,
        model=model,
        gateway=gateway,
        link=link,
        label=label,
        period_s=period_s,
        options=options_of(option or []),
    )
    act(context, registry, lambda town: actions.adopt(town, wanted), dry_run=dry_run)


@device.command("set")
def set_(
    context: typer.Context,
    address: Address,
    registry: RegistryUrl,
    model: Annotated[str | None, typer.Option(help="Another model.")] = None,
    gateway: Annotated[str | None, typer.Option(help="Another gateway.")] = None,
    link: Annotated[str | None, typer.Option(help="Another link.")] = None,
    label: Annotated[str | None, typer.Option(help="What is written on it.")] = None,
    period_s: Annotated[int | None, typer.Option(help="How often it reports, seconds.", min=1)] = None,
    debounce_s: Annotated[int | None, typer.Option(help="A change must stand so long, seconds.", min=0)] = None,
    inverted: Annotated[
        bool | None, typer.Option("--inverted/--not-inverted", help="Whether it says occupied for free.")
    ] = None,
    option: Options = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Change settings of a device; what is not named stays.

    Examples:

        passerelle device set 0004a30b00ff0001 --inverted --registry registry.db

        passerelle device set radar-north --option height_mm=3200 --registry registry.db --dry-run
    """
    named = {
        "model": model,
        "gateway": gateway,
        "link": link,
        "label": label,
        "period_s": period_s,
        "debounce_s": debounce_s,
        "invert_presence": inverted,
    }
    options = options_of(option or [])
    told = {name: value for name, value in named.items() if value is not None}

    def changed(town: Registry) -> Plan:
        known = actions.device_of(town, address)
        return actions.change(town, replace(known, **told, options={**known.options, **options}))

    act(context, registry, changed, dry_run=dry_run)


@device.command("list")
def list_devices(
    registry: RegistryUrl,
    gateway: Annotated[str | None, typer.Option(help="Of this gateway.")] = None,
    retired: Annotated[bool, typer.Option("--retired", help="Those that are retired too.")] = False,
) -> None:
    """List devices, and what they serve.

    Example:

        passerelle device list --gateway halles --registry registry.db
    """
    with opened(registry) as store:
        town = store.snapshot()
    now = datetime.now(UTC)
    found = [
        each
        for each in sorted(town.devices.values(), key=lambda each: each.address)
        if gateway in {None, each.gateway} and (retired or each.retired is None)
    ]
    table = Table("device", "model", "gateway", "serves", "label", box=None, pad_edge=False)
    for each in found:
        where = each.gateway or ("retired" if each.retired else "store room")
        table.add_row(each.address, each.model, where, _served(town, each, now) or "–", each.label or "")
    if found:
        Console(width=WIDTH).print(table)
    typer.echo(f"{len(found)} device{'s' * (len(found) != 1)}")


@device.command()
def show(address: Address, registry: RegistryUrl) -> None:
    """Show a device: settings, places now and before, which keys there are, who changed it last.

    Example:

        passerelle device show 0004a30b00ff0001 --registry registry.db
    """
    with opened(registry) as store:
        town = store.snapshot()
        known = actions.device_of(town, address)
        keys = store.radio_keys.all().get(known.address, NO_KEYS)
        trail = store.trail(key=known.address, limit=5)
    for name in known.__struct_fields__:
        value = getattr(known, name)
        if value not in (None, (), {}, False):
            typer.echo(f"{name + ':':<18}{value}")
    typer.echo(f"{'keys:':<18}{', '.join(keys.names) or 'none'}")
    for each in town.installations:
        if each.device == known.address:
            until = "now" if each.end is None else installing.clock(each.end)
            typer.echo(f"{'served:':<18}{each.place} by {each.channel}, {installing.clock(each.start)} to {until}")
    for trace in trail:
        typer.echo(f"{'changed:':<18}{installing.clock(trace.at)} by {trace.who}")


@device.command()
def swap(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The device that is taken away, or its place.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The address of the one that takes its place.")],
    registry: RegistryUrl,
    model: Annotated[str | None, typer.Option(help="The new one's [default: the same].")] = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Let another device take a device's place; the history of the place goes on.

    Example:

        passerelle device swap 0004a30b00ff0001 0004a30b00ff0009 --registry registry.db
    """
    at = datetime.now(UTC)

    def swapped(town: Registry) -> Plan:
        address = old if old in town.devices else _at_place(town, old, at)
        fresh = Device(address=new, model=model or actions.device_of(town, address).model)
        return installing.swap(town, actions.device_of(town, address).address, fresh, at)

    act(context, registry, swapped, dry_run=dry_run)


@device.command()
def move(
    context: typer.Context,
    address: Address,
    place: Annotated[str, typer.Argument(metavar="PLACE", help="Where it is now.")],
    registry: RegistryUrl,
    channel: Annotated[str | None, typer.Option(help="Where it serves several places.")] = None,
    since_start: Annotated[
        bool, typer.Option("--since-start", help="It has been there all the time: mend what was written down.")
    ] = False,
    *,
    dry_run: DryRun = False,
) -> None:
    """Let a device serve another place, from now on or since it was installed.

    Examples:

        passerelle device move 0004a30b00ff0001 marche-2 --registry registry.db

        passerelle device move 0004a30b00ff0001 marche-2 --since-start --registry registry.db --dry-run
    """
    at = datetime.now(UTC)
    moved = installing.correct if since_start else installing.move
    act(
        context,
        registry,
        lambda town: moved(town, actions.device_of(town, address).address, place, at, channel=channel),
        dry_run=dry_run,
    )


@device.command()
def exchange(
    context: typer.Context,
    one: Annotated[str, typer.Argument(metavar="ADDRESS")],
    other: Annotated[str, typer.Argument(metavar="OTHER")],
    registry: RegistryUrl,
    *,
    dry_run: DryRun = False,
) -> None:
    """Mend that two devices were taken for each other, since they were installed.

    Example:

        passerelle device exchange 0004a30b00ff0001 0004a30b00ff0002 --registry registry.db
    """
    at = datetime.now(UTC)
    act(context, registry, lambda town: installing.exchange(town, one, other, at), dry_run=dry_run)


@device.command()
def store(context: typer.Context, address: Address, registry: RegistryUrl, *, dry_run: DryRun = False) -> None:
    """Take a device from its gateway and its places; it may be adopted again.

    Example:

        passerelle device store 0004a30b00ff0001 --registry registry.db
    """
    at = datetime.now(UTC)
    act(context, registry, lambda town: actions.put_in_store_room(town, address, at), dry_run=dry_run)


@device.command()
def retire(context: typer.Context, address: Address, registry: RegistryUrl, *, dry_run: DryRun = False) -> None:
    """Take a device out of service for good; the history of its places stays.

    Example:

        passerelle device retire 0004a30b00ff0001 --registry registry.db
    """
    at = datetime.now(UTC)
    act(context, registry, lambda town: actions.retire(town, address, at), dry_run=dry_run)


def _served(town: Registry, each: Device, now: datetime) -> str:
    return ", ".join(f"{one.place} ({one.channel})" for one in in_force(town, each.address, now))


def _at_place(town: Registry, name: str, at: datetime) -> str:
    """The device at a place of this name; else the name itself, for the refusal to tell of."""
    places = {*town.counters, *town.zones, *(space.id for space in town.spaces)}
    return installing.serving_device(town, name, at) if name in places else name
