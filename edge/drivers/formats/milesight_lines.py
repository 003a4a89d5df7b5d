"""The records of Milesight's time-of-flight counters VS132, VS133 and VS135: lines, children apart, regions, history.

Each line has three ids in a row: total in, total out (uint32, type d2), period in and out (uint16, type cc). Lines of
everybody begin at id 03, lines of children at 11. Source: Milesight-IoT/SensorDecoders, vs132, vs133, vs135.
"""

from collections.abc import Mapping, Sequence

from edge.drivers.formats import milesight_tlv as tlv
from edge.drivers.formats.milesight_tlv import Alarm, Entry, Family, Part
from edge.drivers.model import Channel
from edge.readings import Health, ResetCause

CHILD = "child"
FIRST_ID = {tlv.PEDESTRIAN: 0x03, CHILD: 0x11}
LINES = range(1, 5)
TOTAL_BITS = 32
TOTAL, PERIOD = 0xD2, 0xCC
CHILDREN_REGION = "region{}_children"


def joined(data: bytes) -> Sequence[Part]:
    """Read the protocol version, which is sent just after a join."""
    return (Health(reset=ResetCause.REJOIN, diagnostics={"protocol_version": tlv.nibbles(data)}),)


def occlusion(data: bytes) -> Sequence[Part]:
    """Read the alarm of an occluded lens: reserved byte, node (0 is the master), state."""
    node = "master" if data[1] == 0 else f"node {data[1]}"
    return (Alarm(f"lens occluded on {node}", data[2]),)


def region_figure(name: str) -> tlv.Read:
    """Read one figure (uint16) of a region (uint8)."""
    return lambda data: (Health(diagnostics={f"region{data[0]}_{name}": tlv.little(data, 1)}),)


def by_id(lines: Sequence[int], mode: str) -> dict[int, tuple[int, Entry]]:
    """The channel ids of lines, each with its type and the way to read it."""
    entries: dict[int, tuple[int, Entry]] = {}
    for line in lines:
        first, channel = FIRST_ID[mode] + 3 * (line - 1), f"line{line}"
        entries[first] = (TOTAL, Entry(4, tlv.half_total(channel, mode, second=False)))
        entries[first + 1] = (TOTAL, Entry(4, tlv.half_total(channel, mode, second=True)))
        entries[first + 2] = (PERIOD, Entry(4, tlv.delta(channel, mode)))
    return entries


def records_of(lines: Mapping[int, tuple[int, Entry]]) -> dict[int, Entry]:
    """Live records of lines, by id and type."""
    return {channel_id << 8 | kind: entry for channel_id, (kind, entry) in lines.items()}


def channels(modes: Sequence[str], lines: Sequence[int]) -> tuple[Channel, ...]:
    """The declaration of lines, in and out."""
    return tuple(Channel(name=f"line{line}", mode=mode, bits=TOTAL_BITS) for mode in modes for line in lines)


SELF_DESCRIPTION: Mapping[int, Entry] = {
    **tlv.SELF_DESCRIPTION,
    0xFF01: Entry(1, joined),
    0xFF16: Entry(8, tlv.fact("serial", bytes.hex)),
    0xFF09: Entry(2, tlv.fact("hardware_version", tlv.dotted)),
    0xFF1F: Entry(4, tlv.firmware),
}

PLAIN_ANSWERS = dict.fromkeys((0x04, 0x10, 0x27, 0x40, 0x42, 0x43, 0x44, 0x68, 0x69, 0x6D), 1)
PLAIN_ANSWERS |= {0x03: 2, 0x11: 4, 0x6A: 3}
TOTALS_CLEARED = Entry(1, tlv.reset(ResetCause.REQUEST))
ANSWERS: Mapping[int, Entry] = {
    **tlv.answers(PLAIN_ANSWERS, {0x84: 3, 0x85: 2, 0x88: 2, 0x86: 1, 0x87: 1}),
    0xFE51: TOTALS_CLEARED,
    0xFF51: TOTALS_CLEARED,
}

_FOUR_LINES = by_id(LINES, tlv.PEDESTRIAN) | by_id(LINES, CHILD)
_PEOPLE_IN_REGIONS = Entry(4, tlv.regions(1))
_CHILDREN_IN_REGIONS = Entry(4, tlv.regions(1, CHILDREN_REGION, "region{}_children"))

ONE_LINE = Family(records={**ANSWERS, **SELF_DESCRIPTION, **records_of(by_id([1], tlv.PEDESTRIAN))})
"""VS132."""

FOUR_LINES = Family(
    records={
        **ANSWERS,
        **SELF_DESCRIPTION,
        **records_of(_FOUR_LINES),
        0x0FE3: _PEOPLE_IN_REGIONS,
        0x1DE3: _CHILDREN_IN_REGIONS,
        0x10E4: Entry(5, tlv.dwell("dwell")),
        0x1EE4: Entry(5, tlv.dwell("child_dwell")),
        0x50FC: Entry(3, occlusion),
    },
    history={
        **{kind: entry for kind, (_, entry) in _FOUR_LINES.items()},
        0x0F: _PEOPLE_IN_REGIONS,
        0x1D: _CHILDREN_IN_REGIONS,
        0x10: Entry(3, region_figure("mean_dwell")),
        0x20: Entry(3, region_figure("max_dwell")),
        0x1E: Entry(3, region_figure("mean_child_dwell")),
        0x3C: Entry(3, region_figure("max_child_dwell")),
    },
)
"""VS133 and VS135."""
