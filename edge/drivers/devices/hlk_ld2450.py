"""Hi-Link HLK-LD2450: a radar on a serial port that tells place and speed of up to three moving people.

In comes one report (30 bytes, ten a second) or one answer to a command, out come `Track`s or `Health`. There is no
checksum: header, tail and plausibility are all that tells a frame from noise. Passages are counted behind it.
Little-endian; signs are inverted (bit 15 set is positive). Source: Hi-Link, HLK-LD2450 serial protocol V1.03.
"""

from edge.drivers.formats.fields import require_length
from edge.drivers.formats.hilink import COMMAND_HEADER, COMMON_WORDS, command_length, decode_command
from edge.drivers.formats.serial_frames import little, problem_of, require_bytes
from edge.drivers.model import Channel, Framing, Kind, LinkKind, Model, Signal
from edge.readings import AnyReading, DecodeError, Frame, Knowledge, Track

NAME = "hlk-ld2450"
HEADER = bytes.fromhex("aaff0300")
TAIL = bytes.fromhex("55cc")
LENGTH = 30
TAIL_AT = 28
TARGET_OFFSETS = (4, 12, 20)
TARGET_LENGTH = 8
WORDS = COMMON_WORDS | {
    0x0080: "single target tracking",
    0x0090: "multi target tracking",
    0x0091: "read tracking mode",
    0x00C1: "read region filter",
    0x00C2: "set region filter",
}

FARTHEST_MM = 8_000
FASTEST_CM_S = 1_000
RESOLUTIONS_MM = frozenset({0, *range(300, 401)})
"""None told, or about the 320 to 360 mm of the range gates on record."""


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """One `Track` per filled slot, none when nobody moves; `Health` of a command frame. Raises `DecodeError`."""
    payload = frame.payload
    if payload.startswith(COMMAND_HEADER):
        return decode_command(NAME, frame, WORDS)
    require_length(NAME, frame, LENGTH)
    require_bytes(NAME, frame, 0, HEADER, "header")
    require_bytes(NAME, frame, TAIL_AT, TAIL, "tail")
    return [
        _track(frame, slot, offset)
        for slot, offset in enumerate(TARGET_OFFSETS)
        if any(payload[offset : offset + TARGET_LENGTH])
    ]


def _track(frame: Frame, slot: int, offset: int) -> Track:
    x_mm, y_mm, speed_cm_s = (_sign_magnitude(frame.payload, offset + field) for field in (0, 2, 4))
    resolution_mm = little(frame.payload, offset + 6)
    doubts = {
        0: None if abs(x_mm) <= FARTHEST_MM else f"x {x_mm} mm",
        2: None if 0 <= y_mm <= FARTHEST_MM else f"y {y_mm} mm",
        4: None if abs(speed_cm_s) <= FASTEST_CM_S else f"speed {speed_cm_s} cm/s",
        6: None if resolution_mm in RESOLUTIONS_MM else f"resolution {resolution_mm} mm",
    }
    for field, doubt in doubts.items():
        if doubt is not None:
            raise DecodeError(NAME, f"implausible {doubt}", port=frame.port, offset=offset + field)
    return Track(slot=slot, x_mm=x_mm, y_mm=y_mm, speed_mm_s=speed_cm_s * 10)


def _sign_magnitude(payload: bytes, offset: int) -> int:
    raw = little(payload, offset)
    return raw - 0x8000 if raw & 0x8000 else -raw


def _length(seen: bytes) -> int | None:
    return command_length(seen) if seen.startswith(COMMAND_HEADER) else LENGTH


MODEL = Model(
    name=NAME,
    maker="Hi-Link",
    product="HLK-LD2450",
    kind=Kind.COUNTER,
    detects="up to three moving people by 24 GHz radar; passages over a line drawn in software, in two directions",
    links=frozenset({LinkKind.SERIAL}),
    channels=(
        Channel(
            name="line1",
            mode="pedestrian",
            first="from the counting line's left to its right",
            second="from its right to its left",
        ),
    ),
    reporting_period_s=1,
    mounting=(
        "Beside a corridor, passage or narrow path, 1.5 to 2 m high, looking across it: 6 m far, 60° to each side. "
        "Draw the counting line (`line_mm`) where people walk through, not where they stop. Needs 5 V and 200 mA, and "
        "a USB adapter that can do 256000 baud. Switch its Bluetooth off. Two people side by side may be one."
    ),
    source="Hi-Link, HLK-LD2450 serial communication protocol V1.03 and data sheet (csRon/HLK-LD2450)",
    decode=decode,
    framing=Framing(header=(HEADER, COMMAND_HEADER), length=_length, problem=problem_of(decode)),
    baud=256_000,
    signal=Signal.TRACKS,
)
