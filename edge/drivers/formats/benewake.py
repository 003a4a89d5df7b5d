"""Frames of Benewake's serial lidars (TFmini Plus, TFmini-S, TF-Luna): `59 59`, and `5a` for commands and answers.

In comes one frame and what the model means by its special values, out come a distance only where there is one, chip
temperature and why there is no distance. Little-endian; the last byte is the low byte of the sum of all before it.
Source: Benewake product manuals TFmini Plus A05, TFmini-S A00, TF-Luna A05.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from edge.drivers.formats import distance
from edge.drivers.formats.fields import celsius, celsius_note, notes, require_length
from edge.drivers.formats.serial_frames import little, problem_of
from edge.drivers.model import Decode, Framing
from edge.readings import AnyReading, DecodeError, Frame, Health, Knowledge, Range

DATA_HEADER, COMMAND_HEADER = b"\x59\x59", b"\x5a"
DATA_LENGTH = 9
SHORTEST_COMMAND, LONGEST_COMMAND = 4, 16
BAUD = 115_200
WEAKEST, OVEREXPOSED = 100, 0xFFFF
"""Signal strengths below the one, or at the other, come with a distance that is none."""

RESTART, FACTORY, SAVE, FIRMWARE, FORMAT = 0x02, 0x10, 0x11, 0x01, 0x05
NAMES = {
    FIRMWARE: "get firmware version",
    RESTART: "restart",
    0x03: "set frame rate",
    0x04: "trigger a measurement",
    FORMAT: "output format",
    0x06: "set baud rate",
    0x07: "output on or off",
    FACTORY: "factory settings",
    SAVE: "save settings",
    0x22: "set strength threshold",
}
FORMATS = {0x01: "9-byte cm", 0x02: "text", 0x06: "9-byte mm"}
WITH_STATUS = frozenset({RESTART, FACTORY, SAVE})
PRINTED_WRONG = frozenset({bytes.fromhex("5a0510006e"), bytes.fromhex("5a0511006f")})
"""Answers of the TFmini-S whose checksums do not follow its own rule."""

OPTIONS = {
    "unit": "unit of the distance as the sensor is configured: `cm` (default) or `mm`. The frames look the same.",
    **distance.OPTIONS,
}


class Options(msgspec.Struct, frozen=True):
    """What the technician sets."""

    unit: Literal["cm", "mm"] = "cm"


@dataclass(frozen=True, slots=True)
class Benewake:
    """What tells the models apart."""

    name: str
    nearest_mm: int
    farthest_mm: int
    no_distance: Callable[[int, int], str | None]
    """Why (raw distance, strength) tell no distance, or None when they do."""

    def decode(self, frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
        """Distance and health of one frame. Raises `DecodeError`."""
        if frame.payload.startswith(COMMAND_HEADER):
            return [self._command(frame)]
        self._check_data(frame)
        return self._measurement(frame.payload, 10 if self._options(frame, knowledge).unit == "cm" else 1)

    def _measurement(self, payload: bytes, mm_per_unit: int) -> list[AnyReading]:
        raw, strength = little(payload, 2), little(payload, 4)
        temperature = little(payload, 6) / 8 - 256
        mm = raw * mm_per_unit
        doubt = self.no_distance(raw, strength)
        if doubt is None and not self.nearest_mm <= mm <= self.farthest_mm:
            doubt = f"implausible distance {mm} mm: expected {self.nearest_mm} to {self.farthest_mm}"
        health = Health(
            temperature_c=celsius(temperature),
            note=notes(None if doubt is None else f"no distance: {doubt}", celsius_note(temperature)),
        )
        return [health] if doubt is not None else [Range(mm=mm, strength=strength), health]

    def _options(self, frame: Frame, knowledge: Knowledge) -> Options:
        try:
            return msgspec.convert(knowledge.options, Options)
        except msgspec.ValidationError as error:
            raise DecodeError(self.name, f"options: {error}", port=frame.port) from error

    def _check_data(self, frame: Frame) -> None:
        payload = frame.payload
        require_length(self.name, frame, DATA_LENGTH)
        for offset, expected in enumerate(DATA_HEADER):
            if payload[offset] != expected:
                raise self._wrong(frame, offset, f"header: expected 0x59, got 0x{payload[offset]:02x}")
        self._check_sum(frame)

    def _check_sum(self, frame: Frame) -> None:
        expected = sum(frame.payload[:-1]) & 0xFF
        found = frame.payload[-1]
        if found != expected and frame.payload not in PRINTED_WRONG:
            reason = f"checksum: expected 0x{expected:02x}, got 0x{found:02x}"
            raise self._wrong(frame, len(frame.payload) - 1, reason)

    def _command(self, frame: Frame) -> Health:
        payload = frame.payload
        if len(payload) < 2:
            require_length(self.name, frame, SHORTEST_COMMAND)
        if not SHORTEST_COMMAND <= payload[1] <= LONGEST_COMMAND:
            reason = f"command length {payload[1]}: expected {SHORTEST_COMMAND} to {LONGEST_COMMAND}"
            raise self._wrong(frame, 1, reason)
        require_length(self.name, frame, payload[1])
        self._check_sum(frame)
        return _told(payload[2], payload[3:-1])

    def _wrong(self, frame: Frame, offset: int, reason: str) -> DecodeError:
        return DecodeError(self.name, reason, port=frame.port, offset=offset)


def _told(command: int, value: bytes) -> Health:
    """What a command, or the answer to one, says."""
    name = NAMES.get(command, f"command 0x{command:02x}")
    if command == FIRMWARE and len(value) == 3:
        return Health(firmware=".".join(str(part) for part in reversed(value)))
    if command in WITH_STATUS and len(value) == 1:
        return Health(fault=f"{name}: refused, status {value[0]}") if value[0] else Health(note=f"{name}: done")
    if command == FORMAT and len(value) == 1:
        return Health(note=f"command: output {FORMATS.get(value[0], f'format {value[0]}')}")
    return Health(note=f"command: {name}", diagnostics={"value": value.hex()} if value else None)


def framing(decode: Decode) -> Framing:
    """How a port's bytes are cut into frames of the model that `decode` reads."""
    return Framing(header=(DATA_HEADER, COMMAND_HEADER), length=_length, problem=problem_of(decode))


def _length(seen: bytes) -> int | None:
    """`Framing.length`: an impossible length byte ends the frame behind itself, to be refused at once."""
    if not seen.startswith(COMMAND_HEADER):
        return DATA_LENGTH
    if len(seen) < 2:
        return None
    return seen[1] if SHORTEST_COMMAND <= seen[1] <= LONGEST_COMMAND else 2


def weak_or_overexposed(strength: int) -> str | None:
    """Why a strength tells that there is no distance; the same for all models."""
    if strength == OVEREXPOSED:
        return "overexposed"
    return "weak signal" if strength < WEAKEST else None
