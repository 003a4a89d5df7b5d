"""Netvox R719A (and its sister R719B): a radar puck that reports one parking space over LoRaWAN.

Every message has 11 bytes: reports on fPort 6, answers to configuration on fPort 7. Big-endian.
Source: Netvox R719A decoder of The Things Network's device repository (vendor/netvox/payload/r719a).
"""

from edge.drivers.formats.fields import notes, require_length, unknown_port, unsigned
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Frame, Health, Knowledge, Presence, ResetCause

NAME = "netvox-r719a"
SPACE = "1"
REPORT_PORT, ANSWER_PORT = 6, 7
LENGTH = 11
PROTOCOL_VERSION = 1
DEVICE_TYPES = (0x59, 0xAF)
VERSION_PACKET, STATUS = 0, 1
BATTERY_LOW = 0x80

SET_REPORTING, READ_REPORTING, SET_THRESHOLD, READ_THRESHOLD = 0x81, 0x82, 0x83, 0x84
SETTINGS = {SET_REPORTING: "report configuration", SET_THRESHOLD: "detection threshold"}
RESERVED_FROM = {SET_REPORTING: 3, READ_REPORTING: 7, SET_THRESHOLD: 3, READ_THRESHOLD: 4}
"""First reserved byte of each answer."""


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Presence and health of one uplink. Raises `DecodeError`."""
    if frame.port not in (REPORT_PORT, ANSWER_PORT):
        raise unknown_port(NAME, frame, "6 or 7")
    require_length(NAME, frame, LENGTH)
    return _report(frame) if frame.port == REPORT_PORT else [_answer(frame)]


def _report(frame: Frame) -> list[AnyReading]:
    payload = frame.payload
    if payload[0] != PROTOCOL_VERSION:
        raise _unexpected(frame, 0, "protocol version 0x01")
    _require_device_type(frame)
    if payload[2] == VERSION_PACKET:
        return [_version(payload)]
    if payload[2] != STATUS:
        raise _unexpected(frame, 2, "report type 0x00 or 0x01")
    if payload[4] not in (0, 1):
        raise _unexpected(frame, 4, "0x00 (no car) or 0x01 (car)")
    health = Health(
        battery_v=(payload[3] & ~BATTERY_LOW) / 10,
        battery_low=bool(payload[3] & BATTERY_LOW),
        note=_reserved_note(payload, 5),
    )
    return [Presence(channel=SPACE, occupied=bool(payload[4])), health]


def _version(payload: bytes) -> Health:
    return Health(
        reset=ResetCause.OTHER,
        firmware=f"{payload[3] / 10:.1f}",
        note=notes("started anew", _reserved_note(payload, 9)),
        diagnostics={"hardware_version": payload[4], "date_code": payload[5:9].hex()},
    )


def _answer(frame: Frame) -> Health:
    payload = frame.payload
    command = payload[0]
    if command not in RESERVED_FROM:
        raise _unexpected(frame, 0, "an answer 0x81 to 0x84")
    _require_device_type(frame)
    reserved = _reserved_note(payload, RESERVED_FROM[command])
    if command in SETTINGS:
        outcome = "refused" if payload[2] else "set"
        return Health(note=notes(f"{SETTINGS[command]} {outcome}", reserved))
    if command == READ_THRESHOLD:
        return Health(note=reserved, diagnostics={"detection_threshold": unsigned(payload, 2)})
    return Health(
        note=reserved,
        diagnostics={
            "minimum_period_s": unsigned(payload, 2),
            "maximum_period_s": unsigned(payload, 4),
            "battery_change_v": payload[6] / 10,
        },
    )


def _require_device_type(frame: Frame) -> None:
    if frame.payload[1] not in DEVICE_TYPES:
        raise _unexpected(frame, 1, "device type 0x59 (R719A) or 0xaf (R719B)")


def _unexpected(frame: Frame, offset: int, expected: str) -> DecodeError:
    reason = f"expected {expected}, got 0x{frame.payload[offset]:02x}"
    return DecodeError(NAME, reason, port=frame.port, offset=offset)


def _reserved_note(payload: bytes, first: int) -> str | None:
    return f"reserved bytes from {first} on are {payload[first:].hex()}" if any(payload[first:]) else None


MODEL = Model(
    name=NAME,
    maker="Netvox",
    product="R719A",
    kind=Kind.PARKING,
    detects="a car on one space, by radar",
    links=frozenset({LinkKind.LORAWAN}),
    ports={REPORT_PORT: "status and version packet", ANSWER_PORT: "answers to configuration"},
    reporting_period_s=3600,
    mounting=(
        "Glued to the middle of the space. Its maximum report time is the only sign of life: read it once with command "
        "82 and enter it as the expected period; a sensor silent for longer is unknown, not free."
    ),
    source="Netvox R719A decoder (TheThingsNetwork/lorawan-devices, vendor/netvox/payload/r719a)",
    decode=decode,
)
