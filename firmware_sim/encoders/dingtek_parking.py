"""Dingtek DO200, DO201 and DO202 measurements on fPort 3.

In come states and figures, out come payloads. Source: Dingtek decoders (TheThingsNetwork/lorawan-devices).
"""

PORT = 3
DO200, DO201, DO202 = 0x02, 0x31, 0x32


def measurement(
    device_type: int,
    occupied: bool,
    *,
    distance_mm: int = 0,
    battery_cv: int = 360,
    battery_low: bool = False,
    magnetic: tuple[int, int, int] = (0, 0, 0),
    temperature_c: int = 20,
    humidity_pct: int = 50,
    counter: int = 0,
) -> bytes:
    """One measurement; battery in 0.01 V. The DO200 has no temperature and humidity."""
    climate = b"" if device_type == DO200 else temperature_c.to_bytes(1, "big", signed=True) + bytes([humidity_pct])
    body = (
        distance_mm.to_bytes(2, "big")
        + bytes([0x10 if occupied else 0, 1 if battery_low else 0])
        + battery_cv.to_bytes(2, "big")
        + b"".join(axis.to_bytes(2, "big", signed=True) for axis in magnetic)
        + climate
        + counter.to_bytes(2, "big")
        + b"\0"
    )
    return bytes([0x80, 0x00, device_type, 0x01, len(body) + 6]) + body + b"\x81"
