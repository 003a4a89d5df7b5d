"""What a Terabee People Counting L or XL puts on the air: totals on fPort 1, answers to commands on others.

In come totals and states, out go big-endian bytes. Values beyond a field's width raise `OverflowError`.
Source: Actility device catalogue, vendors/terabee/drivers/pc-l-xl.
"""

from collections.abc import Sequence
from enum import IntFlag

COUNTING_PORT, COUNTER_PORT, AREA_PORT = 1, 2, 101
TOTAL_MODULUS = 2**32


class Flags(IntFlag):
    """What the device says of itself."""

    STOPPED = 0x01
    STUCK = 0x02
    MULTIPLE = 0x04
    WIFI_ON = 0x08


def counting(total_in: int, total_out: int, flags: Flags | None = None) -> bytes:
    """8 bytes of totals, 9 with the flags that some firmwares leave out."""
    return _totals(total_in, total_out) + (b"" if flags is None else bytes((flags,)))


def read_back(total_in: int, total_out: int) -> bytes:
    """Answer to a read-back of the counts, on the counter port."""
    return b"\x02" + _totals(total_in, total_out)


def reset_acknowledged() -> bytes:
    """Acknowledgement of a reset of the counts, on the counter port."""
    return b"\xff\x01\x00"


def area(points: Sequence[tuple[int, int]]) -> bytes:
    """The counting area: points of 7 bits x and 6 bits y, packed to the right, on the area port."""
    packed = 0
    for x, y in points:
        packed = packed << 13 | x << 6 | y
    return bytes((len(points),)) + packed.to_bytes((13 * len(points) + 7) // 8, "big")


def _totals(total_in: int, total_out: int) -> bytes:
    return total_in.to_bytes(4, "big") + total_out.to_bytes(4, "big")
