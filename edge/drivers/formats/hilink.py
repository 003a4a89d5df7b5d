"""Command frames of Hi-Link's radars (LD2450, LD2410): `fd fc fb fa`, length, word, value, `04 03 02 01`.

In comes a command or the module's answer to one, out comes `Health`: firmware and settings that it tells, a refusal as
a fault. Multi-byte fields are little-endian. Source: Hi-Link serial protocols, LD2450 V1.03, LD2410 V1.00.
"""

from collections.abc import Mapping

from edge.drivers.formats.fields import require_length
from edge.drivers.formats.serial_frames import little, little_signed, require_bytes
from edge.readings import AnyReading, DecodeError, Frame, Health

COMMAND_HEADER = bytes.fromhex("fdfcfbfa")
COMMAND_TAIL = bytes.fromhex("04030201")
LENGTH_AT, WORD_AT, STATUS_AT, DATA_AT = 4, 6, 8, 10
SHORTEST, LONGEST = 2, 64
"""Limits of the length field: a bare word; the longest answer on the sheets has 32 bytes."""
OVERHEAD = 10
"""Header, length field and tail."""
ANSWER = 0x0100
"""Added to a command's word in its answer."""

COMMON_WORDS = {
    0x00FF: "enable configuration",
    0x00FE: "end configuration",
    0x00A0: "read firmware version",
    0x00A1: "set baud rate",
    0x00A2: "restore factory settings",
    0x00A3: "restart",
    0x00A4: "switch Bluetooth",
    0x00A5: "read MAC address",
}
FIRMWARE, READ_MODE, READ_REGIONS = 0x00A0, 0x0091, 0x00C1
MODES = {1: "single", 2: "multi"}
REGION_KINDS = {0: "off", 1: "only inside", 2: "only outside"}


def command_length(seen: bytes) -> int | None:
    """Length in bytes of the command frame that starts with `seen`; None until its length field is there.

    A length field that no command has ends the frame behind itself, so that the check refuses it at once.
    """
    if len(seen) < WORD_AT:
        return None
    inner = little(seen, LENGTH_AT)
    return inner + OVERHEAD if SHORTEST <= inner <= LONGEST else WORD_AT


def decode_command(model: str, frame: Frame, words: Mapping[int, str]) -> list[AnyReading]:
    """What a command or an answer that begins with `COMMAND_HEADER` says, as one `Health`. Raises `DecodeError`."""
    payload = frame.payload
    _check_length(model, frame)
    require_bytes(model, frame, len(payload) - len(COMMAND_TAIL), COMMAND_TAIL, "tail")
    word = little(payload, WORD_AT)
    command = word & ~ANSWER
    name = words.get(command, f"command 0x{command:04x}")
    if not word & ANSWER:
        return [Health(note=f"command: {name}")]
    if len(payload) < DATA_AT + len(COMMAND_TAIL):
        raise DecodeError(model, "answer without its 2 bytes of status", port=frame.port, offset=STATUS_AT)
    return [_answer(payload, command, name)]


def _check_length(model: str, frame: Frame) -> None:
    if len(frame.payload) < WORD_AT:
        require_length(model, frame, SHORTEST + OVERHEAD)
    inner = little(frame.payload, LENGTH_AT)
    if not SHORTEST <= inner <= LONGEST:
        reason = f"length field {inner}: expected {SHORTEST} to {LONGEST}"
        raise DecodeError(model, reason, port=frame.port, offset=LENGTH_AT)
    require_length(model, frame, inner + OVERHEAD)


def _answer(payload: bytes, command: int, name: str) -> Health:
    data = payload[DATA_AT : -len(COMMAND_TAIL)]
    status = little(payload, STATUS_AT)
    if status:
        return Health(fault=f"{name}: refused, status {status}")
    if command == FIRMWARE and len(data) >= 8:
        return Health(firmware=_firmware(data), diagnostics={"firmware_type": little(data, 0)})
    return Health(note=f"{name}: done", diagnostics=_settings(command, data) or None)


def _firmware(data: bytes) -> str:
    major = little(data, 2)
    return f"{major >> 8}.{major & 0xFF:02x}.{little(data, 4, 4):08x}"


def _settings(command: int, data: bytes) -> dict[str, int | float | bool | str]:
    if command == READ_MODE and len(data) >= 2:
        return {"tracking": MODES.get(little(data, 0), str(little(data, 0)))}
    if command == READ_REGIONS and len(data) >= 26:
        return _regions(data)
    return {"data": data.hex()} if data else {}


def _regions(data: bytes) -> dict[str, int | float | bool | str]:
    kind = little_signed(data, 0)
    regions: dict[str, int | float | bool | str] = {"region_filter": REGION_KINDS.get(kind, str(kind))}
    for number in range(3):
        corners = [little_signed(data, 2 + 8 * number + 2 * corner) for corner in range(4)]
        if any(corners):
            regions[f"region_{number + 1}_mm"] = ",".join(str(corner) for corner in corners)
    return regions
