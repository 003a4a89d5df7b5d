"""PNI PlacePod: a magnetic puck that reports one parking space, or counts vehicles at an entrance, over LoRaWAN.

In comes a chain of records (channel, type, value) in the style of Cayenne LPP, on any fPort; out come presence, a total
of 7 bits and health. The type gives a record's width: an unknown type ends what can be read. Big-endian.
Source: sjkp/PNI.PlacePod decoder and its tests; PNI decoders of akenza and Tago.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from edge.drivers.formats.fields import celsius, celsius_note, notes, unsigned, volts, volts_note
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Frame, Health, Knowledge, Presence, ResetCause, Total

NAME = "pni-placepod"
SPACE, LINE, MODE, COUNT_BITS = "1", "line1", "vehicle", 7
RESTARTED = 0x80

DIGITAL_IN, DIGITAL_OUT, ANALOGUE_IN, ANALOGUE_OUT, PRESENCE, TEMPERATURE = 0x00, 0x01, 0x02, 0x03, 0x66, 0x67
WIDTHS = {DIGITAL_IN: 1, DIGITAL_OUT: 1, ANALOGUE_IN: 2, ANALOGUE_OUT: 2, PRESENCE: 1, TEMPERATURE: 2}

COLDEST_TENTHS, HOTTEST_TENTHS = -1000, 1250
"""What a temperature field may say in either of the two signed forms that are met, in 0.1 °C."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the chain."""

    channel: int
    type: int
    value: int
    offset: int
    """Of its channel byte."""


@dataclass(slots=True)
class Findings:
    """What the records read so far amount to; a later state of the space replaces an earlier one."""

    presence: Presence | None = None
    total: Total | None = None
    battery_v: float | None = None
    temperature_c: float | None = None
    reset: ResetCause | None = None
    faults: list[str] = field(default_factory=list)
    notes: list[str | None] = field(default_factory=list)

    def readings(self) -> list[AnyReading]:
        """All that was found; health only where a record told some."""
        health = Health(
            battery_v=self.battery_v,
            temperature_c=self.temperature_c,
            fault="; ".join(self.faults) or None,
            reset=self.reset,
            note=notes(*self.notes),
        )
        found: list[AnyReading | None] = [self.presence, self.total, health if health != Health() else None]
        return [reading for reading in found if reading is not None]


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Presence, total and health of one uplink; nothing for an empty one. Raises `DecodeError`."""
    found = Findings()
    for record in _records(frame):
        take = MEANINGS.get((record.channel, record.type))
        if take is not None:
            take(found, record, frame)
        elif record.channel in TYPES_BY_CHANNEL:
            reason = f"channel 0x{record.channel:02x} with type 0x{record.type:02x}: the sheet has another type"
            raise DecodeError(NAME, reason, port=frame.port, offset=record.offset)
        else:
            found.notes.append(f"unknown channel 0x{record.channel:02x} at byte {record.offset} stepped over")
    return found.readings()


def _records(frame: Frame) -> Iterator[Record]:
    payload = frame.payload
    offset = 0
    while offset < len(payload):
        if offset + 1 == len(payload):
            raise DecodeError(NAME, "record without a type", port=frame.port, offset=offset)
        channel, type_ = payload[offset : offset + 2]
        width = WIDTHS.get(type_)
        if width is None:
            raise DecodeError(NAME, f"unknown type 0x{type_:02x}", port=frame.port, offset=offset + 1)
        end = offset + 2 + width
        if end > len(payload):
            reason = f"too short: type 0x{type_:02x} needs {width} bytes of value, got {len(payload) - offset - 2}"
            raise DecodeError(NAME, reason, port=frame.port, offset=offset)
        yield Record(channel, type_, unsigned(payload, offset + 2, width), offset)
        offset = end


def _take_presence(found: Findings, record: Record, frame: Frame) -> None:
    found.presence = Presence(channel=SPACE, occupied=bool(record.value & 1))


def _take_count(found: Findings, record: Record, frame: Frame) -> None:
    if record.value & RESTARTED:
        found.reset = ResetCause.OTHER
        found.notes.append("recalibrated or rebooted: counting starts anew")
    else:
        found.total = Total(channel=LINE, mode=MODE, in_=record.value, bits=COUNT_BITS)


def _take_battery(found: Findings, record: Record, frame: Frame) -> None:
    found.battery_v = volts(record.value / 100)
    found.notes.append(volts_note(record.value / 100))


def _take_temperature(found: Findings, record: Record, frame: Frame) -> None:
    tenths = _tenths(record.value)
    if not COLDEST_TENTHS <= tenths <= HOTTEST_TENTHS:
        reason = f"impossible temperature 0x{record.value:04x}"
        raise DecodeError(NAME, reason, port=frame.port, offset=record.offset + 2)
    found.temperature_c = celsius(tenths / 10)
    found.notes.append(celsius_note(tenths / 10))


def _tenths(raw: int) -> int:
    """Sign and magnitude where the magnitude is possible, two's complement otherwise: both kinds of firmware exist."""
    if not raw & 0x8000:
        return raw
    magnitude = raw & 0x7FFF
    return -magnitude if -magnitude >= COLDEST_TENTHS else raw - 0x10000


def _take_recalibration(found: Findings, record: Record, frame: Frame) -> None:
    if record.value:
        found.reset = ResetCause.REQUEST
        found.notes.append("recalibrated")
    else:
        found.faults.append("recalibration failed")


def _take_reboot(found: Findings, record: Record, frame: Frame) -> None:
    if record.value:
        found.reset = ResetCause.REQUEST
    else:
        found.notes.append("reboot not done")


def _take_deactivation(found: Findings, record: Record, frame: Frame) -> None:
    if record.value:
        found.faults.append("deactivated: the state of the space is unknown")
    else:
        found.notes.append("deactivation not done")


def _step_over(found: Findings, record: Record, frame: Frame) -> None:
    """The maker's own data."""


MEANINGS: dict[tuple[int, int], Callable[[Findings, Record, Frame], None]] = {
    (0x01, DIGITAL_OUT): _take_recalibration,
    (0x02, TEMPERATURE): _take_temperature,
    (0x03, ANALOGUE_IN): _take_battery,
    (0x05, DIGITAL_IN): _step_over,
    (0x06, DIGITAL_IN): _step_over,
    (0x15, PRESENCE): _take_presence,
    (0x1C, DIGITAL_OUT): _take_deactivation,
    (0x21, DIGITAL_IN): _take_count,
    (0x37, PRESENCE): _take_presence,
    (0x37, DIGITAL_IN): _take_count,
    (0x3F, DIGITAL_OUT): _take_reboot,
}
TYPES_BY_CHANNEL = frozenset(channel for channel, _ in MEANINGS)


MODEL = Model(
    name=NAME,
    maker="PNI",
    product="PlacePod",
    kind=Kind.PARKING,
    detects="a car on one space by magnetometer; as PlacePod VC, vehicles passing an entrance",
    links=frozenset({LinkKind.LORAWAN}),
    channels=(Channel(name=LINE, mode=MODE, first="passing", second=None, bits=COUNT_BITS),),
    reporting_period_s=86_400,
    mounting=(
        "In or on the middle of the space; recalibrate it with no car near. As a vehicle counter in the middle of a "
        "lane that all must use: its total has 7 bits, so more than 127 vehicles between two uplinks go unseen."
    ),
    source="PNI PlacePod decoders: sjkp/PNI.PlacePod, akenza-io/device-type-library, tago-io/decoders",
    decode=decode,
)
