"""The records of Milesight's passage counters VS350, VS351 and VS360: one line, uint16 totals, alarms, history.

A frame of a sibling is refused: it means that the wrong model was configured.
Source: Milesight-IoT/SensorDecoders, vs350, vs351, vs360.
"""

from collections.abc import Mapping, Sequence

from edge.drivers.formats import milesight_tlv as tlv
from edge.drivers.formats.milesight_tlv import Alarm, Entry, Family, Part
from edge.drivers.model import Channel
from edge.readings import Delta, Health

TOTAL_BITS = 16
CHANNELS = (Channel(name=tlv.LINE, mode=tlv.PEDESTRIAN, bits=TOTAL_BITS),)

COUNT_ALARMS = {0: "over", 1: "threshold"}
TEMPERATURE_ALARMS = {0: "over", 1: "threshold", 3: "too hot", 4: "too hot over"}
TOO_HOT = {3: 1, 4: 0}
"""Temperature alarms that bear on the counting: about 30 to 32 °C and more, where it becomes unreliable."""
EVENTS = {0: "counting anomaly", 1: "node silent", 2: "misaligned"}
"""What the VS360 finds wrong with itself; its counts are not to be trusted meanwhile."""

_total = tlv.total(TOTAL_BITS)
_delta = tlv.delta()


def hardware_version(data: bytes) -> str:
    """Byte 0, dot, high nibble of byte 1."""
    return f"{data[0]}.{data[1] >> 4}"


def total_alarm(data: bytes) -> Sequence[Part]:
    """Read totals repeated because of an alarm."""
    return (*_total(data), Health(diagnostics={"total_alarm": tlv.named(COUNT_ALARMS)(data)}))


def period_alarm(data: bytes) -> Sequence[Part]:
    """Read the counts of a period that still runs, repeated because of an alarm."""
    running = Delta(channel=tlv.LINE, mode=tlv.PEDESTRIAN, in_=tlv.little(data), out=tlv.little(data, 2), running=True)
    return (running, Health(diagnostics={"period_alarm": tlv.named(COUNT_ALARMS)(data)}))


def temperature_alarm(data: bytes) -> Sequence[Part]:
    """Read the temperature and why it was reported out of turn."""
    kind = data[2]
    heat = [Alarm("too hot to count reliably", TOO_HOT[kind])] if kind in TOO_HOT else []
    told = Health(diagnostics={"temperature_alarm": tlv.named(TEMPERATURE_ALARMS)(data)})
    return (*tlv.temperature(data), told, *heat)


def event(data: bytes) -> Sequence[Part]:
    """Read what a beam pair finds wrong with itself: kind, state."""
    return (Alarm(EVENTS.get(data[0], f"event {data[0]}"), data[1]),)


def period_and_total(data: bytes) -> Sequence[Part]:
    """Read counts of a past period and the totals at its end."""
    return (*_delta(data[:4]), *_total(data[4:]))


BASE: Mapping[int, Entry] = {
    **tlv.SELF_DESCRIPTION,
    0xFF01: Entry(1, tlv.fact("protocol_version", tlv.nibbles)),
    0xFF16: Entry(8, tlv.fact("serial", bytes.hex)),
    0xFF09: Entry(2, tlv.fact("hardware_version", hardware_version)),
    0x04CC: Entry(4, _total),
    0x05CC: Entry(4, _delta),
    0x0AEF: Entry(4, tlv.stamp),
    0x84CC: Entry(5, total_alarm),
    0x85CC: Entry(5, period_alarm),
}
"""What all three models send."""

TEMPERATURE: Mapping[int, Entry] = {0x0367: Entry(2, tlv.temperature), 0x8367: Entry(3, temperature_alarm)}
ONE_BATTERY: Mapping[int, Entry] = {0x0175: Entry(1, tlv.battery())}


def family(*further: Mapping[int, Entry]) -> Family:
    """The records of one model: those of all three, and its own."""
    records = dict(BASE)
    for own in further:
        records |= own
    history = {0: Entry(4, _delta), 1: Entry(8, period_and_total)}
    return Family(records=records, history=history, unknown_kind_offset=0)
