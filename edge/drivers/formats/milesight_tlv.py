"""Milesight's record chain: channel id (1), type (1), data of a width that id and type decide, little-endian.

In comes a frame and a table of a family's records, out come all readings, or one `DecodeError` at the first record that
is unknown or cut: behind it nothing has a known place. What records say together (two halves of a total, several
findings of health) is put together here; it must never guess a width. The fPort is 85 unless a customer chose another,
so none is refused.
Source: Milesight-IoT/SensorDecoders, vs-series.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial, reduce

import msgspec
from msgspec.structs import replace

from edge.drivers.formats.fields import celsius, celsius_note, clock_note, notes, percent, percent_note
from edge.readings import AnyReading, DecodeError, Delta, Frame, Health, Knowledge, Presence, ResetCause, Total

LINE = "line1"
PEDESTRIAN = "pedestrian"

HISTORY = 0x20CE
HISTORY_TIME_BYTES = 4
HISTORY_KIND_OFFSET = 6
"""Where a history record's kind stands, counted from the record's first byte."""
LESS_TELLING_RESETS: Mapping[str, int] = {ResetCause.OTHER: 1, ResetCause.REJOIN: 2}
"""Where a frame names several causes, these give way."""
LORAWAN_CLASSES = {0: "A", 1: "B", 2: "C", 3: "C to B"}

Value = int | float | bool | str


class Half(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of a total that comes in two records."""

    channel: str
    mode: str
    second: bool
    count: int
    bits: int
    at: datetime | None = None


class Alarm(msgspec.Struct, frozen=True):
    """Something that the device calls wrong (1) or over (0)."""

    what: str
    state: int


class Stamp(msgspec.Struct, frozen=True):
    """The device's own time of everything in the frame that has none."""

    at: datetime


Part = AnyReading | Half | Alarm | Stamp
Read = Callable[[bytes], Sequence[Part]]


def nothing(_data: bytes) -> Sequence[Part]:
    """Read a record that carries no reading."""
    return ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a record table."""

    width: int
    """Bytes of data behind id and type (behind the kind in a history record)."""
    read: Read = nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The records that a model sends."""

    records: Mapping[int, Entry]
    """By id and type as one big-endian number."""
    history: Mapping[int, Entry] = field(default_factory=dict)
    """By the kind byte of a history record; empty where the model keeps no history."""
    unknown_kind_offset: int = HISTORY_KIND_OFFSET
    """Which byte of a history record is blamed for an unknown kind."""


def decode(model: str, frame: Frame, family: Family, knowledge: Knowledge) -> list[AnyReading]:
    """All readings of a frame, health last. Raises `DecodeError`."""
    if not frame.payload:
        raise DecodeError(model, "empty payload", port=frame.port, offset=0)
    return assemble([_believed(part, knowledge) for part in _parts(model, frame, family)])


def _parts(model: str, frame: Frame, family: Family) -> Iterator[Part]:
    payload, offset = frame.payload, 0
    while offset < len(payload):
        entry = _entry(model, frame, family, offset)
        end = offset + 2 + entry.width
        if end > len(payload):
            raise _cut(model, frame, offset, entry.width)
        yield from entry.read(payload[offset + 2 : end])
        offset = end


def _entry(model: str, frame: Frame, family: Family, offset: int) -> Entry:
    name = frame.payload[offset : offset + 2]
    if len(name) < 2:
        reason = f"stray byte 0x{name.hex()}: expected an id and a type"
        raise DecodeError(model, reason, port=frame.port, offset=offset)
    key = int.from_bytes(name, "big")
    if key == HISTORY and family.history:
        return _history_entry(model, frame, family, offset)
    entry = family.records.get(key)
    if entry is None:
        reason = f"unknown record {name.hex()} at byte {offset}"
        raise DecodeError(model, reason, port=frame.port, offset=offset)
    return entry


def _history_entry(model: str, frame: Frame, family: Family, offset: int) -> Entry:
    at_kind = offset + HISTORY_KIND_OFFSET
    if at_kind >= len(frame.payload):
        raise _cut(model, frame, offset, HISTORY_TIME_BYTES + 1)
    kind = frame.payload[at_kind]
    entry = family.history.get(kind)
    if entry is None:
        reason = f"unknown history kind 0x{kind:02x} at byte {at_kind}"
        raise DecodeError(model, reason, port=frame.port, offset=offset + family.unknown_kind_offset)
    return Entry(HISTORY_TIME_BYTES + 1 + entry.width, partial(_dated, entry.read))


def _cut(model: str, frame: Frame, offset: int, width: int) -> DecodeError:
    name = frame.payload[offset : offset + 2].hex()
    left = len(frame.payload) - offset - 2
    reason = f"record {name} too short: expected {width} bytes of data, got {left}"
    return DecodeError(model, reason, port=frame.port, offset=offset)


def _dated(read: Read, data: bytes) -> Sequence[Part]:
    at = unix_time(data)
    parts = read(data[HISTORY_TIME_BYTES + 1 :])
    return [part if isinstance(part, Alarm | Stamp) else replace(part, at=at) for part in parts]


def assemble(parts: Sequence[Part]) -> list[AnyReading]:
    """What the records of one frame say together: history before the present, in its own order, and health last."""
    stamp = next((part.at for part in parts if isinstance(part, Stamp)), None)
    alarms = {part.what: part.state for part in parts if isinstance(part, Alarm)}
    told = [_stamped(part, stamp) for part in parts if not isinstance(part, Alarm | Stamp)]
    readings = [*_joined(told), *([_alarmed(alarms, stamp)] if alarms else [])]
    healths = [reading for reading in readings if isinstance(reading, Health)]
    others = [reading for reading in readings if not isinstance(reading, Health)]
    return [*sorted(others, key=_age), *_merged(healths)]


def _believed(part: Part, knowledge: Knowledge) -> Part:
    """The part; the device's own time of the frame is left out, with a note, where its clock is wrong."""
    doubt = clock_note(part.at, knowledge) if isinstance(part, Stamp) else None
    return part if doubt is None else Health(note=doubt)


def _merged(healths: Sequence[Health]) -> list[Health]:
    """One health per moment."""
    times = dict.fromkeys(health.at for health in healths)
    return [reduce(_both, (health for health in healths if health.at == at)) for at in times]


def _stamped(part: AnyReading | Half, stamp: datetime | None) -> AnyReading | Half:
    return replace(part, at=stamp) if part.at is None else part


def _age(reading: AnyReading) -> datetime:
    return reading.at or datetime.max.replace(tzinfo=UTC)


def _joined(parts: Sequence[AnyReading | Half]) -> Iterator[AnyReading]:
    """The readings, with both halves of each total as one, where the first of them stood."""
    halves: dict[tuple[datetime | None, str, str], dict[bool, Half]] = {}
    for half in parts:
        if isinstance(half, Half):
            halves.setdefault((half.at, half.channel, half.mode), {})[half.second] = half
    for part in parts:
        if not isinstance(part, Half):
            yield part
            continue
        pair = halves.pop((part.at, part.channel, part.mode), None)
        if pair is not None:
            yield _total(pair)


def _total(pair: Mapping[bool, Half]) -> Total:
    """The total of both halves, or of the one that the frame holds."""
    half = next(iter(pair.values()))
    counts = {second: each.count for second, each in pair.items()}
    return Total(
        at=half.at,
        channel=half.channel,
        mode=half.mode,
        in_=counts.get(False),
        out=counts.get(True),
        bits=half.bits,
    )


def _alarmed(alarms: Mapping[str, int], at: datetime | None) -> Health:
    raised = [what for what, state in alarms.items() if state == 1]
    return Health(
        at=at,
        fault=notes(*raised),
        diagnostics={what.replace(" ", "_"): _state(state) for what, state in alarms.items()},
    )


def _state(state: int) -> Value:
    return bool(state) if state in (0, 1) else state


def _both(first: Health, second: Health) -> Health:
    """Two findings of the same moment as one: the lower battery, the later value, every fault and note."""
    levels = [level for level in (first.battery_pct, second.battery_pct) if level is not None]
    resets = [cause for cause in (first.reset, second.reset) if cause is not None]
    return Health(
        at=first.at,
        battery_pct=min(levels, default=None),
        temperature_c=first.temperature_c if second.temperature_c is None else second.temperature_c,
        fault=notes(first.fault, second.fault),
        reset=min(resets, key=lambda cause: LESS_TELLING_RESETS.get(cause, 0), default=None),
        firmware=second.firmware or first.firmware,
        note=notes(first.note, second.note),
        diagnostics={**(first.diagnostics or {}), **(second.diagnostics or {})} or None,
    )


def little(data: bytes, offset: int = 0, width: int = 2) -> int:
    """An unsigned little-endian integer of `width` bytes at `offset`."""
    return int.from_bytes(data[offset : offset + width], "little")


def unix_time(data: bytes) -> datetime:
    """The UTC time of a uint32 of seconds since 1970."""
    return datetime.fromtimestamp(little(data, 0, 4), UTC)


def stamp(data: bytes) -> Sequence[Part]:
    """Read the device's own time of the frame."""
    return (Stamp(unix_time(data)),)


def fact(name: str, value: Callable[[bytes], Value]) -> Read:
    """Read a record into one diagnostic figure."""
    return lambda data: (Health(diagnostics={name: value(data)}),)


def reset(cause: ResetCause) -> Read:
    """Read a record that says by its mere presence that the device restarted."""
    return lambda _data: (Health(reset=cause),)


def delta(channel: str = LINE, mode: str = PEDESTRIAN) -> Read:
    """Read counts in and out of the period, uint16 each."""
    return lambda data: (Delta(channel=channel, mode=mode, in_=little(data), out=little(data, 2)),)


def total(bits: int, channel: str = LINE, mode: str = PEDESTRIAN) -> Read:
    """Read totals in and out, uint16 each."""
    return lambda data: (Total(channel=channel, mode=mode, in_=little(data), out=little(data, 2), bits=bits),)


def half_total(channel: str, mode: str, *, second: bool) -> Read:
    """Read one direction of a total, uint32."""
    return lambda data: (Half(channel=channel, mode=mode, second=second, count=little(data, 0, 4), bits=32),)


def regions(first: int, channel: str = "region{}", figure: str = "region{}_people") -> Read:
    """Read the number of people (uint8 each) in consecutive regions, of which `first` is the first one's number."""

    def read(data: bytes) -> Sequence[Part]:
        people = dict(enumerate(data, first))
        present = [Presence(channel=channel.format(region), occupied=count > 0) for region, count in people.items()]
        return [*present, Health(diagnostics={figure.format(region): count for region, count in people.items()})]

    return read


def dwell(name: str, unit: str = "") -> Read:
    """Read a region's number (uint8), its mean and its longest dwell time (uint16 each)."""
    return lambda data: (
        Health(
            diagnostics={
                f"region{data[0]}_mean_{name}{unit}": little(data, 1),
                f"region{data[0]}_max_{name}{unit}": little(data, 3),
            }
        ),
    )


def battery(name: str | None = None) -> Read:
    """Read a battery's charge in percent; `name` where there are several."""

    def read(data: bytes) -> Sequence[Part]:
        level = percent(data[0])
        told: dict[str, Value] | None = {name: level} if name and level is not None else None
        return (Health(battery_pct=level, note=percent_note(data[0]), diagnostics=told),)

    return read


def temperature(data: bytes) -> Sequence[Part]:
    """Read a temperature, int16 in 0.1 °C."""
    value = int.from_bytes(data[:2], "little", signed=True) / 10
    return (Health(temperature_c=celsius(value), note=celsius_note(value)),)


def nibbles(data: bytes) -> str:
    """A version written as high nibble, dot, low nibble of one byte."""
    return f"{data[0] >> 4}.{data[0] & 0x0F}"


def dotted(data: bytes) -> str:
    """A version of decimal bytes."""
    return ".".join(str(part) for part in data)


def hex_firmware(data: bytes) -> Sequence[Part]:
    """Read a firmware version of two bytes written in hexadecimal."""
    return (Health(firmware=f"{data[0]:x}.{data[1]:x}"),)


def firmware(data: bytes) -> Sequence[Part]:
    """Read a firmware version of decimal bytes."""
    return (Health(firmware=dotted(data)),)


def named(names: Mapping[int, str]) -> Callable[[bytes], Value]:
    """The name of an enumeration value, or its number where the sheet has none."""
    return lambda data: names.get(data[-1], data[-1])


def answers(plain: Mapping[int, int], extended: Mapping[int, int]) -> dict[int, Entry]:
    """Answers to downlinks, which carry no reading, by type and width: `plain` behind fe and ff, `extended` behind f9
    and, with one result byte more, behind f8."""
    entries = {start << 8 | kind: Entry(width) for start in (0xFE, 0xFF) for kind, width in plain.items()}
    entries |= {0xF900 | kind: Entry(width) for kind, width in extended.items()}
    return entries | {0xF800 | kind: Entry(width + 1) for kind, width in extended.items()}


SELF_DESCRIPTION: Mapping[int, Entry] = {
    0xFF0A: Entry(2, hex_firmware),
    0xFFFF: Entry(2, fact("tsl_version", dotted)),
    0xFF0F: Entry(1, fact("lorawan_class", named(LORAWAN_CLASSES))),
    0xFFFE: Entry(1, reset(ResetCause.OTHER)),
    0xFF0B: Entry(1, reset(ResetCause.POWER_ON)),
}
"""What every model of the maker may say of itself after a start."""
