"""Tekzitel TekziPark: a magnetometer and radar puck that reports one parking space over LoRaWAN.

fPort 1 carries the state, fPort 2 the state with debug values. Beacons it heard nearby may be drivers' permits: their
ids are personal data and are never read. Big-endian.
Source: Tekzitel TekziPark decoder of The Things Network's device repository (vendor/tekzitel).
"""

from edge.drivers.formats.fields import celsius, celsius_note, notes, require_length, signed, unknown_port
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Frame, Health, Knowledge, Presence, ResetCause

NAME = "tekzitel-tekzipark"
SPACE = "1"
STATE_PORT, DEBUG_PORT = 1, 2
STATE_LENGTH, DEBUG_LENGTH = 3, 12
OCCUPIED, RESERVED, BATTERY_GOOD, OBSTRUCTED, BY_RADAR, RESET, KEEP_ALIVE = 0x80, 0x40, 0x20, 0x10, 0x08, 0x02, 0x01
BEACON_RSSI_AT, FAULT_AT = 3, 9
MAGNETIC = ("deflection_x", "deflection_y", "deflection_z", "baseline_x", "baseline_y", "baseline_z")
"""Signed bytes from offset 3 on; their unit is not documented."""
Diagnostics = dict[str, int | float | bool | str]


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Presence and health of one uplink. Raises `DecodeError`."""
    payload = frame.payload
    if frame.port == STATE_PORT:
        _check_state_length(frame)
        rssi: Diagnostics = (
            {"beacon_rssi_dbm": signed(payload, BEACON_RSSI_AT, 1)} if len(payload) > STATE_LENGTH else {}
        )
        return _readings(payload, rssi, None)
    if frame.port == DEBUG_PORT:
        require_length(NAME, frame, DEBUG_LENGTH)
        fault = f"fault code {payload[FAULT_AT]}" if payload[FAULT_AT] else None
        return _readings(payload, _debug(payload), fault)
    raise unknown_port(NAME, frame, "1 or 2")


def _check_state_length(frame: Frame) -> None:
    length = len(frame.payload)
    if length < STATE_LENGTH:
        require_length(NAME, frame, STATE_LENGTH)
    if length > STATE_LENGTH and length % 2:
        raise DecodeError(NAME, "half a beacon id at the end", port=frame.port, offset=length - 1)


def _readings(payload: bytes, further: Diagnostics, fault: str | None) -> list[AnyReading]:
    flags = payload[0]
    temperature = signed(payload, 1, 1)
    health = Health(
        battery_low=not flags & BATTERY_GOOD,
        temperature_c=celsius(temperature),
        fault=notes("radar obstructed" if flags & OBSTRUCTED else None, fault),
        reset=ResetCause.OTHER if flags & RESET else None,
        note=notes(celsius_note(temperature), "reserved flag 6 set" if flags & RESERVED else None),
        diagnostics={
            "keep_alive": bool(flags & KEEP_ALIVE),
            "by_radar": bool(flags & BY_RADAR),
            "parking_id": payload[2],
            **further,
        },
    )
    return [Presence(channel=SPACE, occupied=bool(flags & OCCUPIED)), health]


def _debug(payload: bytes) -> Diagnostics:
    magnetic = {name: signed(payload, offset, 1) for offset, name in enumerate(MAGNETIC, STATE_LENGTH)}
    return {**magnetic, "radar_obstruction": payload[10], "radar_reflection": payload[11]}


MODEL = Model(
    name=NAME,
    maker="Tekzitel",
    product="TekziPark",
    kind=Kind.PARKING,
    detects="a car on one space, by magnetometer and radar",
    links=frozenset({LinkKind.LORAWAN}),
    ports={STATE_PORT: "state; the ids of beacons are dropped", DEBUG_PORT: "state with debug values"},
    reporting_period_s=86_400,
    mounting=(
        "On the middle of the space. Snow, dirt or leaves obstruct its radar: the state then comes from the "
        "magnetometer alone, and a fault says so. Leave its beacon scan off unless permits are lawfully read."
    ),
    source="Tekzitel TekziPark decoder (TheThingsNetwork/lorawan-devices, vendor/tekzitel)",
    decode=decode,
)
