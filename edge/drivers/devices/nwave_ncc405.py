"""Nwave NCC-4.5: a magnetic puck in the road that counts passing vehicles, without direction, over LoRaWAN.

In come counter updates (fPort 1), heartbeats (2), start-ups (3) and debug bytes (6), big-endian; out come a total and
health. That the counter is a running total is inferred from the maker's words. Source: Nwave decoder of The Things
Network's device repository (vendor/nwave/ncc405).
"""

from edge.drivers.formats import nwave
from edge.drivers.formats.fields import require_length, unknown_port, unsigned
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Frame, Health, Knowledge, ResetCause, Total

NAME = "nwave-ncc405"
CHANNEL = "line1"
MODE = "vehicle"
TOTAL_BITS = 16
COUNTER_PORT, HEARTBEAT_PORT, START_UP_PORT, DEBUG_PORT = 1, 2, 3, 6
COUNTER_LENGTH, HEARTBEAT_LENGTH, START_UP_LENGTH = 2, 3, 4
HEALTH_BITS = 0x7F

RESET_CAUSES = {
    0: ResetCause.REJOIN,
    1: ResetCause.WATCHDOG,
    2: ResetCause.POWER_ON,
    3: ResetCause.REQUEST,
    6: ResetCause.BROWN_OUT,
    7: ResetCause.OTHER,
}


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """The total or the health that one uplink tells. Raises `DecodeError`."""
    if frame.port == COUNTER_PORT:
        return _counter(frame)
    if frame.port == HEARTBEAT_PORT:
        return _heartbeat(frame)
    if frame.port == START_UP_PORT:
        return _start_up(frame)
    if frame.port == DEBUG_PORT:
        return nwave.debug(NAME, frame)
    raise unknown_port(NAME, frame, "1, 2, 3 or 6")


def _counter(frame: Frame) -> list[AnyReading]:
    if len(frame.payload) == 1:
        reason = f"too short: expected {COUNTER_LENGTH} bytes, got 1: looks like a parking sensor"
        raise DecodeError(NAME, reason, port=frame.port, offset=1)
    require_length(NAME, frame, COUNTER_LENGTH)
    return [Total(channel=CHANNEL, mode=MODE, in_=unsigned(frame.payload, 0), bits=TOTAL_BITS)]


def _heartbeat(frame: Frame) -> list[AnyReading]:
    require_length(NAME, frame, HEARTBEAT_LENGTH)
    status, battery, mean = frame.payload
    code = status & HEALTH_BITS
    return [
        Health(
            battery_v=_volts(battery),
            fault=f"hardware health code {code}" if code else None,
            diagnostics={"battery_mean_24h_v": _volts(mean), "hardware_health": code},
        )
    ]


def _start_up(frame: Frame) -> list[AnyReading]:
    require_length(NAME, frame, START_UP_LENGTH)
    major, minor, patch, number = frame.payload
    defined = number in RESET_CAUSES
    return [
        Health(
            firmware=f"{major}.{minor}.{patch}",
            reset=RESET_CAUSES.get(number, ResetCause.OTHER),
            note=None if defined else f"undefined reset cause {number}",
            diagnostics=None if defined else {"reset_cause": number},
        )
    ]


def _volts(raw: int) -> float:
    return (2500 + 4 * raw) / 1000


MODEL = Model(
    name=NAME,
    maker="Nwave",
    product="NCC-4.5 (G4 SM, G4 FM)",
    kind=Kind.COUNTER,
    detects="vehicles passing over it by magnetic field, without direction",
    links=frozenset({LinkKind.LORAWAN}),
    ports={
        COUNTER_PORT: "counter update",
        HEARTBEAT_PORT: "heartbeat",
        START_UP_PORT: "start-up",
        DEBUG_PORT: "debug, kept raw",
    },
    channels=(Channel(name=CHANNEL, mode=MODE, first="passing", second=None, bits=TOTAL_BITS),),
    reporting_period_s=86400,
    mounting=(
        "In the middle of a one-way lane, where cars neither stop nor drive faster than 32 km/h; the lane decides the "
        "direction. It joins only after calibration with the maker's app. It reports after N vehicles or T seconds: "
        "silence is not zero. A car park's balance must be set right by hand from time to time."
    ),
    source="TheThingsNetwork/lorawan-devices, vendor/nwave/ncc405; Nwave, LoRaWAN Car Counter: Getting Started",
    decode=decode,
)
