"""Bosch TPS110 Parking Lot Sensor, firmware 0.29 and 0.39: a puck that reports one space over LoRaWAN.

The fPort gives the message. Both firmware lines report the space alike; their debug words differ in byte order, so a
debug frame (fPort 6) is read only when the firmware is known: from the start-up frame itself, or from an earlier one.
Source: Bosch parking lot sensor decoders of The Things Network's device repository (tpl110-0292, tpl110-0392).
"""

from collections.abc import Callable

from edge.drivers.formats.fields import celsius, celsius_note, require_length, signed, unknown_port, unsigned
from edge.drivers.formats.serial_frames import little
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Frame, Health, Knowledge, Presence, ResetCause

NAME = "bosch-tps110"
SPACE = "1"
OLD, NEW = "0.29", "0.39"
"""The two firmware lines: major and minor version."""
Diagnostics = dict[str, int | float | bool | str]

RESETS_COMMON = {1: ResetCause.WATCHDOG, 2: ResetCause.POWER_ON, 3: ResetCause.REQUEST}
RESETS = {
    OLD: RESETS_COMMON | {4: ResetCause.OTHER},
    NEW: RESETS_COMMON
    | {4: ResetCause.EXTERNAL_PIN, 5: ResetCause.LOCK_UP, 6: ResetCause.BROWN_OUT, 7: ResetCause.OTHER},
}
FAULTS = {
    201: "join failed",
    720: "join failed",
    717: "confirmed uplink never acknowledged",
    729: "confirmed uplink never acknowledged",
}
NOTES = {
    208: "last reset: watchdog",
    209: "last reset: power-on",
    210: "last reset: unknown",
    215: "last reset: lock-up",
    216: "last reset: external pin",
    217: "last reset: brown-out",
    404: "detection recalibrating",
    1001: "parameters recovered",
    1003: "parameters recovered",
} | dict.fromkeys(range(800, 903), "bad downlink")
"""What codes of 0.39 say; other codes, and all of 0.29, stay numbers."""

START_UP_LENGTH, DEBUG_LENGTH = 17, 10
FIRMWARE_AT, RESET_AT, STATUS_AT = 12, 15, 16
VERSION_LENGTH, IDENTITY_LENGTH = 3, 11
FIGURES = {
    0: "status_changes",
    1: "occupied_s",
    3: "radar_triggers",
    4: "since_restart_s",
    6: "since_installation_s",
}
UPLINKS_SENT, RESET_COUNTS = 2, 5
RESET_COUNTERS = ("resets_brown_out", "resets_lock_up", "resets_external_pin", "resets_power_on", "resets_watchdog")
USAGE_LENGTHS = dict.fromkeys(FIGURES, 5) | {UPLINKS_SENT: 19, RESET_COUNTS: 8}


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Presence and health of one uplink. Raises `DecodeError`."""
    line = None if knowledge.firmware is None else _line(knowledge.firmware)
    match frame.port:
        case 1:
            require_length(NAME, frame, 1)
            return [_presence(frame.payload[0])]
        case 2:
            return _heartbeat(frame)
        case 3:
            return _start_up(frame)
        case 4:
            return [_information(frame, readable=line in (None, NEW))]
        case 5:
            return [_usage(frame, readable=line in (None, NEW))]
        case 6:
            return [_debug(frame, line)]
        case 7:
            require_length(NAME, frame, 1)
            return [_temperature(frame.payload[0:], "temperature alert")]
        case _:
            raise unknown_port(NAME, frame, "1 to 7")


def _line(firmware: str) -> str:
    return ".".join(firmware.split(".")[:2])


def _presence(status: int) -> Presence:
    return Presence(channel=SPACE, occupied=bool(status & 1))


def _heartbeat(frame: Frame) -> list[AnyReading]:
    require_length(NAME, frame, 1, 2)
    presence = _presence(frame.payload[0])
    return [presence] if len(frame.payload) == 1 else [presence, _temperature(frame.payload[1:])]


def _temperature(field: bytes, note: str | None = None) -> Health:
    value = signed(field, 0, 1)
    return Health(temperature_c=celsius(value), note=celsius_note(value) or note)


def _start_up(frame: Frame) -> list[AnyReading]:
    require_length(NAME, frame, START_UP_LENGTH)
    payload = frame.payload
    firmware = _version(payload, FIRMWARE_AT)
    line = _line(firmware)
    cause = RESETS.get(line, RESETS_COMMON).get(payload[RESET_AT])
    message = _START_UP_MESSAGES.get(line, _raw_message)(payload[:FIRMWARE_AT])
    diagnostics = message.diagnostics or {}
    if cause is None:
        diagnostics = {**diagnostics, "reset_cause": payload[RESET_AT]}
    health = Health(
        firmware=firmware,
        reset=cause or ResetCause.OTHER,
        fault=message.fault,
        note=message.note,
        diagnostics=diagnostics or None,
    )
    return [_presence(payload[STATUS_AT]), health]


def _version(payload: bytes, offset: int) -> str:
    return ".".join(str(part) for part in payload[offset : offset + VERSION_LENGTH])


def _debug(frame: Frame, line: str | None) -> Health:
    require_length(NAME, frame, DEBUG_LENGTH)
    return _DEBUG_MESSAGES.get(line, _raw_message)(frame.payload)


def _raw_message(payload: bytes) -> Health:
    return Health(note="debug message kept raw: firmware neither 0.29 nor 0.39", diagnostics={"raw": payload.hex()})


def _old_debug(payload: bytes) -> Health:
    return Health(
        diagnostics={
            "debug_code": _old_code(payload, 4),
            "debug_sequence": little(payload, 8),
            "uptime_s": little(payload, 0, 4),
        }
    )


def _old_start_up(payload: bytes) -> Health:
    codes = [_old_code(payload, offset) for offset in (0, 4, 8)]
    diagnostics: Diagnostics = {f"debug_code_{number}": code for number, code in enumerate(codes, 1) if code}
    return Health(diagnostics=diagnostics or None)


def _old_code(payload: bytes, offset: int) -> int:
    return (payload[offset + 1] & 0x0F) << 8 | payload[offset]


def _new_debug(payload: bytes) -> Health:
    code = unsigned(payload, 6) & 0x0FFF
    return Health(
        fault=FAULTS.get(code),
        note=NOTES.get(code),
        diagnostics={
            "debug_code": code,
            "debug_sequence": unsigned(payload, 8),
            "uptime_s": little(payload, 0, 4),
        },
    )


def _information(frame: Frame, *, readable: bool) -> Health:
    require_length(NAME, frame, VERSION_LENGTH, IDENTITY_LENGTH)
    payload = frame.payload
    if not readable:
        return Health(note="device information kept raw", diagnostics={"raw": payload.hex()})
    if len(payload) == VERSION_LENGTH:
        return Health(firmware=_version(payload, 0))
    return Health(
        diagnostics={"dev_eui": (payload[0:3] + payload[6:11]).hex(), "product_class": payload[3:6].hex()},
    )


def _usage(frame: Frame, *, readable: bool) -> Health:
    payload = frame.payload
    if not readable or not payload:
        require_length(NAME, frame, *sorted(set(USAGE_LENGTHS.values())))
        return Health(note="device usage kept raw", diagnostics={"raw": payload.hex()})
    figure = payload[0]
    if figure not in USAGE_LENGTHS:
        raise DecodeError(NAME, f"unknown usage figure {figure}", port=frame.port, offset=0)
    require_length(NAME, frame, USAGE_LENGTHS[figure])
    if figure == UPLINKS_SENT:
        return Health(diagnostics={f"uplinks_dr{rate}": unsigned(payload, 1 + 3 * rate, 3) for rate in range(6)})
    if figure == RESET_COUNTS:
        counts: Diagnostics = {name: payload[offset] for offset, name in enumerate(RESET_COUNTERS, 1)}
        return Health(diagnostics={**counts, "resets_software": unsigned(payload, 6)})
    return Health(diagnostics={FIGURES[figure]: unsigned(payload, 1, 4)})


_DEBUG_MESSAGES: dict[str | None, Callable[[bytes], Health]] = {OLD: _old_debug, NEW: _new_debug}
_START_UP_MESSAGES: dict[str, Callable[[bytes], Health]] = {OLD: _old_start_up, NEW: _new_debug}


MODEL = Model(
    name=NAME,
    maker="Bosch",
    product="TPS110 Parking Lot Sensor",
    kind=Kind.PARKING,
    detects="a car on one space, by magnetometer and radar",
    links=frozenset({LinkKind.LORAWAN}),
    ports={
        1: "parking status, on change",
        2: "heartbeat",
        3: "start-up",
        4: "device information, on request",
        5: "device usage, on request",
        6: "debug",
        7: "temperature alert (0.39)",
    },
    reporting_period_s=86_400,
    mounting=(
        "On or in the middle of the space. After mounting it must learn: its first states are unreliable. It tells no "
        "battery level. A restart tells which firmware it has, which its debug messages need to be read."
    ),
    source="Bosch TPS110 decoders tpl110-0292 and tpl110-0392 (TheThingsNetwork/lorawan-devices)",
    decode=decode,
)
