"""Answers of a Modbus RTU distance sensor.

In come register values, out come frames. Source: Modbus over Serial Line V1.02.
"""

from collections.abc import Sequence


def registers(unit: int, values: Sequence[int], *, function: int = 3) -> bytes:
    """The answer to a read: values 0 to 65535, big-endian, with its CRC."""
    data = b"".join(value.to_bytes(2, "big") for value in values)
    return _with_crc(bytes([unit, function, len(data)]) + data)


def refusal(unit: int, code: int, *, function: int = 3) -> bytes:
    """The answer of a unit that refuses: 1 illegal function, 2 illegal address, 3 illegal value, 4 failure, 6 busy."""
    return _with_crc(bytes([unit, function + 0x80, code]))


def _with_crc(body: bytes) -> bytes:
    return body + crc(body).to_bytes(2, "little")


def crc(data: bytes) -> int:
    """CRC-16/Modbus by its bits: polynomial 0x8005 reflected, start 0xffff; 0 over a whole good frame."""
    value = 0xFFFF
    for bit in (byte >> place & 1 for byte in data for place in range(8)):
        carry = (value ^ bit) & 1
        value >>= 1
        if carry:
            value ^= 0xA001
    return value
