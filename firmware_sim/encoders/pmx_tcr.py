"""What a PMX TCR radar puts on the air: counts per category, each on its own fPort, and its identity after a join.

In come counts and speeds, out go big-endian bytes. Values beyond a field's width raise `OverflowError` or `ValueError`.
Source: Actility device catalogue, vendors/pmx/drivers/pmx-tcr.
"""

ALL_PORT, IDENTITY_PORT = 13, 190


def counts(
    hour: int, minute: int, ltr: int, ltr_speed_kmh: int, rtl: int, rtl_speed_kmh: int, supply_decivolts: int
) -> bytes:
    """Counter payload V2, 10 bytes; the device's clock says when the interval ended."""
    left = ltr.to_bytes(2, "big") + bytes((ltr_speed_kmh,))
    right = rtl.to_bytes(2, "big") + bytes((rtl_speed_kmh,))
    return bytes((0xA2, hour, minute)) + left + right + bytes((supply_decivolts,))


def identity(device_type: int, level: int, speed_class: int, firmware: tuple[int, int, int]) -> bytes:
    """8 bytes, without a solar charger; the first two parts of the firmware's version have four bits each."""
    major, minor, patch = firmware
    return bytes((0xD2, device_type, level, speed_class, major << 4 | minor, patch, 0, 0))
