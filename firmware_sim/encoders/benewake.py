"""Data frames of Benewake's lidars TFmini Plus, TFmini-S and TF-Luna, and their firmware answer.

In comes what the lidar sees, out come frames.
Source: Benewake product manuals TFmini Plus A05, TFmini-S A00, TF-Luna A05.
"""

WEAK, OVEREXPOSED, SUNLIGHT = -1, -2, -4
"""What the TFmini-S sends instead of a distance."""


def data(distance: int, strength: int, temperature_c: float = 40.0) -> bytes:
    """Nine bytes: distance in cm (or mm where so configured; the TFmini-S has negative codes), strength 0 to 65535."""
    raw_temperature = round((temperature_c + 256) * 8)
    body = b"\x59\x59" + (distance % 65536).to_bytes(2, "little") + strength.to_bytes(2, "little")
    return _summed(body + raw_temperature.to_bytes(2, "little"))


def firmware(major: int, minor: int, patch: int) -> bytes:
    """The answer to "get firmware version"."""
    return _summed(bytes([0x5A, 0x07, 0x01, patch, minor, major]))


def _summed(body: bytes) -> bytes:
    return body + bytes([sum(body) & 0xFF])
