"""The frame that Dingtek's sensors put around a body: `80 00`, type, kind, total length, …, `81`.

In comes an uplink, out comes its kind and a note on an odd head, or a `DecodeError`. A device type may be shared by two
models: the configured one decides. Source: Dingtek decoders of The Things Network's device repository.
"""

from collections.abc import Mapping
from enum import IntEnum

from edge.drivers.formats.fields import unknown_port
from edge.readings import DecodeError, Frame

PORT = 3
HEAD, TAIL = 0x80, 0x81
TYPE_AT, KIND_AT, LENGTH_AT = 2, 3, 4
SHORTEST = 6


class DingtekKind(IntEnum):
    """What a frame is; which of the two measurements is the periodic one is not certain."""

    MEASUREMENT = 1
    OTHER_MEASUREMENT = 2
    PARAMETERS = 3


def check_frame(model: str, frame: Frame, device_type: int, lengths: Mapping[DingtekKind, int]) -> DingtekKind:
    """The kind of a frame whose head, type, length and tail are right. Raises `DecodeError`."""
    payload = frame.payload
    if frame.port != PORT:
        raise unknown_port(model, frame, str(PORT))
    if len(payload) < SHORTEST:
        reason = f"too short: expected at least {SHORTEST} bytes, first missing byte {len(payload)}"
        raise DecodeError(model, reason, port=frame.port, offset=len(payload))
    if payload[LENGTH_AT] != len(payload):
        reason = f"declares {payload[LENGTH_AT]} bytes, has {len(payload)}"
        raise DecodeError(model, reason, port=frame.port, offset=LENGTH_AT)
    if payload[-1] != TAIL:
        reason = f"tail: expected 0x{TAIL:02x}, got 0x{payload[-1]:02x}"
        raise DecodeError(model, reason, port=frame.port, offset=len(payload) - 1)
    if payload[TYPE_AT] != device_type:
        reason = f"another model: expected type 0x{device_type:02x}, got 0x{payload[TYPE_AT]:02x}"
        raise DecodeError(model, reason, port=frame.port, offset=TYPE_AT)
    if (payload[KIND_AT], len(payload)) not in lengths.items():
        reason = f"no message of kind {payload[KIND_AT]} has {len(payload)} bytes"
        raise DecodeError(model, reason, port=frame.port, offset=KIND_AT)
    return DingtekKind(payload[KIND_AT])


def head_note(payload: bytes) -> str | None:
    """What to say of a head byte that is not 80: one published sample has another."""
    return None if payload[0] == HEAD else f"head 0x{payload[0]:02x} instead of 0x{HEAD:02x}"
