"""Hi-Link HLK-LD2410: a radar on a serial port that tells whether anybody is there, moving or still, and how far away.

In comes one report (basic or engineering, its length in its own field) or one answer to a command, out come presence,
distances and health. It has no direction, so it counts nothing. Little-endian, no checksum.
Source: Hi-Link, HLK-LD2410C serial protocol V1.00 (ncmreynolds/ld2410).
"""

from edge.drivers.formats.fields import require_length
from edge.drivers.formats.hilink import COMMAND_HEADER, COMMON_WORDS, command_length, decode_command
from edge.drivers.formats.serial_frames import little, problem_of, require_bytes
from edge.drivers.model import Framing, Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Frame, Health, Knowledge, Presence, Range

NAME = "hlk-ld2410"
SPACE = "1"
HEADER = bytes.fromhex("f4f3f2f1")
TAIL = bytes.fromhex("f8f7f6f5")
LENGTH_AT, INNER_AT, MARK_AT, STATE_AT, MOVING_AT, STILL_AT, GATES_AT = 4, 6, 7, 8, 9, 12, 17
OVERHEAD = 10
"""Header, length field and tail."""
SHORTEST, LONGEST = 13, 200
"""What the length field may say."""
ENGINEERING, BASIC = 1, 2
MARK, END_MARK = b"\xaa", b"\x55\x00"
MOVING, STILL = 0x01, 0x02
"""Bits of the target state."""
WORDS = COMMON_WORDS | {
    0x0060: "set gates and hold time",
    0x0061: "read parameters",
    0x0062: "engineering mode on",
    0x0063: "engineering mode off",
    0x0064: "set sensitivity",
    0x00AA: "set gate size",
    0x00AB: "read gate size",
}


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Presence and distances, gate energies in engineering mode; `Health` of a command frame. Raises `DecodeError`."""
    if frame.payload.startswith(COMMAND_HEADER):
        return decode_command(NAME, frame, WORDS)
    inner = _check(frame)
    payload = frame.payload
    readings: list[AnyReading] = [Presence(channel=SPACE, occupied=bool(payload[STATE_AT]))]
    for channel, bit, offset in (("moving", MOVING, MOVING_AT), ("still", STILL, STILL_AT)):
        if payload[STATE_AT] & bit:
            readings.append(Range(channel=channel, mm=little(payload, offset) * 10, strength=payload[offset + 2]))
    if payload[INNER_AT] == ENGINEERING:
        readings.append(_gates(frame, inner))
    return readings


def _check(frame: Frame) -> int:
    """Length of the inner data of a report that is one. Raises `DecodeError`."""
    payload = frame.payload
    require_bytes(NAME, frame, 0, HEADER[: len(payload)], "header")
    if len(payload) < INNER_AT:
        require_length(NAME, frame, SHORTEST + OVERHEAD)
    inner = little(payload, LENGTH_AT)
    if not SHORTEST <= inner <= LONGEST:
        raise _wrong(frame, LENGTH_AT, f"length field {inner}: expected {SHORTEST} to {LONGEST}")
    require_length(NAME, frame, inner + OVERHEAD)
    kind = payload[INNER_AT]
    if kind not in (ENGINEERING, BASIC):
        raise _wrong(frame, INNER_AT, f"data type {kind}: expected 1 or 2")
    if kind == BASIC and inner != SHORTEST:
        raise _wrong(frame, LENGTH_AT, f"length field {inner}: expected {SHORTEST} in a basic report")
    require_bytes(NAME, frame, MARK_AT, MARK, "mark")
    if payload[STATE_AT] > MOVING | STILL:
        raise _wrong(frame, STATE_AT, f"target state {payload[STATE_AT]}: expected 0 to 3")
    end = INNER_AT + inner
    for offset, expected in enumerate(END_MARK, end - len(END_MARK)):
        require_bytes(NAME, frame, offset, bytes([expected]), "end mark")
    require_bytes(NAME, frame, end, TAIL, "tail")
    return inner


def _gates(frame: Frame, inner: int) -> Health:
    payload = frame.payload
    end = INNER_AT + inner - len(END_MARK)
    moving_gates, still_gates = payload[GATES_AT] + 1, payload[GATES_AT + 1] + 1
    moving_at = GATES_AT + 2
    still_at = moving_at + moving_gates
    rest_at = still_at + still_gates
    if rest_at > end:
        raise _wrong(frame, GATES_AT, f"{moving_gates} and {still_gates} gates do not fit into {inner} bytes")
    diagnostics: dict[str, int | float | bool | str] = {
        **{f"moving_gate_{gate}": energy for gate, energy in enumerate(payload[moving_at:still_at])},
        **{f"still_gate_{gate}": energy for gate, energy in enumerate(payload[still_at:rest_at])},
    }
    if rest_at < end:
        diagnostics["retained"] = payload[rest_at:end].hex()
    return Health(diagnostics=diagnostics)


def _wrong(frame: Frame, offset: int, reason: str) -> DecodeError:
    return DecodeError(NAME, reason, port=frame.port, offset=offset)


def _length(seen: bytes) -> int | None:
    """Like `command_length`: an impossible length field ends the frame behind itself, to be refused at once."""
    if seen.startswith(COMMAND_HEADER):
        return command_length(seen)
    if len(seen) < INNER_AT:
        return None
    inner = little(seen, LENGTH_AT)
    return inner + OVERHEAD if SHORTEST <= inner <= LONGEST else INNER_AT


MODEL = Model(
    name=NAME,
    maker="Hi-Link",
    product="HLK-LD2410 (B/C)",
    kind=Kind.PRESENCE,
    detects="somebody (or a car) within 6 m by 24 GHz radar, moving or still",
    links=frozenset({LinkKind.SERIAL}),
    reporting_period_s=1,
    mounting=(
        "Facing the space, bench or waiting area, nothing moving behind it. It holds its state for some seconds after "
        "the target left (set by the maker's tool): allow for it. Use engineering mode to see the energy of each gate "
        "of 0.75 m. Switch its Bluetooth off: its password is public. A USB adapter must do 256000 baud."
    ),
    source="Hi-Link, HLK-LD2410C serial communication protocol V1.00 (ncmreynolds/ld2410)",
    decode=decode,
    framing=Framing(header=(HEADER, COMMAND_HEADER), length=_length, problem=problem_of(decode)),
    baud=256_000,
)
