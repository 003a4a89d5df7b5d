"""IMBuildings People Counter: an infrared beam pair that counts passages in directions A (in) and B (out).

In comes an uplink on any fPort with a header, or without one on fPorts 26 to 28; out come totals, deltas and health.
Which way A is in the street is the installation's business. Multi-byte fields are big-endian.
Source: IMBuildings decoder of The Things Network's device repository (vendor/imbuildings).
"""

import re
from dataclasses import dataclass

from edge.drivers.formats.fields import notes, unsigned, volts, volts_note, wrong_length
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Delta, Frame, Health, Knowledge, ResetCause, Total

NAME = "imbuildings-people-counter"
CHANNEL = "line1"
MODE = "pedestrian"
TOTAL_BITS = 16
PEOPLE_COUNTER, HEADER_LENGTH = 0x02, 10
SETTINGS_PORT, SETTINGS_ANSWER, SETTINGS_VARIANT = 10, 0xF1, 0x01
COUNTERS, TOTALS, HEARTBEAT = 6, 7, 8
BODY_LENGTHS = {COUNTERS: 13, TOTALS: 5, HEARTBEAT: 4}
HEADERLESS_PORTS = {26: COUNTERS, 27: TOTALS, 28: HEARTBEAT}
UNSUPPORTED_VARIANTS = {0x04: " (NB-IoT)", 0x09: "", 0x0C: ""}

STARTED, RECONNECTED, SETTINGS_CHANGED, NOT_FULL = 0x01, 0x02, 0x04, 0x08
RECEIVER_BATTERY_LOW, SENSOR_POWER_UP = 0x20, 0x04
SENSOR_FAULTS = {0x80: "beam blocked", 0x40: "receiver disturbance", 0x02: "infrared signal not at full strength"}
DEV_EUI = r"[0-9a-f]{16}"


@dataclass(frozen=True, slots=True)
class Body:
    """One of the three bodies, its header taken off."""

    variant: int
    data: bytes
    device_id: str | None = None
    """What the header says; None without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a body tells beside counts; None where it does not."""

    sensor: int
    device: int | None = None
    centivolts: int | None = None
    payload_counter: int | None = None


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Totals, deltas and health of one uplink; nothing for an answer to a settings downlink. Raises `DecodeError`."""
    if _is_settings_answer(frame):
        return []
    body = _body(frame)
    if body.variant == COUNTERS:
        return _counters(frame, body)
    if body.variant == TOTALS:
        return [_total(body.data, 1), _health(frame, body, Status(sensor=body.data[0]))]
    status = Status(device=body.data[0], centivolts=unsigned(body.data, 1), sensor=body.data[3])
    return [_health(frame, body, status)]


def _is_settings_answer(frame: Frame) -> bool:
    if frame.port != SETTINGS_PORT or frame.payload[:1] != bytes([SETTINGS_ANSWER]):
        return False
    if len(frame.payload) < 2:
        raise DecodeError(NAME, "too short: expected a variant, first missing byte 1", port=frame.port, offset=1)
    if frame.payload[1] != SETTINGS_VARIANT:
        reason = f"unknown variant 0x{frame.payload[1]:02x} of a settings answer"
        raise DecodeError(NAME, reason, port=frame.port, offset=1)
    return True


def _body(frame: Frame) -> Body:
    payload = frame.payload
    if not payload:
        raise DecodeError(NAME, "empty payload", port=frame.port, offset=0)
    headed = payload[1] if payload[0] == PEOPLE_COUNTER and len(payload) > 1 else None
    if headed in BODY_LENGTHS and len(payload) == HEADER_LENGTH + BODY_LENGTHS[headed]:
        return Body(headed, payload[HEADER_LENGTH:], payload[2:HEADER_LENGTH].hex())
    headerless = HEADERLESS_PORTS.get(frame.port or 0)
    if headerless is not None and len(payload) == BODY_LENGTHS[headerless]:
        return Body(headerless, payload)
    raise _refusal(frame, headed, headerless)


def _refusal(frame: Frame, headed: int | None, headerless: int | None) -> DecodeError:
    """Why no layout fits: the wrong length of a known one, or a type or variant that is none of ours."""
    payload = frame.payload
    lengths = [HEADER_LENGTH + BODY_LENGTHS[headed]] if headed in BODY_LENGTHS else []
    lengths += [] if headerless is None else [BODY_LENGTHS[headerless]]
    if lengths:
        return wrong_length(NAME, frame, *lengths)
    found = f"fPort {frame.port}, {len(payload)} bytes beginning {payload[:2].hex()}"
    if payload[0] != PEOPLE_COUNTER:
        reason = f"not a people counter: payload type 0x{payload[0]:02x} ({found})"
        return DecodeError(NAME, reason, port=frame.port, offset=0)
    if headed is None:
        reason = f"too short: expected a variant, first missing byte 1 ({found})"
        return DecodeError(NAME, reason, port=frame.port, offset=1)
    word = "unsupported" if headed in UNSUPPORTED_VARIANTS else "unknown"
    reason = f"{word} variant 0x{headed:02x}{UNSUPPORTED_VARIANTS.get(headed, '')} ({found})"
    return DecodeError(NAME, reason, port=frame.port, offset=1)


def _counters(frame: Frame, body: Body) -> list[AnyReading]:
    data = body.data
    status = Status(device=data[0], centivolts=unsigned(data, 1), sensor=data[7], payload_counter=data[12])
    delta = Delta(channel=CHANNEL, mode=MODE, in_=unsigned(data, 3), out=unsigned(data, 5))
    return [_total(data, 8), delta, _health(frame, body, status)]


def _total(body: bytes, offset: int) -> Total:
    a, b = unsigned(body, offset), unsigned(body, offset + 2)
    return Total(channel=CHANNEL, mode=MODE, in_=a, out=b, bits=TOTAL_BITS)


def _health(frame: Frame, body: Body, status: Status) -> Health:
    device = status.device or 0
    battery = None if status.centivolts is None else status.centivolts / 100
    diagnostics: dict[str, int | float | bool | str] = {"sensor_status": status.sensor}
    if status.device is not None:
        diagnostics["device_status"] = status.device
    if status.payload_counter is not None:
        diagnostics["payload_counter"] = status.payload_counter
    return Health(
        battery_v=None if battery is None else volts(battery),
        battery_low=bool(status.sensor & RECEIVER_BATTERY_LOW),
        fault=notes(*(fault for bit, fault in SENSOR_FAULTS.items() if status.sensor & bit)),
        reset=_reset(device, status.sensor),
        note=notes(
            "settings changed" if device & SETTINGS_CHANGED else None,
            "battery not full" if device & NOT_FULL else None,
            None if battery is None else volts_note(battery),
            _foreign_id(frame, body.device_id),
        ),
        diagnostics=diagnostics,
    )


def _reset(device: int, sensor: int) -> ResetCause | None:
    if device & STARTED or sensor & SENSOR_POWER_UP:
        return ResetCause.POWER_ON
    return ResetCause.REJOIN if device & RECONNECTED else None


def _foreign_id(frame: Frame, told: str | None) -> str | None:
    """The note that the header names another device than the network does: a wrongly cloned unit."""
    known = re.fullmatch(DEV_EUI, frame.device) is not None
    differs = known and told is not None and told != frame.device
    return f"device id {told} in the header is not {frame.device}" if differs else None


MODEL = Model(
    name=NAME,
    maker="IMBuildings",
    product="People Counter (LoRaWAN)",
    kind=Kind.COUNTER,
    detects="people by an infrared beam, in two directions",
    links=frozenset({LinkKind.LORAWAN}),
    channels=(Channel(name=CHANNEL, mode=MODE, first="A", second="B", bits=TOTAL_BITS),),
    reporting_period_s=3600,
    mounting=(
        "Transmitter and receiver face each other across a passage wide enough for one; A and B are directions of the "
        "beam, not in and out. The fPort is free: keep the header in the payload, or use fPorts 26 to 28 without it. "
        "Choose a fixed interval rather than event triggering: the totals then come at a steady rhythm."
    ),
    source="TheThingsNetwork/lorawan-devices, vendor/imbuildings; akenza-io/device-type-library, types/IMBuildings",
    decode=decode,
)
