"""HLK-LD2410 report frames, basic and engineering.

In comes what the radar sees, out come frames. Source: Hi-Link, HLK-LD2410C serial communication protocol V1.00.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sight:
    """What the radar sees; a distance without its flag is the last one known."""

    moving: bool = False
    still: bool = False
    moving_cm: int = 0
    moving_energy: int = 0
    """0 to 100."""
    still_cm: int = 0
    still_energy: int = 0
    """0 to 100."""
    detection_cm: int = 0


def basic(sight: Sight) -> bytes:
    """A basic report, 23 bytes."""
    return _frame(b"\x02\xaa" + _target(sight))


def engineering(sight: Sight, moving_gates: Sequence[int], still_gates: Sequence[int], retained: bytes = b"") -> bytes:
    """A report with the energy of every gate, nearest first; at least one gate each."""
    highest = bytes([len(moving_gates) - 1, len(still_gates) - 1])
    return _frame(b"\x01\xaa" + _target(sight) + highest + bytes([*moving_gates, *still_gates]) + retained)


def _target(sight: Sight) -> bytes:
    return (
        bytes([sight.moving | sight.still << 1])
        + sight.moving_cm.to_bytes(2, "little")
        + bytes([sight.moving_energy])
        + sight.still_cm.to_bytes(2, "little")
        + bytes([sight.still_energy])
        + sight.detection_cm.to_bytes(2, "little")
    )


def _frame(report: bytes) -> bytes:
    inner = report + b"\x55\x00"
    return b"\xf4\xf3\xf2\xf1" + len(inner).to_bytes(2, "little") + inner + b"\xf8\xf7\xf6\xf5"
