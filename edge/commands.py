"""The gateway's part of the command line: `passerelle edge` and `passerelle devices`.

`devices` answers at once: it must not load links, MQTT or Bluetooth, so `edge` imports what runs a gateway by itself.
"""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edge.drivers.devices import catalogue
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import DecodeError, DeviceAddress, Frame, Knowledge, to_json_line

FAILED = 1
MISUSED = 2
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

edge_app = typer.Typer(help="Run a gateway: read sensors, aggregate, publish.", rich_markup_mode="markdown")
devices_app = typer.Typer(help="The device models this version reads.", no_args_is_help=True)


@edge_app.callback(invoke_without_command=True)
def edge(
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file (TOML).")] = Path(
        "/etc/passerelle/gateway.toml"
    ),
    check: Annotated[bool, typer.Option("--check", help="Only check the configuration, then stop.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run a gateway from its configuration file until it is told to stop.

    SIGHUP reads the file again; when it has a mistake, the last good configuration stays in force.

    Examples:

        passerelle edge --config gateway.toml

        passerelle edge --config gateway.toml --check
    """
    from edge.service import check_configuration, run_service

    if log_level.upper() not in LOG_LEVELS:
        raise _failed(f"--log-level: expected one of {', '.join(LOG_LEVELS).lower()}, got {log_level!r}", MISUSED)
    mistake = check_configuration(config)
    if mistake is not None:
        raise _failed(mistake, MISUSED)
    if check:
        typer.echo(f"{config}: good")
        return
    logging.basicConfig(
        level=log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    failure = run_service(config)
    if failure is not None:
        raise _failed(failure, FAILED)


@devices_app.command("list")
def list_devices(
    link: Annotated[LinkKind | None, typer.Option(help="Only models on this link.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Only models of this kind.")] = None,
) -> None:
    """Show the models as a table.

    Example:

        passerelle devices list --link lorawan --kind parking
    """
    table = Table("model", "maker", "kind", "links", "detects", box=None, pad_edge=False)
    for model in catalogue().values():
        if (link is None or link in model.links) and (kind is None or kind is model.kind):
            table.add_row(model.name, model.maker, model.kind, ", ".join(sorted(model.links)), model.detects)
    Console().print(table)


@devices_app.command("show")
def show_device(model: Annotated[str, typer.Argument(help="Model name, as `devices list` shows it.")]) -> None:
    """Show how to mount and configure a model, and what it reports.

    Example:

        passerelle devices show parametric-pcr2
    """
    for name, text in describe(_model_or_exit(model)):
        typer.echo(f"{name + ':':<12} {text}")


@devices_app.command("decode")
def decode_frame(
    model: Annotated[str, typer.Argument(help="Model name, as `devices list` shows it.")],
    payload: Annotated[list[str], typer.Argument(metavar="HEX…", help="One frame; blanks and bars are ignored.")],
    port: Annotated[int | None, typer.Option(min=0, max=255, help="LoRaWAN fPort.")] = None,
    device: Annotated[str, typer.Option(help="Hardware address, where the format needs it (BTHome).")] = "",
    key: Annotated[str | None, typer.Option(help="Payload key, 32 hexadecimal digits (BTHome).")] = None,
    firmware: Annotated[str | None, typer.Option(help="Firmware the device reported earlier (TPS110).")] = None,
    option: Annotated[list[str] | None, typer.Option(help="Model setting NAME=VALUE; may be repeated.")] = None,
) -> None:
    """Decode one frame and print its readings, one JSON object a line.

    A frame that cannot be decoded prints one line on standard error; exit status 1.

    Examples:

        passerelle devices decode parametric-pcr2 --port 14 be010400010002000300041c200ce40139

        passerelle devices decode hlk-ld2450 "aaff0300 0e03b18610004001 0000000000000000 0000000000000000 55cc"
    """
    chosen = _model_or_exit(model)
    knowledge = Knowledge(firmware=firmware, key=_key_or_exit(key), options=_options_or_exit(option or []))
    frame = Frame(device=DeviceAddress(device), payload=_bytes_or_exit(payload), port=port)
    try:
        readings = chosen.decode(frame, knowledge)
    except DecodeError as error:
        raise _failed(f"DecodeError: {error}", FAILED) from error
    for reading in readings:
        typer.echo(to_json_line(reading))


def describe(model: Model) -> list[tuple[str, str]]:
    """What a technician wants to know of a model, as (name, text)."""
    lines = [
        ("model", model.name),
        ("product", f"{model.maker} {model.product}"),
        ("kind", model.kind),
        ("detects", model.detects),
        ("links", ", ".join(sorted(model.links))),
    ]
    lines += [(f"fPort {port}", text) for port, text in model.ports.items()]
    lines += [("channel", _describe_channel(channel)) for channel in model.channels]
    lines += [("reports", f"every {model.reporting_period_s} s when nothing happens")]
    lines += [("option", f"{name}: {text}") for name, text in model.options.items()]
    return [*lines, ("mounting", model.mounting), ("source", model.source)]


def _describe_channel(channel: Channel) -> str:
    second = "" if channel.second is None else f", out = {channel.second}"
    width = "no total" if channel.bits is None else f"total of {channel.bits} bits"
    return f"{channel.name} ({channel.mode or 'whatever passes'}): in = {channel.first}{second}; {width}"


def _model_or_exit(name: str) -> Model:
    model = catalogue().get(name)
    if model is None:
        raise _failed(f"unknown model {name!r}; `passerelle devices list` shows all", MISUSED)
    return model


def _bytes_or_exit(groups: list[str]) -> bytes:
    digits = "".join(groups).translate(str.maketrans("", "", " |_:-\t\n"))
    for position, character in enumerate(digits):
        if character not in "0123456789abcdefABCDEF":
            raise _failed(f"HEX: {character!r} at digit {position} is not hexadecimal", MISUSED)
    if len(digits) % 2:
        raise _failed(f"HEX: {len(digits)} digits; two are expected for every byte", MISUSED)
    return bytes.fromhex(digits)


def _key_or_exit(key: str | None) -> bytes | None:
    if key is None:
        return None
    data = _bytes_or_exit([key])
    if len(data) != 16:
        raise _failed(f"--key: expected 16 bytes (32 digits), got {len(data)}", MISUSED)
    return data


def _options_or_exit(pairs: list[str]) -> dict[str, bool | int | float | str]:
    options: dict[str, bool | int | float | str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise _failed(f"--option: expected NAME=VALUE, got {pair!r}", MISUSED)
        options[name] = _value(value)
    return options


def _value(text: str) -> bool | int | float | str:
    if text in {"true", "false"}:
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _failed(text: str, status: int) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(status)
