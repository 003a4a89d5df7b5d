"""Milesight VS121: a ceiling camera that sends numbers only: people in view, in 16 regions, and crossing a line.

In comes a chain of records (any fPort, 85 by default), out come totals, deltas, flows between the four sides, presence
per region and health. The number of people in view is a figure, never a flow.
Source: Milesight-IoT/SensorDecoders, vs-series/vs121.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from edge.drivers.formats import milesight_tlv as tlv
from edge.drivers.formats.milesight_tlv import Entry, Family, Part, little
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, Delta, Frame, Health, Knowledge, Presence, ResetCause

NAME = "milesight-vs121"
TOTAL_BITS = 16
SIDES = "abcd"
REGIONS = 16
PLAIN_ANSWERS = dict.fromkeys((0x04, 0x10, 0x40, 0x43, 0x44, 0x45, 0x48, 0x50, 0x51, 0x84), 1)
PLAIN_ANSWERS |= {0x03: 2, 0x46: 3, 0x35: 8}
EXTENDED_ANSWERS = dict.fromkeys((0x10, 0x11, 0x3D, 0x86, 0x87, 0x88, 0x8B, 0x8C, 0x93, 0x94, 0x98), 1)
EXTENDED_ANSWERS |= {0x85: 2, 0x97: 2, 0x92: 3, 0x96: 3, 0x8D: 4, 0x8E: 4, 0x91: 5, 0x90: 6, 0x95: 6, 0x99: 7}


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """All readings of one uplink. Raises `DecodeError`."""
    return list(_counted_once(tlv.decode(NAME, frame, FAMILY, knowledge)))


def _counted_once(readings: Sequence[AnyReading]) -> Iterator[AnyReading]:
    """The same crossings may be told by two records (`05 cc`, `10 f7`): the second is kept as figures."""
    told: set[datetime | None] = set()
    for reading in readings:
        if not isinstance(reading, Delta) or reading.channel != tlv.LINE:
            yield reading
        elif reading.at not in told:
            told.add(reading.at)
            yield reading
        else:
            yield Health(at=reading.at, diagnostics={"line_in": reading.in_, "line_out": reading.out or 0})


def _joined(data: bytes) -> Sequence[Part]:
    return (Health(reset=ResetCause.REJOIN, diagnostics={"protocol_version": data[0]}),)


def _view(data: bytes) -> Sequence[Part]:
    """People in view, number of regions, and a big-endian mask: bit k set means that region k+1 is occupied."""
    people, count, mask = data[0], min(data[1], REGIONS), int.from_bytes(data[2:4], "big")
    regions = [Presence(channel=f"region{k + 1}", occupied=bool(mask >> k & 1)) for k in range(count)]
    return [Presence(channel="view", occupied=people > 0), *regions, Health(diagnostics={"people": people})]


def _pair(origin: str, destination: str) -> str:
    return f"{origin}_to_{destination}"


def _flow(origin: str, destinations: str) -> tlv.Read:
    """Counts from one side to others, uint16 each."""

    def read(data: bytes) -> Sequence[Part]:
        return [
            Delta(channel=_pair(origin, destination), mode=tlv.PEDESTRIAN, in_=little(data, 2 * index))
            for index, destination in enumerate(destinations)
        ]

    return read


VIEW = Entry(4, _view)
CROSSING = Entry(4, tlv.delta())
CUMULATIVE = Entry(4, tlv.total(TOTAL_BITS))
MAXIMUM = Entry(1, tlv.fact("people_max", lambda data: data[0]))
DWELL = Entry(5, tlv.dwell("dwell", "_s"))

FAMILY = Family(
    records={
        **tlv.answers(PLAIN_ANSWERS, EXTENDED_ANSWERS),
        **tlv.SELF_DESCRIPTION,
        0xFF01: Entry(1, _joined),
        0xFF08: Entry(6, tlv.fact("serial", bytes.hex)),
        0xFF09: Entry(2, tlv.fact("hardware_version", tlv.dotted)),
        0xFF1F: Entry(4, tlv.firmware),
        0x04C9: VIEW,
        0x05CC: CROSSING,
        0x06CD: MAXIMUM,
        0x07D5: Entry(8, tlv.regions(1)),
        0x08D5: Entry(8, tlv.regions(9)),
        **{(0x09 + row) << 8 | 0xDA: Entry(8, _flow(origin, SIDES)) for row, origin in enumerate(SIDES)},
        0x0DCC: CUMULATIVE,
        0x0EE4: DWELL,
        0x0F85: Entry(4, tlv.stamp),
        0x10F7: CROSSING,
    },
    history={
        0x01: VIEW,
        0x02: CROSSING,
        0x03: MAXIMUM,
        **{0x04 + quarter: Entry(4, tlv.regions(1 + 4 * quarter)) for quarter in range(4)},
        **{
            0x08 + 2 * row + half: Entry(4, _flow(origin, SIDES[2 * half :][:2]))
            for row, origin in enumerate(SIDES)
            for half in range(2)
        },
        0x10: CUMULATIVE,
        0x11: DWELL,
        0x12: CROSSING,
    },
)

MODEL = Model(
    name=NAME,
    maker="Milesight",
    product="VS121",
    kind=Kind.COUNTER,
    detects="people by a camera that sends numbers only: crossing a line, in view, in regions",
    links=frozenset({LinkKind.LORAWAN}),
    channels=(
        Channel(name=tlv.LINE, mode=tlv.PEDESTRIAN, bits=TOTAL_BITS),
        *(
            Channel(name=_pair(a, b), mode=tlv.PEDESTRIAN, first=f"from side {a.upper()} to {b.upper()}", second=None)
            for a in SIDES
            for b in SIDES
        ),
    ),
    reporting_period_s=600,
    mounting=(
        "On the ceiling, indoors, on mains power; draw the line and up to 16 regions in its own page. Switch the "
        "cumulative count on, and its daily or weekly reset off: otherwise a lost frame is lost."
    ),
    source="Milesight-IoT/SensorDecoders, vs-series/vs121; Milesight VS121 user guide",
    decode=decode,
)
