"""The commands `passerelle devices listen`, `scan` and `ports`: what arrives here and now, for a technician on site.

In come a port, a broker or an adapter, out come lines on standard output until Ctrl-C. The links are loaded only when
one of these commands runs. Passers-by are never shown: of Bluetooth only what speaks BTHome.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from edge.devices_commands import ModelName, ModelOptions, key_or_exit, model_or_exit, options_or_exit
from edge.exits import FAILED, MISUSED, failed
from edge.messages import DeviceSettings
from edge.tables import console, print_table

if TYPE_CHECKING:
    from edge.clock import SystemClock
    from edge.drivers.links.base import Link
    from edge.listening import Item, OpenDirectory, Take

listen_app = typer.Typer(
    help="Open a link and print its frames and readings live, until Ctrl-C.\n\n"
    "A port, broker or adapter that cannot be opened or is lost: exit status 1, with what to try.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

BTHOME = "bthome-v2"
LINK = "listen"
"""What the link is called in errors."""
ANY = "any"
"""Stands for the address of whatever device is heard."""
Config = TypeVar("Config", bound=msgspec.Struct)

Frames = Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")]
Port = Annotated[str, typer.Argument(metavar="PORT", help="A path, or usb:VID:PID[:SERIAL] as `devices ports` shows.")]
Host = Annotated[str, typer.Argument(metavar="HOST", help="The broker.")]
OtherModel = Annotated[str | None, typer.Option("--model", help="The model of devices that --config does not name.")]
GatewayFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="A gateway's file: its devices' models, keys and options are used."),
]
BrokerPort = Annotated[int | None, typer.Option("--port", min=1, max=65_535, help="The broker's port.")]
Username = Annotated[str | None, typer.Option(help="Who we are to the broker.")]
PasswordFile = Annotated[Path | None, typer.Option(help="A file that holds the password alone.")]
CaFile = Annotated[Path | None, typer.Option(help="Certificate authority to trust; with it TLS is used.")]
Topic = Annotated[str | None, typer.Option(help="What to subscribe to; all devices by default.")]
Adapter = Annotated[str | None, typer.Option(help="BlueZ's name of the adapter (hci0).")]
Passive = Annotated[bool, typer.Option("--passive", help="Send nothing; needs BlueZ with --experimental.")]
BindKeys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="ADDRESS=KEY", help="Bind key of an encrypted sensor, 32 digits; may be repeated."),
]


@listen_app.command("serial")
def listen_serial(
    model: ModelName,
    port: Port,
    baud: Annotated[int | None, typer.Option(help="Symbols per second; the model's own by default.")] = None,
    option: ModelOptions = None,
    frames: Frames = None,
) -> None:
    """Listen to a device on a serial port: radar or lidar.

    Examples:

        passerelle devices listen serial hlk-ld2450 /dev/ttyUSB0

        passerelle devices listen serial benewake-tf-luna usb:0403:6001 --option unit=mm
    """
    from edge.drivers.links.serial_port import SerialConfig, SerialLink

    model_or_exit(model)
    options = options_or_exit(option)
    settings = DeviceSettings(address=ANY, model=model, options=options)
    fields = {"port": port, "model": model, "device": Path(port).name, "baud": baud}
    _listen(SerialLink(_config(SerialConfig, fields), _clock()), _directory(None, settings), frames)


@listen_app.command("chirpstack")
def listen_chirpstack(
    host: Host,
    model: OtherModel = None,
    config: GatewayFile = None,
    port: BrokerPort = None,
    username: Username = None,
    password_file: PasswordFile = None,
    ca_file: CaFile = None,
    topic: Topic = None,
    frames: Frames = None,
) -> None:
    """Listen to LoRaWAN devices through the MQTT broker of a ChirpStack v4 server.

    The broker keeps nothing for this command, and a gateway that listens too misses nothing by it.

    Examples:

        passerelle devices listen chirpstack localhost --model parametric-pcr2

        passerelle devices listen chirpstack lora.example --port 8883 --ca-file ca.pem --config gateway.toml
    """
    from edge.drivers.links.chirpstack import ChirpStackConfig, ChirpStackLink

    fields = _broker_fields(host, port, username, password_file, ca_file, topic)
    link = ChirpStackLink(_config(ChirpStackConfig, fields), _clock())
    _listen(link, _directory(config, _others(model)), frames)


@listen_app.command("things-stack")
def listen_things_stack(
    host: Host,
    model: OtherModel = None,
    config: GatewayFile = None,
    port: BrokerPort = None,
    username: Annotated[str | None, typer.Option(help="application@tenant; the password is an API key.")] = None,
    password_file: PasswordFile = None,
    ca_file: CaFile = None,
    topic: Topic = None,
    frames: Frames = None,
) -> None:
    """Listen to LoRaWAN devices through the MQTT server of The Things Stack v3.

    Example:

        passerelle devices listen things-stack eu1.cloud.thethings.network --port 8883 --username ville@ttn
        --password-file api-key --ca-file /etc/ssl/certs/ca-certificates.crt --model nwave-nps405
    """
    from edge.drivers.links.things_stack import ThingsStackLink, TtsConfig

    fields = _broker_fields(host, port, username, password_file, ca_file, topic)
    link = ThingsStackLink(_config(TtsConfig, fields), _clock())
    _listen(link, _directory(config, _others(model)), frames)


@listen_app.command("modem")
def listen_modem(
    port: Port,
    model: OtherModel = None,
    config: GatewayFile = None,
    nwk_skey: Annotated[str | None, typer.Option(help="Network session key of other devices, 32 digits.")] = None,
    app_skey: Annotated[str | None, typer.Option(help="Application session key of other devices, 32 digits.")] = None,
    baud: Annotated[int, typer.Option(help="115200, or 9600 for RAK3172 firmware up to 1.0.4.")] = 115_200,
    frequency_hz: Annotated[int, typer.Option(help="Radio channel.")] = 868_100_000,
    spreading_factor: Annotated[int, typer.Option(help="6 to 12.")] = 9,
    firmware: Annotated[str, typer.Option(help="auto, rui3, old or rak811.")] = "auto",
    frames: Frames = None,
) -> None:
    """Listen to LoRaWAN devices with a RAK3172 or RAK811 modem on a serial port.

    Devices without keys are told, not read. Keys are better kept in --config than typed.

    Examples:

        passerelle devices listen modem /dev/ttyUSB0

        passerelle devices listen modem usb:1a86:7523 --spreading-factor 7 --config gateway.toml
    """
    from edge.drivers.links.rak3172 import Rak3172Config, Rak3172Link

    if (nwk_skey is None) is not (app_skey is None):
        raise failed("--nwk-skey and --app-skey belong together: give both or neither", MISUSED)
    fields = {"baud": baud, "frequency_hz": frequency_hz, "spreading_factor": spreading_factor, "firmware": firmware}
    others = DeviceSettings(
        address=ANY,
        model="" if model is None else model_or_exit(model).name,
        nwk_skey=_digits(nwk_skey, "--nwk-skey"),
        app_skey=_digits(app_skey, "--app-skey"),
    )
    directory = _directory(config, others)
    _listen(Rak3172Link(_config(Rak3172Config, {"port": port, **fields}), _clock(), directory), directory, frames)


@listen_app.command("ble")
def listen_ble(
    config: GatewayFile = None,
    key: BindKeys = None,
    adapter: Adapter = None,
    passive: Passive = False,
    frames: Frames = None,
) -> None:
    """Listen to BTHome sensors by Bluetooth. Nothing else in the air is shown.

    Examples:

        passerelle devices listen ble

        passerelle devices listen ble --config gateway.toml --adapter hci1

        passerelle devices listen ble --key 54:48:E6:8F:80:A5=231d39c1d7cc1ab1aee224cd096db932
    """
    link, directory = _bluetooth(config, key, adapter, passive)
    _listen(link, directory, frames)


@listen_app.command("modbus")
def listen_modbus(
    port: Port,
    option: ModelOptions = None,
    baud: Annotated[int, typer.Option(help="Symbols per second.")] = 9_600,
    parity: Annotated[str, typer.Option(help="N, E or O.")] = "N",
    frames: Frames = None,
) -> None:
    """Ask one unit on a Modbus RTU pair again and again, and print its answers. Nothing is ever written to it.

    The options are those of `devices show modbus-register`; `unit` is needed.

    Example:

        passerelle devices listen modbus /dev/ttyUSB0 --option unit=1 --option register=256 --option count=3
    """
    from edge.drivers.links.modbus import ModbusConfig, ModbusLink

    unit = DeviceSettings(address=Path(port).name, model="modbus-register", options=options_or_exit(option))
    directory = _directory(None, unit)
    config = _config(ModbusConfig, {"port": port, "baud": baud, "parity": parity})
    _listen(ModbusLink(config, _clock(), directory), directory, frames)


def scan(
    seconds: Annotated[int, typer.Option(min=1, help="How long.")] = 10,
    config: GatewayFile = None,
    key: BindKeys = None,
    adapter: Adapter = None,
    passive: Passive = False,
) -> None:
    """Show the BTHome sensors heard by Bluetooth: signal strength, messages, what they said last.

    Nothing else in the air is shown, counted or kept: telephones are passers-by. Ctrl-C ends it sooner. Without
    Bluetooth: exit status 1, with what to try.

    Examples:

        passerelle devices scan

        passerelle devices scan --seconds 60 --config gateway.toml
    """
    from rich.live import Live

    from edge.listening import Interpreter
    from edge.scanning import Scan

    link, directory = _bluetooth(config, key, adapter, passive)
    heard = Scan(Interpreter(directory))
    with Live(console=console(), auto_refresh=False) as live:

        def take(item: "Item") -> bool:
            heard.note(item)
            live.update(heard.table(), refresh=True)
            return False

        _run(link, take, f"scanning for {seconds} s (Ctrl-C ends it sooner)", seconds)
    if not heard.devices:
        typer.echo("no BTHome sensor heard: wake one up, come nearer, or wait longer with --seconds", err=True)


def ports() -> None:
    """Show the serial ports plugged in, and the names that stay theirs.

    Write one of the last two columns into a configuration: the first may change when an adapter comes back.

    Example:

        passerelle devices ports
    """
    from rich.table import Table
    from rich.text import Text

    from edge.ports import serial_ports

    found = serial_ports()
    if not found:
        typer.echo("no serial port found: plug the adapter in; `dmesg` says what the kernel makes of it", err=True)
        return
    table = Table("port now", "adapter", "USB identity", "lasting path", box=None, pad_edge=False)
    for port in found:
        table.add_row(port.path, Text(port.product), Text(port.usb or ""), Text(str(port.by_id or "")))
    print_table(table)


def _bluetooth(
    config: Path | None, keys: list[str] | None, adapter: str | None, passive: bool
) -> "tuple[Link, OpenDirectory]":
    from edge.drivers.links.ble import BleConfig, BleLink

    directory = _directory(config, DeviceSettings(address=ANY, model=BTHOME), [_sensor(pair) for pair in keys or []])
    fields = {"adapter": adapter, "scanning": "passive" if passive else "active"}
    return BleLink(_config(BleConfig, fields), _clock(), directory), directory


def _sensor(pair: str) -> DeviceSettings:
    """The encrypted sensor that `ADDRESS=KEY` means; ends the command when it means none."""
    address, equals, key = pair.partition("=")
    if not equals:
        raise failed(f"--key: expected ADDRESS=KEY, got {len(pair)} characters without `=`", MISUSED)
    return DeviceSettings(address=address.upper(), model=BTHOME, key=_digits(key, "--key"))


def _listen(link: "Link", directory: "OpenDirectory", frames: int | None) -> None:
    """Print what the link hears until told to stop, or until there were so many frames."""
    from edge.listening import Interpreter, headline, meaning, without_passers_by
    from edge.readings import Frame

    interpreter = Interpreter(directory)
    heard = 0

    def take(item: "Item") -> bool:
        nonlocal heard
        heard += isinstance(item, Frame)
        typer.echo(f"{time.strftime('%H:%M:%S')}  {headline(without_passers_by(item, directory.known))}")
        for line in meaning(item, interpreter):
            typer.echo(f"          {line}")
        return heard == frames

    _run(link, take, "listening (Ctrl-C ends it)")


def _run(link: "Link", take: "Take", announcement: str, seconds: float | None = None) -> None:
    import asyncio

    from edge.drivers.links.base import LinkError
    from edge.listening import listen

    try:
        asyncio.run(listen(link, take, lambda: typer.echo(announcement, err=True), seconds))
    except LinkError as error:
        raise failed(f"LinkError: {error.reason}; {error.advice}", FAILED) from error


def _directory(
    config: Path | None, others: DeviceSettings | None, named: Sequence[DeviceSettings] = ()
) -> "OpenDirectory":
    """What is known of devices: those named, those of a gateway's file, and what all others are taken for."""
    from edge.listening import OpenDirectory

    known = () if config is None else _devices_of(config)
    return OpenDirectory({device.address: device for device in (*known, *named)}, others)


def _devices_of(config: Path) -> tuple[DeviceSettings, ...]:
    from edge.config import ConfigError, load

    try:
        return load(config).device
    except ConfigError as error:
        raise failed(f"ConfigError: {error}", MISUSED) from error


def _others(model: str | None) -> DeviceSettings | None:
    return None if model is None else DeviceSettings(address=ANY, model=model_or_exit(model).name)


def _digits(key: str | None, option: str) -> str | None:
    """A key as settings hold it."""
    data = key_or_exit(key, option)
    return None if data is None else data.hex()


def _broker_fields(
    host: str,
    port: int | None,
    username: str | None,
    password_file: Path | None,
    ca_file: Path | None,
    topic: str | None,
) -> dict[str, object]:
    """The settings of a broker that shall keep nothing for us."""
    fields = {"port": port, "username": username, "password_file": password_file, "ca_file": ca_file, "topic": topic}
    return {"host": host, "client_id": f"passerelle-listen-{secrets.token_hex(4)}", "session_s": 0, **fields}


def _config(kind: type[Config], fields: Mapping[str, object]) -> Config:
    """A link's settings from options, those that were not given left to the link; ends the command at a wrong one."""
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return msgspec.convert({"kind": kind.__struct_config__.tag, "name": LINK, **given}, kind)
    except msgspec.ValidationError as error:
        raise failed(str(error), MISUSED) from error


def _clock() -> "SystemClock":
    from edge.clock import ClockTrust, SystemClock

    return SystemClock(ClockTrust.SYSTEM)
