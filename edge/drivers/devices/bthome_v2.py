"""BTHome v2: an open format in which any small Bluetooth LE sensor broadcasts what it measures.

In comes the service data of UUID 0xFCD2 from its device-information byte on, plain or encrypted; out come counts,
presence, distances and health. A message with an object unknown to us is read up to it, with a note that says so.
Numbers are little-endian. Source: bthome.io/format, version 2; Bluetooth-Devices/bthome-ble.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec

from edge.drivers.formats.bthome_objects import Item, Items, parse
from edge.drivers.formats.fields import COLDEST_C, HOTTEST_C, clock_note
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import (
    AnyReading,
    DecodeError,
    Delta,
    DeviceAddress,
    Frame,
    Health,
    Knowledge,
    Presence,
    Range,
    Total,
)

NAME = "bthome-v2"
VERSION = 2
ENCRYPTED, MAC_INCLUDED = 0x01, 0x02
UUID_ON_AIR = b"\xd2\xfc"
MAC_LENGTH, COUNTER_LENGTH, MIC_LENGTH, KEY_LENGTH = 6, 4, 4, 16

COUNTS = {0x09: 8, 0x3D: 16, 0x3E: 32}
"""Width in bits of the counts without a sign."""
SIGNED_COUNTS = frozenset({0x59, 0x5A, 0x5B})
PRESENCES = frozenset({0x23, 0x25})
DISTANCES_MM = {0x40: 1, 0x41: 100}
SPEED, UNIX_TIME, CHANNEL = 0x44, 0x50, 0x60
DEVICE_TYPE, FIRMWARES = 0xF0, frozenset({0xF1, 0xF2})
LOW, CHARGING, CONNECTED, PROBLEM, TAMPER = 0x15, 0x16, 0x19, 0x26, 0x2B
SPOKEN = {CHARGING: ("not charging", "charging"), CONNECTED: ("not connected", "connected")}

SCALES: dict[int, tuple[str, bool, int, int]] = {
    0x01: ("battery_pct", False, 1, 1),
    0x0C: ("battery_v", False, 1, 1000),
    0x4A: ("battery_v", False, 1, 10),
    0x02: ("temperature_c", True, 1, 100),
    0x45: ("temperature_c", True, 1, 10),
    0x57: ("temperature_c", True, 1, 1),
    0x58: ("temperature_c", True, 35, 100),
}
"""Health figures: name, whether signed, numerator and denominator of the factor."""
POSSIBLE = {"battery_pct": (0.0, 100.0), "battery_v": (0.0, 50.0), "temperature_c": (COLDEST_C, HOTTEST_C)}

GenericBool = Literal["0f", "10", "11", "1a", "1b", "21", "22", "2a", "2c", "2d", 10, 11, 21, 22]
"""Ids in hexadecimal; those of digits only may be written as numbers, which a command line makes of them."""


class Options(msgspec.Struct, frozen=True):
    """What the technician sets."""

    counts: Literal["total", "delta"] = "total"
    repeated_counts: Literal["directions", "channels"] = "directions"
    signed_counts: Literal["ignore", "balance", "delta"] = "ignore"
    presence_object: GenericBool | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the device-information byte says."""

    encrypted: bool
    mac: bytes | None
    """Sender's address in reading order, where the frame carries it."""
    start: int
    """Offset of the objects, plain or encrypted."""


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """All readings of one message, with a note where an unknown object hides the rest. Raises `DecodeError`."""
    envelope = _envelope(frame)
    if not envelope.encrypted and knowledge.key is not None:
        return [Health(fault="downgrade: a plain message from a device that has a key; dropped")]
    if envelope.encrypted and knowledge.key is None:
        raise DecodeError(NAME, "encrypted: needs the device's bind key", port=frame.port, offset=0)
    options = _options(frame, knowledge)
    objects = frame.payload[envelope.start :]
    if knowledge.key is not None:
        objects = _decrypt(frame, envelope, knowledge.key)
    return _readings(parse(NAME, frame, objects, envelope.start), options, knowledge)


def decrypt(payload: bytes, device: DeviceAddress, key: bytes) -> bytes:
    """The plain objects of encrypted service data sent by `device`.

    Raises `DecodeError` when it is not encrypted, too short, or its MIC does not fit key, address and bytes.
    """
    frame = Frame(device=device, payload=payload)
    envelope = _envelope(frame)
    if not envelope.encrypted:
        raise DecodeError(NAME, "not encrypted", offset=0)
    return _decrypt(frame, envelope, key)


def _envelope(frame: Frame) -> Envelope:
    payload = frame.payload
    if not payload:
        raise DecodeError(NAME, "empty: first missing byte 0", port=frame.port, offset=0)
    information = payload[0]
    if information >> 5 != VERSION:
        raise DecodeError(NAME, f"version {information >> 5}: expected {VERSION}", port=frame.port, offset=0)
    encrypted = bool(information & ENCRYPTED)
    if not information & MAC_INCLUDED:
        return Envelope(encrypted, None, 1)
    start = 1 + MAC_LENGTH
    if len(payload) < start:
        reason = f"too short: expected the sender's {MAC_LENGTH} bytes of address, first missing byte {len(payload)}"
        raise DecodeError(NAME, reason, port=frame.port, offset=len(payload))
    return Envelope(encrypted, payload[1:start][::-1], start)


def _decrypt(frame: Frame, envelope: Envelope, key: bytes) -> bytes:
    payload = frame.payload
    if len(key) != KEY_LENGTH:
        reason = f"the configured bind key has {len(key)} bytes: expected {KEY_LENGTH}"
        raise DecodeError(NAME, reason, port=frame.port)
    shortest = envelope.start + 1 + COUNTER_LENGTH + MIC_LENGTH
    if len(payload) < shortest:
        reason = f"too short: expected at least {shortest} bytes, got {len(payload)}"
        raise DecodeError(NAME, reason, port=frame.port, offset=len(payload))
    mic_at = len(payload) - MIC_LENGTH
    counter_at = mic_at - COUNTER_LENGTH
    mac = _address(frame) if envelope.mac is None else envelope.mac
    nonce = mac + UUID_ON_AIR + payload[:1] + payload[counter_at:mic_at]
    sealed = payload[envelope.start : counter_at] + payload[mic_at:]
    from edge.drivers.formats.ciphers import open_ccm  # brings 8 MB that a gateway without keys does not hold

    opened = open_ccm(key, nonce, sealed, MIC_LENGTH)
    if opened is None:
        raise DecodeError(NAME, "wrong MIC: wrong key or altered message", port=frame.port, offset=mic_at)
    return opened


def _address(frame: Frame) -> bytes:
    digits = frame.device.replace(":", "")
    try:
        mac = bytes.fromhex(digits)
    except ValueError:
        mac = b""
    if len(mac) != MAC_LENGTH:
        reason = f"decrypting needs the sender's address: expected AA:BB:CC:DD:EE:FF, got {frame.device!r}"
        raise DecodeError(NAME, reason, port=frame.port)
    return mac


def _options(frame: Frame, knowledge: Knowledge) -> Options:
    try:
        return msgspec.convert(knowledge.options, Options)
    except msgspec.ValidationError as error:
        raise DecodeError(NAME, f"options: {error}", port=frame.port) from error


def _readings(message: Items, options: Options, knowledge: Knowledge) -> list[AnyReading]:
    items = message.items
    names = [str(_unsigned(item)) for item in items if item.id == CHANNEL]
    readings: list[AnyReading] = [
        *_counts(items, names, options),
        *_presences(items, names, options),
        *_ranges(items, names),
    ]
    at = next((datetime.fromtimestamp(_unsigned(item), UTC) for item in items if item.id == UNIX_TIME), None)
    doubt = None if at is None else clock_note(at, knowledge)
    health = _health(items, [*message.notes, *([doubt] if doubt else [])], options)
    if health is not None:
        readings.append(health)
    if not readings:
        readings.append(Health(note=_nothing_for_us(items)))
    return [msgspec.structs.replace(reading, at=at) for reading in readings] if at and not doubt else readings


def _nothing_for_us(items: Iterable[Item]) -> str:
    ids = ", ".join(f"0x{item.id:02x}" for item in items)
    return f"no reading in objects {ids}" if ids else "no objects"


def _counts(items: Sequence[Item], names: Sequence[str], options: Options) -> list[AnyReading]:
    """Totals or deltas; two counts of one width are two directions unless they are numbered or configured apart."""
    apart = options.repeated_counts == "channels" or len(names) > 1
    readings: list[AnyReading] = []
    for id_, bits in COUNTS.items():
        counts = [_unsigned(item) for item in items if item.id == id_]
        step = 1 if apart else 2
        for first in range(0, len(counts), step):
            in_, *rest = counts[first : first + step]
            channel = _channel(names, len(readings))
            readings.append(_count(channel, bits, in_, rest[0] if rest else None, options))
    changes = [_signed(item) for item in items if item.id in SIGNED_COUNTS and options.signed_counts == "delta"]
    first_place = len(readings)
    readings += [_change(_channel(names, place), change) for place, change in enumerate(changes, first_place)]
    return readings


def _count(channel: str, bits: int, in_: int, out: int | None, options: Options) -> Total | Delta:
    if options.counts == "delta":
        return Delta(channel=channel, in_=in_, out=out)
    return Total(channel=channel, in_=in_, out=out, bits=bits)


def _change(channel: str, change: int) -> Delta:
    return Delta(channel=channel, in_=max(change, 0), out=max(-change, 0))


def _presences(items: Iterable[Item], names: Sequence[str], options: Options) -> list[Presence]:
    chosen = PRESENCES if options.presence_object is None else PRESENCES | {int(str(options.presence_object), 16)}
    states = [any(item.value) for item in items if item.id in chosen]
    return [Presence(channel=_channel(names, place), occupied=state) for place, state in enumerate(states)]


def _ranges(items: Iterable[Item], names: Sequence[str]) -> list[Range]:
    distances = [_unsigned(item) * DISTANCES_MM[item.id] for item in items if item.id in DISTANCES_MM]
    numbered = bool(names) or len(distances) > 1
    return [Range(channel=_channel(names, place) if numbered else None, mm=mm) for place, mm in enumerate(distances)]


def _channel(names: Sequence[str], place: int) -> str:
    """The channel of the quantity at `place` of its kind: the sender's own number, or its place from 1.

    What comes after the last number is a part of that number, `2.2`: no two quantities share a channel.
    """
    if not names:
        return str(place + 1)
    return names[place] if place < len(names) else f"{names[-1]}.{place - len(names) + 2}"


def _health(items: Sequence[Item], notes: list[str], options: Options) -> Health | None:
    figures, diagnostics, doubts = _figures(items)
    diagnostics |= _particulars(items, options)
    notes = [*doubts, *(SPOKEN[item.id][any(item.value)] for item in items if item.id in SPOKEN), *notes]
    flags = {item.id: any(item.value) for item in items if item.id in (LOW, PROBLEM, TAMPER)}
    health = Health(
        battery_v=figures.get("battery_v"),
        battery_pct=figures.get("battery_pct"),
        battery_low=flags.get(LOW),
        temperature_c=figures.get("temperature_c"),
        fault="problem" if flags.get(PROBLEM) else None,
        tamper=flags.get(TAMPER),
        firmware=next((_firmware(item) for item in items if item.id in FIRMWARES), None),
        note="; ".join(notes) or None,
        diagnostics=diagnostics or None,
    )
    return health if health != Health() or PROBLEM in flags else None


def _figures(items: Iterable[Item]) -> tuple[dict[str, float], dict[str, int | float | bool | str], list[str]]:
    """The first possible value of each health figure, further ones as diagnostics, and notes on impossible ones."""
    figures: dict[str, float] = {}
    further: dict[str, int | float | bool | str] = {}
    doubts: list[str] = []
    for item in items:
        if item.id not in SCALES:
            continue
        name, negative, numerator, denominator = SCALES[item.id]
        value = (_signed(item) if negative else _unsigned(item)) * numerator / denominator
        lowest, highest = POSSIBLE[name]
        if not lowest <= value <= highest:
            doubts.append(f"impossible {name} {value:g} left out")
        elif name in figures:
            further[f"{name}_at_byte_{item.offset}"] = value
        else:
            figures[name] = value
    return figures, further, doubts


def _particulars(items: Iterable[Item], options: Options) -> dict[str, int | float | bool | str]:
    particulars: dict[str, int | float | bool | str] = {}
    for item in items:
        if item.id == SPEED:
            particulars["speed_m_s"] = _unsigned(item) / 100
        if item.id == DEVICE_TYPE:
            particulars["device_type"] = _unsigned(item)
        if item.id in SIGNED_COUNTS and options.signed_counts == "balance":
            particulars["balance"] = _signed(item)
    return particulars


def _firmware(item: Item) -> str:
    return ".".join(str(part) for part in reversed(item.value))


def _unsigned(item: Item) -> int:
    return int.from_bytes(item.value, "little")


def _signed(item: Item) -> int:
    return int.from_bytes(item.value, "little", signed=True)


MODEL = Model(
    name=NAME,
    maker="any (open format)",
    product="BTHome v2",
    kind=Kind.PRESENCE,
    detects="what its maker built it for: passages, presence, a distance",
    links=frozenset({LinkKind.BLE}),
    channels=(Channel(name="1", first="first count", second="second count of the same width", bits=32),),
    reporting_period_s=3600,
    options={
        "counts": "`total` (default): counts grow for ever; `delta`: each counts the period since the last message. "
        "Then the sensor must encrypt or send packet ids, so that a repeated message is not counted twice.",
        "repeated_counts": "`directions` (default): two counts of one width are first and second direction; "
        "`channels`: they are two lines.",
        "signed_counts": "`ignore` (default); `balance`: keep it as a diagnostic figure; `delta`: positive came in, "
        "negative went out since the last message.",
        "presence_object": "hexadecimal id of a yes-or-no object that means presence here: `0f` generic, `10` power, "
        "`11` opening, `1a` door, `1b` garage, `21` motion, `22` moving, `2a` sound, `2c` vibration, `2d` window.",
    },
    mounting=(
        "Within some 10 to 30 m of the gateway, no metal between. Turn encryption on and enter the bind key: plain "
        "messages can be forged by anyone near, and are refused once a key is known. Prefer counts of 16 or 32 bits."
    ),
    source="BTHome format version 2 (bthome.io/format), Bluetooth-Devices/bthome-ble",
    decode=decode,
)
