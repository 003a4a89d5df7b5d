"""Nwave NPS310SM (NPS-3.1): a magnetic puck that reports one parking space over LoRaWAN.

The fPort gives the message, bit 0 of the status byte the state; it tells neither battery nor temperature. Big-endian.
Source: Nwave NPS310SM decoder of The Things Network's device repository (vendor/nwave/nps310sm).
"""

from edge.drivers.formats import nwave
from edge.drivers.formats.fields import require_length, unknown_port
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Frame, Knowledge, ResetCause

NAME = "nwave-nps310"
RESETS = {
    1: ResetCause.WATCHDOG,
    2: ResetCause.POWER_ON,
    3: ResetCause.REQUEST,
    4: ResetCause.BROWN_OUT,
    5: ResetCause.OTHER,
}


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Presence and health of one uplink. Raises `DecodeError`."""
    match frame.port:
        case nwave.STATUS_PORT | nwave.HEARTBEAT_PORT:
            require_length(NAME, frame, 1)
            return [nwave.presence(frame.payload[0])]
        case nwave.START_UP_PORT:
            return nwave.start_up(NAME, frame, RESETS)
        case nwave.DEBUG_PORT:
            return nwave.debug(NAME, frame)
        case nwave.TAG_PORT:
            raise DecodeError(NAME, "wrong model: only the NPS405 registers tags", port=frame.port)
        case _:
            raise unknown_port(NAME, frame, "1, 2, 3 or 6")


MODEL = Model(
    name=NAME,
    maker="Nwave",
    product="NPS310SM (NPS-3.1)",
    kind=Kind.PARKING,
    detects="a car on one space, by magnetometer",
    links=frozenset({LinkKind.LORAWAN}),
    ports={
        nwave.STATUS_PORT: "parking status, on change",
        nwave.HEARTBEAT_PORT: "heartbeat",
        nwave.START_UP_PORT: "start-up",
        nwave.DEBUG_PORT: "debug, kept raw",
    },
    reporting_period_s=86_400,
    mounting=(
        "On the surface in the middle of the space. It joins only after calibrating on the empty space: keep cars and "
        "tools away. It tells no battery level: plan its replacement by age."
    ),
    source="Nwave NPS310SM decoder (TheThingsNetwork/lorawan-devices, vendor/nwave)",
    decode=decode,
)
