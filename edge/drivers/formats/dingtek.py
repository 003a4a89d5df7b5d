"""Dingtek's common frame: head 80, a zero, device type, kind, total length, body, tail 81; big-endian, fPort 3.

In comes an uplink, out comes the kind of its body, or one `DecodeError` at the byte that does not fit. The type byte
does not tell families apart (a DC500 and a DO200 share 02): the configured model decides.
Source: Dingtek decoders of The Things Network's device repository (vendor/dingtek).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.drivers.formats.fields import figures, unknown_port
from edge.readings import DecodeError, Frame, Health

PORT = 3
HEAD, TAIL = 0x80, 0x81
SHORTEST = 6
TYPE_OFFSET, KIND_OFFSET, LENGTH_OFFSET = 2, 3, 4
MEASUREMENTS = (0x01, 0x02)
"""Periodic and event; which is which is not certain."""
PARAMETERS = 0x03


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the frames of one model look like."""

    model: str
    device_type: int
    measurement_length: int
    parameters_length: int

    @property
    def lengths(self) -> Mapping[int, int]:
        """Total length in bytes by kind."""
        return {**dict.fromkeys(MEASUREMENTS, self.measurement_length), PARAMETERS: self.parameters_length}


def check(frame: Frame, layout: Layout) -> None:
    """Raise `DecodeError` unless the frame is one of the model's, whole."""
    model, payload, port = layout.model, frame.payload, frame.port
    if port != PORT:
        raise unknown_port(model, frame, str(PORT))
    actual = len(payload)
    if actual < SHORTEST:
        reason = f"too short: expected at least {SHORTEST} bytes, got {actual}, first missing byte {actual}"
        raise DecodeError(model, reason, port=port, offset=actual)
    declared = payload[LENGTH_OFFSET]
    if declared != actual:
        raise DecodeError(model, f"declares {declared} bytes, got {actual}", port=port, offset=LENGTH_OFFSET)
    if payload[-1] != TAIL:
        reason = f"expected tail 0x{TAIL:02x}, got 0x{payload[-1]:02x}"
        raise DecodeError(model, reason, port=port, offset=actual - 1)
    if payload[TYPE_OFFSET] != layout.device_type:
        reason = f"expected device type 0x{layout.device_type:02x}, got 0x{payload[TYPE_OFFSET]:02x}: another model"
        raise DecodeError(model, reason, port=port, offset=TYPE_OFFSET)
    if layout.lengths.get(payload[KIND_OFFSET]) != actual:
        reason = f"unknown kind 0x{payload[KIND_OFFSET]:02x} of {actual} bytes"
        raise DecodeError(model, reason, port=port, offset=KIND_OFFSET)


def is_parameters(frame: Frame) -> bool:
    """Whether a checked frame carries parameters, not a measurement."""
    return frame.payload[KIND_OFFSET] == PARAMETERS


def head_note(frame: Frame) -> str | None:
    """The note on a first byte that is not the documented head: published samples differ, so it is no error."""
    head = frame.payload[0]
    return None if head == HEAD else f"head 0x{head:02x} instead of 0x{HEAD:02x}"


def firmware(frame: Frame) -> str:
    """The firmware version of a parameter frame."""
    return f"{frame.payload[5]}.{frame.payload[6]}"


def parameters(frame: Frame, layout: Mapping[str, tuple[int, int]]) -> Health:
    """What a parameter frame says; its figures by name, each laid out as (offset, width in bytes)."""
    return Health(firmware=firmware(frame), note=head_note(frame), diagnostics=figures(frame.payload, layout))


def high(byte: int) -> bool:
    """Whether the alarm in the high nibble is raised."""
    return byte >> 4 != 0


def low(byte: int) -> bool:
    """Whether the alarm in the low nibble is raised."""
    return byte & 0x0F != 0
