"""HLK-LD2450 report frames, as the radar sends them ten times a second.

In come up to three targets, out come 30 bytes. Source: Hi-Link, HLK-LD2450 serial communication protocol V1.03.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SLOTS = 3
REPORT_HEADER = b"\xaa\xff\x03\x00"
REPORT_TAIL = b"\x55\xcc"
EMPTY_SLOT = bytes(8)


@dataclass(frozen=True, slots=True)
class Target:
    """One moving person."""

    x_mm: int
    """To the side, -32767 to 32767."""
    y_mm: int
    """Straight ahead, -32767 to 32767; positive in practice."""
    speed_cm_s: int
    """Radial speed, -32767 to 32767."""
    resolution_mm: int = 360
    """Length of the radar's range gate."""


def report(targets: Sequence[Target]) -> bytes:
    """One report: the targets in slots 1 to 3, the other slots empty. Raises `ValueError` for more than three."""
    if len(targets) > SLOTS:
        raise ValueError(f"the radar has {SLOTS} slots, got {len(targets)} targets")
    slots = [_slot(target) for target in targets] + [EMPTY_SLOT] * (SLOTS - len(targets))
    return REPORT_HEADER + b"".join(slots) + REPORT_TAIL


def _slot(target: Target) -> bytes:
    coordinates = (target.x_mm, target.y_mm, target.speed_cm_s)
    return b"".join(_inverted_sign(value) for value in coordinates) + target.resolution_mm.to_bytes(2, "little")


def _inverted_sign(value: int) -> bytes:
    """Magnitude in 15 bits, the top bit set for positive numbers; zero is all zeros."""
    sign = 0x8000 if value > 0 else 0
    return (abs(value) | sign).to_bytes(2, "little")


def command_answer(word: int, status: int = 0, data: bytes = b"") -> bytes:
    """The module's answer to command `word` (as sent, low byte first on the wire): 0 is done, 1 failed."""
    inner = (word | 0x0100).to_bytes(2, "little") + status.to_bytes(2, "little") + data
    return b"\xfd\xfc\xfb\xfa" + len(inner).to_bytes(2, "little") + inner + b"\x04\x03\x02\x01"
