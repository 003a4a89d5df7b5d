"""What an IMBuildings people counter puts on the air: counters, totals or a heartbeat, big-endian.

In come counts and states, out go payloads with the header of ten bytes; fPorts 26 to 28 carry the same without it.
Values beyond a field's width raise `OverflowError` or `ValueError`. Source: IMBuildings decoder (vendor/imbuildings).
"""

from enum import IntFlag

HEADERLESS_COUNTERS_PORT, HEADERLESS_TOTALS_PORT, HEADERLESS_HEARTBEAT_PORT = 26, 27, 28
HEADER_LENGTH = 10
TOTAL_MODULUS = 65536


class Device(IntFlag):
    """Device status bits."""

    QUIET = 0
    STARTED = 0x01
    RECONNECTED = 0x02
    SETTINGS_CHANGED = 0x04
    BATTERY_NOT_FULL = 0x08


class Sensor(IntFlag):
    """Sensor status bits."""

    QUIET = 0
    BEAM_BLOCKED = 0x80
    DISTURBED = 0x40
    BATTERY_LOW = 0x20
    POWER_UP = 0x04
    SIGNAL_WEAK = 0x02


def counters(
    dev_eui: str,
    counts: tuple[int, int],
    totals: tuple[int, int],
    centivolts: int,
    payload_counter: int,
    device: Device = Device.QUIET,
    sensor: Sensor = Sensor.QUIET,
) -> bytes:
    """Variant 6, 23 bytes: counts of the period and totals, A and B each."""
    status = bytes((device,)) + _word(centivolts) + _word(counts[0]) + _word(counts[1]) + bytes((sensor,))
    return _header(6, dev_eui) + status + _word(totals[0]) + _word(totals[1]) + bytes((payload_counter,))


def totals_only(dev_eui: str, totals: tuple[int, int], sensor: Sensor = Sensor.QUIET) -> bytes:
    """Variant 7, 15 bytes."""
    return _header(7, dev_eui) + bytes((sensor,)) + _word(totals[0]) + _word(totals[1])


def heartbeat(dev_eui: str, centivolts: int, device: Device = Device.QUIET, sensor: Sensor = Sensor.QUIET) -> bytes:
    """Variant 8, 14 bytes."""
    return _header(8, dev_eui) + bytes((device,)) + _word(centivolts) + bytes((sensor,))


def without_header(payload: bytes) -> bytes:
    """The same message as it goes out on its own fPort."""
    return payload[HEADER_LENGTH:]


def _header(variant: int, dev_eui: str) -> bytes:
    return bytes((0x02, variant)) + bytes.fromhex(dev_eui)


def _word(value: int) -> bytes:
    return value.to_bytes(2, "big")
