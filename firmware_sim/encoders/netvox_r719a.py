"""Netvox R719A uplinks of 11 bytes.

In come states and figures, out come payloads. Source: Netvox R719A decoder (TheThingsNetwork/lorawan-devices).
"""

REPORT_PORT, ANSWER_PORT = 6, 7
LENGTH = 11
DEVICE_TYPE = 0x59


def status(occupied: bool, battery_tenths_v: int, *, battery_low: bool = False) -> bytes:
    """fPort 6: state, and battery in 0.1 V from 0 to 127."""
    return _filled(0x01, DEVICE_TYPE, 0x01, battery_tenths_v | (0x80 if battery_low else 0), occupied)


def version(software_tenths: int, hardware: int, date_code: str) -> bytes:
    """fPort 6, after start-up: versions, and the date as eight digits."""
    return _filled(0x01, DEVICE_TYPE, 0x00, software_tenths, hardware, *bytes.fromhex(date_code))


def report_configuration(minimum_s: int, maximum_s: int, battery_change_tenths_v: int) -> bytes:
    """fPort 7: the answer to "read report configuration"."""
    periods = minimum_s.to_bytes(2, "big") + maximum_s.to_bytes(2, "big")
    return _filled(0x82, DEVICE_TYPE, *periods, battery_change_tenths_v)


def _filled(*head: int) -> bytes:
    return bytes(head).ljust(LENGTH, b"\0")
