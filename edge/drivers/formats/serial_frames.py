"""Help for serial models: little-endian fields, constant bytes, and the check that the serial link asks for.

In come the bytes of one frame, out come values or a `DecodeError` that names the byte. It never reads a port.
"""

from collections.abc import Callable

from edge.drivers.model import Decode
from edge.readings import DecodeError, DeviceAddress, Frame, Knowledge


def problem_of(decode: Decode) -> Callable[[bytes], str | None]:
    """`Framing.problem` for a model whose `decode` refuses everything that is no frame."""

    def problem(data: bytes) -> str | None:
        try:
            decode(Frame(device=DeviceAddress(""), payload=data), Knowledge())
        except DecodeError as error:
            return error.reason if error.offset is None else f"byte {error.offset}: {error.reason}"
        return None

    return problem


def require_bytes(model: str, frame: Frame, offset: int, expected: bytes, what: str) -> None:
    """Raise `DecodeError` at `offset` unless the expected bytes stand there."""
    found = frame.payload[offset : offset + len(expected)]
    if found != expected:
        reason = f"{what}: expected {expected.hex(' ')}, got {found.hex(' ')}"
        raise DecodeError(model, reason, port=frame.port, offset=offset)


def little(payload: bytes, offset: int, width: int = 2) -> int:
    """An unsigned little-endian integer of `width` bytes at `offset`."""
    return int.from_bytes(payload[offset : offset + width], "little")


def little_signed(payload: bytes, offset: int, width: int = 2) -> int:
    """A two's-complement little-endian integer of `width` bytes at `offset`."""
    return int.from_bytes(payload[offset : offset + width], "little", signed=True)
