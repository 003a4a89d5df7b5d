"""The gateway's configuration: one TOML file for what it is and hangs on, and the devices, which the cloud may replace.

In come bytes, out comes a `GatewayConfig`, or one `ConfigError` that names the file, the line, the field and what was
expected. Nothing half-valid is ever applied: who asks keeps the last good one.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, structs

from edge.clock import ClockTrust
from edge.drivers.devices import catalogue
from edge.drivers.links import modbus_plan
from edge.drivers.links.ble import BleConfig
from edge.drivers.links.chirpstack import ChirpStackConfig
from edge.drivers.links.modbus import ModbusConfig
from edge.drivers.links.rak3172 import Rak3172Config
from edge.drivers.links.serial_port import SerialConfig
from edge.drivers.links.things_stack import TtsConfig
from edge.drivers.model import LinkKind
from edge.messages import DeviceSettings, RefusedSetting
from edge.publisher import BrokerConfig
from edge.signals import problem_of
from edge.trimming import MEGABYTE, Limits

UNKNOWN_FIELD = "Object contains unknown field "
LINKS: Mapping[str, type[Struct]] = {
    str(each.__struct_config__.tag): each
    for each in (SerialConfig, Rak3172Config, ChirpStackConfig, TtsConfig, BleConfig, ModbusConfig)
}
"""The section of each kind of link, by its `kind`."""
LinkConfig = SerialConfig | Rak3172Config | ChirpStackConfig | TtsConfig | BleConfig | ModbusConfig


class ConfigError(Exception):
    """A configuration that cannot be used: file, line, field, and what was expected."""

    def __init__(self, path: Path, reason: str, *, line: int | None = None, field: str | None = None) -> None:
        self.path = path
        self.line = line
        """1-based; None where the whole file is to blame."""
        self.field = field
        self.reason = reason
        where = str(path) if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {reason}" if field is None else f"{where}, {field}: {reason}")


class GatewaySection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the gateway is."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
    """Lower-case letters, digits and hyphens: part of its MQTT topics."""
    data: Path
    """Folder of the outbox; it must survive a restart."""
    interval_s: Annotated[int, Meta(ge=60, le=900)] = 300
    """Length of the flow intervals, a divisor of 3600."""
    clock: ClockTrust = ClockTrust.NTP
    commit_ms: Annotated[int, Meta(ge=0, le=60_000)] = 50
    """Durable writes are at least so far apart; what arrives meanwhile shares the next one.

    For 50 devices at their own rhythm `make bench` finds the SD card's wear the same from 0 to 1,000 ms, as uplinks are
    seconds apart; a tenth less at 5,000, half at 30,000. But news is as late, and a power cut costs what wires and
    radios brought meanwhile and no sensor repeats: 50 ms makes bursts share a commit and costs nothing.
    """
    outbox_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    """What waited for the store so long loses its detail: health goes, flow intervals are merged into hours, states of
    spaces that newer ones supersede go. Days on which the gateway ran: a clock that steps makes nothing old."""
    outbox_mb: Annotated[int, Meta(ge=64, le=65_536)] = 512
    """The outbox grows no larger, in megabytes; then the same goes, and counts last of all.

    Fifty devices queue 4.4 MB a day: 512 MB hold almost four months of them whole, and fit on the smallest card.
    """


class GatewayConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole configuration file."""

    gateway: GatewaySection
    broker: BrokerConfig
    link: tuple[LinkConfig, ...] = ()
    device: tuple[DeviceSettings, ...] = ()


class DeviceSection(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[[device]]` section: here a mistyped setting is a mistake, while messages may hold those of newer versions."""


class _File(GatewayConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same as it stands in the file."""

    device: tuple[DeviceSection, ...] = ()


TABLES: Mapping[str, type[Struct]] = {"gateway": GatewaySection, "broker": BrokerConfig, "device": DeviceSettings}
"""The sections of a file beside its links."""


def limits_of(section: GatewaySection) -> Limits:
    """How much the outbox may hold."""
    return Limits(days=section.outbox_days, bytes=section.outbox_mb * MEGABYTE)


def load(path: Path) -> GatewayConfig:
    """Read and check a configuration file. Raises `ConfigError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(path, f"cannot be read: {error.strerror}; --config FILE names another") from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, f"cannot be read: {error}") from error
    return parse(text, path)


def parse(text: str, path: Path) -> GatewayConfig:
    """Check a configuration; relative paths in it are relative to its file. Raises `ConfigError`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, text, str(error)) from error
    try:
        file = msgspec.convert(document, _File, dec_hook=_path_beside(path))
    except msgspec.ValidationError as error:
        raise _at_field(path, text, document, str(error)) from error
    devices = tuple(DeviceSettings(**structs.asdict(each)) for each in file.device)
    config = GatewayConfig(gateway=file.gateway, broker=file.broker, link=file.link, device=devices)
    _check_whole(config, path, text)
    return config


def refused_devices(devices: tuple[DeviceSettings, ...]) -> list[RefusedSetting]:
    """What of these devices cannot be applied by this version, and why: empty when all can."""
    refused = []
    seen: set[str] = set()
    for device in devices:
        reason = _device_problem(device, seen)
        if reason is not None:
            refused.append(RefusedSetting(where=device.address, reason=reason))
        seen.add(device.address)
    return refused


def _device_problem(device: DeviceSettings, seen: set[str]) -> str | None:
    if device.address in seen:
        return "the address is there twice"
    model = catalogue().get(device.model)
    if model is None:
        return f"unknown model {device.model!r}; `passerelle devices list` shows those of this version"
    unknown = sorted(set(device.options) - set(model.options))
    if unknown:
        expected = ", ".join(sorted(model.options)) or "none"
        return f"unknown option {unknown[0]!r} of {device.model}; expected {expected}"
    if (device.nwk_skey is None) is not (device.app_skey is None):
        return "nwk_skey and app_skey belong together: give both or neither"
    return problem_of(model, device) or (modbus_plan.problem_of(device) if LinkKind.MODBUS in model.links else None)


def _check_whole(config: GatewayConfig, path: Path, text: str) -> None:
    if 3600 % config.gateway.interval_s:
        found = config.gateway.interval_s
        reason = f"expected a divisor of 3600 from 60 to 900, got {found}"
        raise ConfigError(path, reason, line=_line_of(text, ["gateway", "interval_s"]), field="gateway.interval_s")
    names = [link.name for link in config.link]
    for index, name in enumerate(names):
        if name in names[:index]:
            line = _line_of(text, ["link", index, "name"])
            raise ConfigError(path, f"the name {name!r} is there twice", line=line, field=f"link[{index}].name")
    for index, device in enumerate(config.device):
        if device.link is not None and device.link not in names:
            line = _line_of(text, ["device", index, "link"])
            reason = f"no [[link]] is named {device.link!r}; expected {' or '.join(names) or 'a link first'}"
            raise ConfigError(path, reason, line=line, field=f"device[{index}].link")
    for refused in refused_devices(config.device):
        index = max(i for i, device in enumerate(config.device) if device.address == refused.where)
        line = _line_of(text, ["device", index])
        raise ConfigError(path, refused.reason, line=line, field=f"device[{index}] {refused.where}")


def _path_beside(path: Path) -> Any:
    def convert(type_: type, value: object) -> object:
        if type_ is Path and isinstance(value, str):
            return path.parent / value
        message = f"Expected `{type_.__name__}`, got `{type(value).__name__}`"
        raise msgspec.ValidationError(message)

    return convert


def _syntax_error(path: Path, text: str, reason: str) -> ConfigError:
    """tomllib says `… (at line 3, column 7)` or `(at end of document)`."""
    what, _, where = reason.partition(" (at ")
    digits = where.removeprefix("line ").split(",")[0]
    line = int(digits) if digits.isdigit() else text.count("\n") + 1
    return ConfigError(path, f"not TOML: {what}", line=line)


def _at_field(path: Path, text: str, document: dict[str, Any], reason: str) -> ConfigError:
    """msgspec says ``Expected `int`, got `str` - at `$.link[1].port` ``."""
    what, _, where = reason.partition(" - at ")
    steps = _steps(where.strip("`").removeprefix("$"))
    if what.startswith(UNKNOWN_FIELD):
        unknown = what.removeprefix(UNKNOWN_FIELD).strip("`")
        what = f"{what}; expected {_or(_fields_at(document, steps))}"
        steps.append(unknown)
    elif steps[:1] == ["link"] and (steps[-1] == "kind" or what.endswith("`kind`")):
        what = f"{what}; expected {_or(LINKS)}"
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
    return ConfigError(path, what, line=_line_of(text, steps), field=name or None)


def _fields_at(document: dict[str, Any], steps: list[str | int]) -> tuple[str, ...]:
    """What may stand in the table at `steps`, which msgspec has found to be one."""
    match steps:
        case []:
            return GatewayConfig.__struct_fields__
        case ["link", int(index)]:
            return ("kind", *LINKS[document["link"][index]["kind"]].__struct_fields__)
        case [str(table), *_]:
            return TABLES[table].__struct_fields__
    return ()


def _or(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


def _steps(where: str) -> list[str | int]:
    """`.link[1].port` as ["link", 1, "port"]."""
    names = where.replace("[", ".").replace("]", "").split(".")
    return [int(name) if name.isdigit() else name for name in names if name]


def _line_of(text: str, steps: list[str | int]) -> int | None:
    """The line of a field in the TOML text: its table's header, then its key; the header where the key is missing."""
    if not steps:
        return None
    table, index = str(steps[0]), steps[1] if len(steps) > 1 and isinstance(steps[1], int) else 0
    keys = [step for step in steps[1:] if isinstance(step, str)]
    lines = [line.strip() for line in text.splitlines()]
    headers = [number for number, line in enumerate(lines) if line.strip("[] ").split("#")[0].strip("[] ") == table]
    if not headers or index >= len(headers):
        return None
    header = headers[index]
    for number in range(header + 1, len(lines)):
        if lines[number].startswith("["):
            break
        if keys and lines[number].split("=")[0].strip() == keys[0]:
            return number + 1
    return header + 1
