"""Nwave NPS405 uplinks: one function per fPort.

In come states and figures, out come payloads. Source: Nwave NPS405 decoder (TheThingsNetwork/lorawan-devices).
"""

STATUS_PORT, HEARTBEAT_PORT, START_UP_PORT, DEBUG_PORT, TAG_PORT = 1, 2, 3, 6, 10
POWER_ON = 2


def parking_status(occupied: bool, previous_minutes: int) -> bytes:
    """fPort 1: the state, and how long the state before it lasted (whole minutes, rounded down as the sensor does)."""
    return bytes([_compressed(previous_minutes) << 1 | occupied])


def heartbeat(occupied: bool, battery_mv: int, temperature_c: float, *, health: int = 0) -> bytes:
    """fPort 2: battery 2500 to 3520 mV in steps of 4, temperature -54 to 73.5 °C in steps of 0.5, health 0 to 63."""
    battery = (battery_mv - 2500) // 4
    temperature = round((temperature_c - 10) * 2)
    return bytes([health << 1 | occupied, battery]) + temperature.to_bytes(1, "big", signed=True) + bytes(3)


def start_up(occupied: bool, *, firmware: tuple[int, int, int] = (4, 5, 1), reset_cause: int = POWER_ON) -> bytes:
    """fPort 3."""
    return bytes([*firmware, reset_cause, occupied])


def tag_registration(previous_minutes: int, tag: bytes) -> bytes:
    """fPort 10: a driver's tag (4 bytes) on an occupied space."""
    return parking_status(True, previous_minutes) + tag


def _compressed(minutes: int) -> int:
    """Minutes up to 89, then steps of 5 from 90, of 60 from 240, and 127 from 660 on."""
    if minutes < 90:
        return minutes
    if minutes < 240:
        return 90 + (minutes - 90) // 5
    return min(127, 120 + (minutes - 240) // 60)
