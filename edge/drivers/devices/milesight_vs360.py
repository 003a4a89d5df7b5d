"""Milesight VS360: an infrared beam pair (main unit and node) across a doorway, in and out.

In comes a chain of records (any fPort, 85 by default), out come totals, deltas and health; the records and their
widths are those of the family. Source: Milesight-IoT/SensorDecoders, vs-series/vs360.
"""

from edge.drivers.formats import milesight_passage
from edge.drivers.formats.milesight_tlv import Entry, battery
from edge.drivers.formats.milesight_tlv import decode as decode_records
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, Frame, Knowledge

NAME = "milesight-vs360"
FAMILY = milesight_passage.family(
    {
        0x0175: Entry(1, battery("battery_main_pct")),
        0x0275: Entry(1, battery("battery_node_pct")),
        0x03F4: Entry(2, milesight_passage.event),
    }
)


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """All readings of one uplink. Raises `DecodeError`."""
    return decode_records(NAME, frame, FAMILY, knowledge)


MODEL = Model(
    name=NAME,
    maker="Milesight",
    product="VS360",
    kind=Kind.COUNTER,
    detects="people by a pair of infrared beams, in two directions",
    links=frozenset({LinkKind.LORAWAN}),
    channels=milesight_passage.CHANNELS,
    reporting_period_s=600,
    mounting=(
        "Main unit and node face each other across a passage wide enough for one; each has its own battery, and the "
        "lower one is reported. While the node is silent or misaligned the counts are not to be trusted. "
        "Leave cumulative reporting on: without totals a lost frame is lost. Totals may be set to return to 0 daily or "
        "weekly; that counts as a reset."
    ),
    source="Milesight-IoT/SensorDecoders, vs-series/vs360; Milesight VS360 user guide",
    decode=decode,
)
