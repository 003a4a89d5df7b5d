"""Nwave NPS405 (NPS-4.5): a magnetic puck that reports one parking space over LoRaWAN.

The fPort gives the message; the status byte also tells how long the state before lasted. A driver's Bluetooth tag may
come on fPort 10: its id is personal data and is never read. Big-endian.
Source: Nwave NPS405 decoder of The Things Network's device repository (vendor/nwave/nps405).
"""

from edge.drivers.formats import nwave
from edge.drivers.formats.fields import celsius, celsius_note, require_length, signed, unknown_port
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, Frame, Health, Knowledge, Presence, ResetCause

NAME = "nwave-nps405"
RESETS = {
    0: ResetCause.REJOIN,
    1: ResetCause.WATCHDOG,
    2: ResetCause.POWER_ON,
    3: ResetCause.REQUEST,
    6: ResetCause.BROWN_OUT,
    7: ResetCause.OTHER,
}
HEARTBEAT_LENGTHS = (3, 4, 5, 6)
"""Three bytes are documented, six are sent."""
TAG_LENGTH = 5

COLD_C = -5
NORMAL_MV, LOW_MV = (3000, 2900), (2900, 2800)
"""Least battery voltage that is normal, and low rather than critical: at -5 °C or warmer, and when colder."""

OPEN_ENDED = 127
"""660 minutes or more."""


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Presence and health of one uplink. Raises `DecodeError`."""
    match frame.port:
        case nwave.STATUS_PORT:
            require_length(NAME, frame, 1)
            return [_dated_presence(frame.payload[0])]
        case nwave.HEARTBEAT_PORT:
            return _heartbeat(frame)
        case nwave.START_UP_PORT:
            return nwave.start_up(NAME, frame, RESETS)
        case nwave.DEBUG_PORT:
            return nwave.debug(NAME, frame)
        case nwave.TAG_PORT:
            return [_registration(frame)]
        case _:
            raise unknown_port(NAME, frame, "1, 2, 3, 6 or 10")


def _dated_presence(status: int) -> Presence:
    minutes, error_minutes = _duration(status >> 1)
    return Presence(
        channel=nwave.SPACE,
        occupied=bool(status & 1),
        previous_state_s=minutes * 60,
        previous_state_error_s=None if error_minutes is None else error_minutes * 60,
    )


def _duration(compressed: int) -> tuple[int, int | None]:
    """Minutes, and how many more it may have been: None for no limit."""
    if compressed < 90:
        return compressed, 0
    if compressed < 120:
        return 90 + 5 * (compressed - 90), 4
    if compressed < OPEN_ENDED:
        return 240 + 60 * (compressed - 120), 59
    return 660, None


def _heartbeat(frame: Frame) -> list[AnyReading]:
    require_length(NAME, frame, *HEARTBEAT_LENGTHS)
    payload = frame.payload
    battery_mv = 2500 + 4 * payload[1]
    temperature = signed(payload, 2, 1) / 2 + 10
    hardware = payload[0] >> 1 & 0x3F
    normal_mv, low_mv = NORMAL_MV if temperature >= COLD_C else LOW_MV
    diagnostics: dict[str, int | float | bool | str] = {"battery_critical": True} if battery_mv < low_mv else {}
    if len(payload) > HEARTBEAT_LENGTHS[0]:
        diagnostics["raw"] = payload[HEARTBEAT_LENGTHS[0] :].hex()
    health = Health(
        battery_v=battery_mv / 1000,
        battery_low=battery_mv < normal_mv,
        temperature_c=celsius(temperature),
        note=celsius_note(temperature),
        fault=f"hardware health {hardware}, 0 is good" if hardware else None,
        diagnostics=diagnostics or None,
    )
    return [nwave.presence(payload[0]), health]


def _registration(frame: Frame) -> Presence | Health:
    require_length(NAME, frame, TAG_LENGTH)
    status = frame.payload[0]
    return _dated_presence(status) if status & 1 else Health(note="tag registration that tells no state")


MODEL = Model(
    name=NAME,
    maker="Nwave",
    product="NPS405 (NPS-4.5)",
    kind=Kind.PARKING,
    detects="a car on one space, by magnetometer",
    links=frozenset({LinkKind.LORAWAN}),
    ports={
        nwave.STATUS_PORT: "parking status, on change",
        nwave.HEARTBEAT_PORT: "heartbeat",
        nwave.START_UP_PORT: "start-up",
        nwave.DEBUG_PORT: "debug, kept raw",
        nwave.TAG_PORT: "tag registration; the tag's id is dropped",
    },
    reporting_period_s=86_400,
    mounting=(
        "Flush in or on the middle of the space. It joins only after calibrating on the empty space: keep cars and "
        "tools away. States come on change; a heartbeat that disagrees is right, the change was lost."
    ),
    source="Nwave NPS405 decoder and getting-started guide (TheThingsNetwork/lorawan-devices, vendor/nwave)",
    decode=decode,
)
