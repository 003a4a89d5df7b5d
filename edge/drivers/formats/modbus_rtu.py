"""Answers of Modbus RTU units: address, function, byte count, registers (big-endian), CRC (low byte first).

In comes a whole answer, out come its data bytes, or a `DecodeError` that says what is wrong or why the unit refused.
Source: Modbus Application Protocol V1.1b3, Modbus over Serial Line V1.02.
"""

from collections.abc import Sequence

from edge.drivers.formats.fields import require_length
from edge.readings import DecodeError, Frame

READ_HOLDING, READ_INPUT = 3, 4
FUNCTIONS = (READ_HOLDING, READ_INPUT)
REFUSED = 0x80
REFUSALS = {
    1: "illegal function",
    2: "illegal register address",
    3: "illegal value",
    4: "device failure",
    6: "busy",
}
DATA_AT, OVERHEAD, REFUSAL_LENGTH = 3, 5, 5


def crc(data: bytes) -> bytes:
    """CRC-16/Modbus of these bytes, as it goes on the wire."""
    remainder = 0xFFFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0xA001 if remainder & 1 else 0)
    return remainder.to_bytes(2, "little")


def answer(unit: int, function: int, registers: Sequence[int]) -> bytes:
    """The answer frame that carries these registers (0 to 65535 each): what a link that got registers hands on."""
    data = b"".join(register.to_bytes(2, "big") for register in registers)
    body = bytes([unit, function, len(data)]) + data
    return body + crc(body)


def refusal(unit: int, function: int, code: int) -> bytes:
    """The frame with which a unit refuses a request."""
    body = bytes([unit, function | REFUSED, code])
    return body + crc(body)


def find_answer(heard: bytes, *, unit: int, function: int) -> bytes:
    """The first whole answer or refusal of this unit with a good CRC among what was heard; nothing if there is none."""
    for start in range(len(heard) - REFUSAL_LENGTH + 1):
        if heard[start] != unit or heard[start + 1] & ~REFUSED != function:
            continue
        refused = heard[start + 1] & REFUSED
        frame = heard[start : start + (REFUSAL_LENGTH if refused else heard[start + 2] + OVERHEAD)]
        if frame[-2:] == crc(frame[:-2]):
            return frame
    return b""


def read_answer(model: str, frame: Frame, unit: int | None, function: int | None, count: int | None) -> bytes:
    """The data bytes of the answer to a request for `count` registers; None for what was asked and is not known.

    Raises `DecodeError`; a refusal by the unit is one, with its code.
    """
    payload = frame.payload
    if len(payload) < REFUSAL_LENGTH:
        require_length(model, frame, REFUSAL_LENGTH)
    if unit is not None and payload[0] != unit:
        raise _wrong(model, frame, 0, f"unit {payload[0]} answers: expected {unit}")
    functions = FUNCTIONS if function is None else (function,)
    if payload[1] & ~REFUSED not in functions:
        raise _wrong(model, frame, 1, f"function 0x{payload[1]:02x}: expected {' or '.join(map(str, functions))}")
    if payload[1] & REFUSED:
        _raise_refusal(model, frame)
    size = payload[2]
    if size % 2 or not size or (count is not None and size != 2 * count):
        expected = "two per register" if count is None else str(2 * count)
        raise _wrong(model, frame, 2, f"byte count {size}: expected {expected}")
    require_length(model, frame, size + OVERHEAD)
    _check_crc(model, frame)
    return payload[DATA_AT : DATA_AT + size]


def _raise_refusal(model: str, frame: Frame) -> None:
    require_length(model, frame, REFUSAL_LENGTH)
    _check_crc(model, frame)
    code = frame.payload[2]
    raise _wrong(model, frame, 2, f"refused, code {code}: {REFUSALS.get(code, 'unknown')}")


def _check_crc(model: str, frame: Frame) -> None:
    expected, found = crc(frame.payload[:-2]), frame.payload[-2:]
    if found != expected:
        reason = f"CRC: expected {expected.hex(' ')}, got {found.hex(' ')}"
        raise _wrong(model, frame, len(frame.payload) - 2, reason)


def _wrong(model: str, frame: Frame, offset: int, reason: str) -> DecodeError:
    return DecodeError(model, reason, port=frame.port, offset=offset)
