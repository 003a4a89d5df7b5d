"""PNI PlacePod records, to be joined into one uplink on fPort 2.

In come states and figures, out come records. Source: sjkp/PNI.PlacePod and PNI's channel list.
"""

PORT = 2
RESTARTED = 0x80


def parking_status(occupied: bool, *, keep_alive: bool = False) -> bytes:
    """The state of the space, on change or as a sign of life."""
    return bytes([0x37 if keep_alive else 0x15, 0x66, occupied])


def vehicle_count(total: int, *, keep_alive: bool = False) -> bytes:
    """The running count of vehicles, which wraps at 128."""
    return bytes([0x37 if keep_alive else 0x21, 0x00, total % 128])


def restarted() -> bytes:
    """The counter was recalibrated or rebooted: no count."""
    return bytes([0x21, 0x00, RESTARTED])


def battery(millivolts: int) -> bytes:
    """Battery in steps of 10 mV."""
    return bytes([0x03, 0x02]) + (millivolts // 10).to_bytes(2, "big")


def temperature(tenths_c: int, *, sign_magnitude: bool = True) -> bytes:
    """Temperature in 0.1 °C; firmware differs in how it writes numbers below zero."""
    if sign_magnitude:
        return bytes([0x02, 0x67]) + (abs(tenths_c) | (0x8000 if tenths_c < 0 else 0)).to_bytes(2, "big")
    return bytes([0x02, 0x67]) + tenths_c.to_bytes(2, "big", signed=True)
