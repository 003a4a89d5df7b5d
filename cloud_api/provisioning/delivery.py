"""A delivery's list of devices (CSV): read and checked line by line, all of it before anything is written. Pure.

In come text, the registry and what gateways can read, out come devices with their radio keys, or every mistake with its
line. Keys are in no message: whoever reads over a shoulder sees only how many digits they have.
"""

import csv
import re
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.provisioning.actions import adopt
from cloud_api.provisioning.addresses import parse_address
from cloud_api.provisioning.fitting import Told, fitting
from cloud_api.provisioning.plan import NotPossibleError, Plan, nearest, together
from cloud_api.registry import Device, Registry
from cloud_api.registry.radio_keys import RadioKeys

COLUMNS: Final = ("address", "model", "label", "gateway", "link", "nwk_skey", "app_skey", "key")
OTHER_NAMES: Final = MappingProxyType(dict.fromkeys(("deveui", "dev_eui", "devaddr", "mac"), "address"))
KEYS: Final = ("nwk_skey", "app_skey", "key")
KEY: Final = re.compile(r"[0-9a-fA-F]{32}")
MOST_DEVICES: Final = 10_000
LONGEST_LABEL: Final = 200


class Mistake(Struct, frozen=True):
    """What is wrong with one line."""

    line: int
    """1-based; the first has the columns' names."""
    field: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.field}: {self.reason}"


class DeliveryError(Exception):
    """A list that cannot be taken as it is: all mistakes. Nothing was written."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


class Delivery(Struct, frozen=True):
    """What a list brings."""

    plan: Plan
    keys: dict[str, RadioKeys]
    """By address, of those that have some."""


def read_delivery(text: str, town: Registry, told: Told, *, gateway: str | None = None) -> Delivery:
    """Devices to be adopted by the gateway that their line names, else by `gateway`. Raises `DeliveryError`."""
    rows = list(csv.reader(text.splitlines(), delimiter=_delimiter(text)))
    columns = _columns(rows[0] if rows else [])
    if len(rows) > MOST_DEVICES + 1:
        raise DeliveryError([Mistake(MOST_DEVICES + 2, "file", f"at most {MOST_DEVICES} devices expected")])
    mistakes: list[Mistake] = []
    plans: list[Plan] = []
    keys: dict[str, RadioKeys] = {}
    lines: dict[str, int] = {}
    for line, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            row = _row(line, cells, columns)
            device, its_keys = _device(line, row, town, gateway)
            _refuse_twice(line, device.address, lines.setdefault(device.address, line))
            plans.append(_plan(line, device, town, told))
        except _LineError as error:
            mistakes.append(error.mistake)
            continue
        if its_keys.names:
            keys[device.address] = its_keys
    if mistakes:
        raise DeliveryError(mistakes)
    return Delivery(together(plans), keys)


class _LineError(Exception):
    def __init__(self, line: int, field: str, reason: str) -> None:
        self.mistake = Mistake(line, field, reason)
        super().__init__(str(self.mistake))


def _refuse_twice(line: int, address: str, first: int) -> None:
    if first != line:
        raise _LineError(line, "address", f"{address} is in line {first} already")


def _delimiter(text: str) -> str:
    """A semicolon where a French spreadsheet wrote it."""
    header = text.partition("\n")[0]
    return ";" if header.count(";") > header.count(",") else ","


def _columns(header: list[str]) -> list[str]:
    typed = [cell.strip().lstrip("\ufeff").casefold() for cell in header]
    columns = [OTHER_NAMES.get(name, name) for name in typed]
    mistakes = [
        Mistake(1, name or "a column without a name", f"no such column; {', '.join(COLUMNS)} expected{_meant(name)}")
        for name in columns
        if name not in COLUMNS
    ]
    mistakes += [Mistake(1, name, "this column is missing") for name in ("address", "model") if name not in columns]
    mistakes += [Mistake(1, name, "this column is there twice") for name in COLUMNS if columns.count(name) > 1]
    if mistakes:
        raise DeliveryError(mistakes)
    return columns


def _meant(name: str) -> str:
    near = nearest(name, COLUMNS)
    return "" if near is None else f"; {near} may be meant"


def _row(line: int, cells: list[str], columns: list[str]) -> dict[str, str]:
    if len(cells) != len(columns):
        raise _LineError(line, "columns", f"{len(columns)} cells expected, got {len(cells)}")
    return {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}


def _device(line: int, row: dict[str, str], town: Registry, gateway: str | None) -> tuple[Device, RadioKeys]:
    try:
        address = parse_address(row["address"])
    except NotPossibleError as error:
        raise _LineError(line, "address", str(error)) from error
    if not row["model"]:
        raise _LineError(line, "model", "a model expected, as `passerelle devices list` names them")
    label = row.get("label", "")[:LONGEST_LABEL] or None
    wanted = Device(
        address=address,
        model=row["model"],
        gateway=row.get("gateway") or gateway,
        link=row.get("link") or None,
        label=label,
    )
    known = town.devices.get(address)
    return (wanted if known is None else _again(known, wanted)), _keys(line, row)


def _again(known: Device, wanted: Device) -> Device:
    """What was set by hand of a device that is here already stays."""
    return replace(
        known,
        model=wanted.model,
        gateway=wanted.gateway or known.gateway,
        link=wanted.link or known.link,
        label=wanted.label or known.label,
    )


def _keys(line: int, row: dict[str, str]) -> RadioKeys:
    told = {name: row[name] for name in KEYS if row.get(name)}
    for name, key in told.items():
        if not KEY.fullmatch(key):
            raise _LineError(line, name, f"32 hexadecimal digits expected, got {len(key)} characters")
    if ("nwk_skey" in told) is not ("app_skey" in told):
        missing = "app_skey" if "nwk_skey" in told else "nwk_skey"
        raise _LineError(line, missing, "missing; nwk_skey and app_skey belong together")
    return RadioKeys(**told)


def _plan(line: int, device: Device, town: Registry, told: Told) -> Plan:
    try:
        return fitting(adopt(town, device), town, told)
    except NotPossibleError as error:
        raise _LineError(line, error.field, str(error)) from error
