"""Any distance sensor with Modbus RTU: a register map in the options says what its registers mean.

In comes one whole RTU answer to a read of holding or input registers (address, function, byte count, data, CRC: what
`edge.drivers.formats.modbus_rtu.answer` builds where the link got registers only); out come a distance and health.
Presence is concluded behind it, never here. Source: Modbus Application Protocol V1.1b3; DFRobot and Seeed manuals.
"""

import math
import struct
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.drivers.formats import distance
from edge.drivers.formats.fields import celsius, celsius_note, notes, signed
from edge.drivers.formats.modbus_rtu import read_answer
from edge.drivers.model import Kind, LinkKind, Model, Signal
from edge.readings import AnyReading, DecodeError, Frame, Health, Knowledge, Range

NAME = "modbus-register"
MM = {"mm": 1, "cm": 10, "m": 1000}
FORMATS = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "float32": ">f"}
Place = Annotated[int, Meta(ge=0, le=124)]
"""A register's place in the answer, from 0."""


class RegisterMap(msgspec.Struct, frozen=True):
    """What was asked, and what the answer's registers mean."""

    unit: Annotated[int, Meta(ge=1, le=247)] | None = None
    function: Literal[3, 4] | None = None
    register: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0
    count: Annotated[int, Meta(ge=1, le=125)] | None = None
    poll_s: Annotated[float, Meta(ge=0.05, le=3600)] | None = None
    distance_at: Place = 0
    type: Literal["uint16", "int16", "uint32", "int32", "float32"] = "uint16"
    word_order: Literal["high", "low"] = "high"
    distance_unit: Literal["mm", "cm", "m"] = "mm"
    factor: Annotated[float, Meta(gt=0)] = 1.0
    minimum_mm: Annotated[int, Meta(ge=0)] = 0
    maximum_mm: Annotated[int, Meta(ge=0)] = 100_000
    no_echo: int = 0
    temperature_at: Place | None = None


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Distance and health of one answer; a refusal by the unit is an error. Raises `DecodeError`."""
    try:
        registers = msgspec.convert(knowledge.options, RegisterMap)
    except msgspec.ValidationError as error:
        raise DecodeError(NAME, f"options: {error}", port=frame.port) from error
    data = read_answer(NAME, frame, registers.unit, registers.function, registers.count)
    raw = _value(frame, data, registers)
    mm = raw * registers.factor * MM[registers.distance_unit]
    doubt = _doubt(raw, mm, registers)
    temperature = _temperature(frame, data, registers)
    health = Health(
        temperature_c=None if temperature is None else celsius(temperature),
        note=notes(doubt, None if temperature is None else celsius_note(temperature)),
    )
    readings: list[AnyReading] = [] if doubt else [Range(mm=round(mm))]
    return readings if health == Health() else [*readings, health]


def _value(frame: Frame, data: bytes, registers: RegisterMap) -> float:
    layout = FORMATS[registers.type]
    words = _registers(frame, data, registers.distance_at, struct.calcsize(layout) // 2)
    if registers.word_order == "low":
        words = words[2:] + words[:2]
    value: int | float = struct.unpack(layout, words)[0]
    return value


def _doubt(raw: float, mm: float, registers: RegisterMap) -> str | None:
    if raw == registers.no_echo:
        return f"no distance: no echo (value {raw:g})"
    if not math.isfinite(mm) or not registers.minimum_mm <= mm <= registers.maximum_mm:
        return f"no distance: {mm:g} mm, expected {registers.minimum_mm} to {registers.maximum_mm}"
    return None


def _temperature(frame: Frame, data: bytes, registers: RegisterMap) -> float | None:
    if registers.temperature_at is None:
        return None
    return signed(_registers(frame, data, registers.temperature_at, 1), 0) / 10


def _registers(frame: Frame, data: bytes, place: int, count: int) -> bytes:
    words = data[2 * place : 2 * (place + count)]
    if len(words) < 2 * count:
        reason = f"the answer has {len(data) // 2} registers: the map reads {count} from place {place}"
        raise DecodeError(NAME, reason, port=frame.port, offset=2)
    return words


MODEL = Model(
    name=NAME,
    maker="any (Modbus RTU)",
    product="distance sensor by register map",
    kind=Kind.DISTANCE,
    detects="the distance to what is below or before it, by ultrasound or laser",
    links=frozenset({LinkKind.MODBUS}),
    channels=distance.CHANNELS,
    reporting_period_s=60,
    options={
        "unit": "address of the unit, 1 to 247; an answer from another is refused.",
        "function": "`3` holding or `4` input registers; an answer to the other is refused.",
        "register": "number on the wire of the first register to read (0 by default): manuals may count from 1 or "
        "write 4xxxx.",
        "count": "how many registers to read, as many as the map needs when not given; an answer of another length is "
        "refused.",
        "poll_s": "seconds between two polls; the link's own when not given.",
        "distance_at": "place of the distance among the registers read, from 0 (default).",
        "type": "`uint16` (default), `int16`, `uint32`, `int32` or `float32`.",
        "word_order": "of two registers: `high` word first (default) or `low` word first.",
        "distance_unit": "`mm` (default), `cm` or `m`.",
        "factor": "what to multiply the value with, 1 by default.",
        "minimum_mm": "least distance that the sensor can measure, 0 by default.",
        "maximum_mm": "greatest distance that it can measure, 100000 by default.",
        "no_echo": "value that means that nothing was seen, 0 by default.",
        "temperature_at": "place of a temperature (int16, 0.1 °C) among the registers read; none by default.",
        **distance.OPTIONS,
    },
    mounting=(
        "On an RS-485 pair, at most 32 units, each with its own address: set it with one unit connected, never by "
        "broadcast. Seeed ultrasonic (9600 baud, unit 1): register 256, count 3, temperature_at 2. DFRobot SEN0310 "
        "(19200 baud, unit 11): register 5, count 2, distance_unit cm, temperature_at 1. DFRobot SEN0492 (unit 80): "
        "register 52, count 1. Mind the blind zone near the sensor."
    ),
    source="Modbus Application Protocol V1.1b3, Modbus over Serial Line V1.02; DFRobot SEN0310, SEN0492; Seeed manuals",
    decode=decode,
    signal=Signal.RANGES,
)
