"""Tekzitel TekziPark uplinks: state (fPort 1) and state with debug values (fPort 2).

In come states and figures, out come payloads. Source: Tekzitel TekziPark decoder (TheThingsNetwork/lorawan-devices).
"""

from collections.abc import Sequence

STATE_PORT, DEBUG_PORT = 1, 2


def flags(
    occupied: bool,
    *,
    battery_good: bool = True,
    obstructed: bool = False,
    by_radar: bool = True,
    reset: bool = False,
    keep_alive: bool = False,
) -> int:
    """The first byte of both messages, without beacons."""
    bits = (occupied, False, battery_good, obstructed, by_radar, True, reset, keep_alive)
    return sum(bit << 7 - place for place, bit in enumerate(bits))


def state(flags_byte: int, temperature_c: int, parking_id: int) -> bytes:
    """fPort 1: whole degrees from -128 to 127, a running number from 0 to 255."""
    return bytes([flags_byte]) + _int8(temperature_c) + bytes([parking_id])


def with_beacons(message: bytes, rssi_dbm: int, beacons: Sequence[int]) -> bytes:
    """fPort 1 when beacons were heard: the strongest one's RSSI, and their ids (0 to 65535)."""
    return message + _int8(rssi_dbm) + b"".join(beacon.to_bytes(2, "big") for beacon in beacons)


def debug(message: bytes, magnetic: Sequence[int], fault: int, obstruction: int, reflection: int) -> bytes:
    """fPort 2: deflection x, y, z and baseline x, y, z (-128 to 127), fault code, radar values."""
    return message + b"".join(_int8(value) for value in magnetic) + bytes([fault, obstruction, reflection])


def _int8(value: int) -> bytes:
    return value.to_bytes(1, "big", signed=True)
