"""The command `passerelle devices`: what a technician asks about device models, without a gateway.

In come model names and bytes, out come tables, readings as JSON lines, or one line that says what is wrong. It answers
at once: nothing here may load links, MQTT, Bluetooth or serial ports when it is imported.
"""

from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from edge.drivers.devices import catalogue
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.exits import FAILED, MISUSED, failed
from edge.readings import DecodeError, DeviceAddress, Frame, Knowledge, to_json_line
from edge.skeleton import Pattern, Skeleton
from edge.tables import print_table

devices_app = typer.Typer(
    help="Device models, frames and readings: a technician's tools.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

KEY_BYTES = 16
Options = dict[str, bool | int | float | str]

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="Model name, as `devices list` shows it.")]
ModelOptions = Annotated[
    list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="Setting of the model; may be repeated.")
]


def _one_of(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    """A parser that names the choices where the text is none of them."""

    def parse(text: str) -> StrEnum:
        try:
            return choices(text)
        except ValueError as error:
            raise typer.BadParameter(f"expected {', '.join(choices)}, got {text!r}") from error

    return parse


OfLink = typer.Option(parser=_one_of(LinkKind), metavar="|".join(LinkKind), help="Only models on this link.")
OfKind = typer.Option(parser=_one_of(Kind), metavar="|".join(Kind), help="Only models of this kind.")
OfPattern = typer.Option(parser=_one_of(Pattern), metavar="|".join(Pattern), help="What to start from.")


@devices_app.command("list")
def list_devices(
    link: Annotated[LinkKind | None, OfLink] = None,
    kind: Annotated[Kind | None, OfKind] = None,
) -> None:
    """Show the models as a table.

    Examples:

        passerelle devices list

        passerelle devices list --link lorawan --kind parking
    """
    chosen = [
        model
        for model in catalogue().values()
        if (link is None or link in model.links) and (kind is None or kind is model.kind)
    ]
    if not chosen:
        typer.echo("no model is of that kind on that link", err=True)
        return
    table = Table("model", "maker", "kind", "links", "detects", box=None, pad_edge=False)
    for model in chosen:
        table.add_row(model.name, Text(model.maker), model.kind, _links(model), Text(model.detects))
    print_table(table)


@devices_app.command("show")
def show_device(model: ModelName) -> None:
    """Show how to mount and configure a model, and what it reports.

    An unknown model: exit status 2.

    Example:

        passerelle devices show parametric-pcr2
    """
    for name, text in describe(model_or_exit(model)):
        typer.echo(f"{name + ':':<12} {text}")


@devices_app.command("decode")
def decode_frame(
    model: ModelName,
    payload: Annotated[list[str], typer.Argument(metavar="HEX…", help="One frame; blanks and bars are ignored.")],
    port: Annotated[int | None, typer.Option(min=0, max=255, help="LoRaWAN fPort.")] = None,
    device: Annotated[str, typer.Option(help="Hardware address, where the format needs it (BTHome).")] = "",
    key: Annotated[str | None, typer.Option(help="Payload key, 32 hexadecimal digits (BTHome).")] = None,
    firmware: Annotated[str | None, typer.Option(help="Firmware the device reported earlier (TPS110).")] = None,
    option: ModelOptions = None,
) -> None:
    """Decode one frame and print its readings, one JSON object a line.

    A frame that cannot be decoded prints one line on standard error and nothing else: exit status 1. An unknown model
    or what is no hexadecimal: exit status 2.

    Examples:

        passerelle devices decode parametric-pcr2 --port 14 be010400010002000300041c200ce40139

        passerelle devices decode hlk-ld2450 "aaff0300 0e03b18610004001 0000000000000000 0000000000000000 55cc"

        passerelle devices decode modbus-register --option unit=1 01030202f238a1
    """
    chosen = model_or_exit(model)
    options = _known_or_exit(options_or_exit(option), chosen)
    knowledge = Knowledge(firmware=firmware, key=key_or_exit(key, "--key"), options=options)
    frame = Frame(device=DeviceAddress(device), payload=_bytes_or_exit(payload), port=port)
    try:
        readings = chosen.decode(frame, knowledge)
    except DecodeError as error:
        raise failed(f"DecodeError: {error}", FAILED) from error
    for reading in readings:
        typer.echo(to_json_line(reading))


@devices_app.command("new")
def new_device(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="maker-model in lower case, `acme-gate1`.")],
    kind: Annotated[Pattern, OfPattern] = Pattern.COUNTER,
    checkout: Annotated[Path, typer.Option(help="A checkout of Passerelle's repository.")] = Path(),
) -> None:
    """Write a first codec and its case file for a new LoRaWAN model.

    Both pass the tests as they are, and are to be changed. Nothing is overwritten. A model that is there already: exit
    status 1; a bad name or no checkout: 2.
    docs/adding-a-device.md tells how to go on.

    Examples:

        passerelle devices new acme-gate1

        passerelle devices new acme-bay2 --kind parking --checkout ~/passerelle
    """
    try:
        written = Skeleton(model, kind).write(checkout)
    except ValueError as error:
        raise failed(str(error), MISUSED) from error
    except OSError as error:
        raise failed(f"{error.filename}: {error.strerror}", FAILED) from error
    for path in written:
        typer.echo(f"wrote {path}")
    typer.echo(f"now: pytest tests/contract/test_codecs.py -k {model}", err=True)


def describe(model: Model) -> list[tuple[str, str]]:
    """What a technician wants to know of a model, as (name, text)."""
    lines = [
        ("model", model.name),
        ("product", f"{model.maker} {model.product}"),
        ("kind", model.kind),
        ("detects", model.detects),
        ("links", _links(model)),
    ]
    lines += [(f"fPort {port}", text) for port, text in model.ports.items()]
    lines += [] if model.baud is None else [("baud", str(model.baud))]
    lines += [("channel", _describe_channel(channel)) for channel in model.channels]
    lines += [("reports", f"every {model.reporting_period_s} s when nothing happens")]
    lines += [("option", f"{name}: {text}") for name, text in model.options.items()]
    return [*lines, ("mounting", model.mounting), ("source", model.source)]


def model_or_exit(name: str) -> Model:
    """The model of this name; ends the command when there is none."""
    models = catalogue()
    if name not in models:
        near = [known for known in models if name.lower() in known] or get_close_matches(name.lower(), models)
        meant = f": did you mean {', '.join(near)}?" if near else ";"
        raise failed(f"unknown model {name!r}{meant} `passerelle devices list` shows all", MISUSED)
    return models[name]


def options_or_exit(pairs: list[str] | None) -> Options:
    """`NAME=VALUE` settings, values read as true or false, number or text; ends the command at one without `=`."""
    options: Options = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise failed(f"--option: expected NAME=VALUE, got {pair!r}", MISUSED)
        options[name] = _value(value)
    return options


def _known_or_exit(options: Options, model: Model) -> Options:
    for name in options:
        if name not in model.options:
            expected = ", ".join(sorted(model.options)) or "none"
            raise failed(f"--option: unknown option {name!r} of {model.name}; expected {expected}", MISUSED)
    return options


def key_or_exit(key: str | None, option: str) -> bytes | None:
    """A key of 16 bytes given in hexadecimal, or None; ends the command, naming its option, at anything else."""
    if key is None:
        return None
    data = _bytes_or_exit([key], option)
    if len(data) != KEY_BYTES:
        raise failed(f"{option}: expected {KEY_BYTES} bytes (32 digits), got {len(data)}", MISUSED)
    return data


def _links(model: Model) -> str:
    return ", ".join(sorted(model.links))


def _describe_channel(channel: Channel) -> str:
    second = "" if channel.second is None else f", out = {channel.second}"
    width = "no total" if channel.bits is None else f"total of {channel.bits} bits"
    return f"{channel.name} ({channel.mode or 'whatever passes'}): in = {channel.first}{second}; {width}"


def _bytes_or_exit(groups: list[str], name: str = "HEX") -> bytes:
    digits = "".join(groups).translate(str.maketrans("", "", " |_:-\t\n"))
    for position, character in enumerate(digits):
        if character not in "0123456789abcdefABCDEF":
            raise failed(f"{name}: {character!r} at digit {position} is not hexadecimal", MISUSED)
    if len(digits) % 2:
        raise failed(f"{name}: {len(digits)} digits; two are expected for every byte", MISUSED)
    return bytes.fromhex(digits)


def _value(text: str) -> bool | int | float | str:
    if text in {"true", "false"}:
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
