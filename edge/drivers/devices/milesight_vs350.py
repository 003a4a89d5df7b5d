"""Milesight VS350: a battery passage counter for a doorway or narrow path, in and out.

In comes a chain of records (any fPort, 85 by default), out come totals, deltas and health; the records and their
widths are those of the family. Source: Milesight-IoT/SensorDecoders, vs-series/vs350.
"""

from edge.drivers.formats import milesight_passage
from edge.drivers.formats.milesight_tlv import Entry, fact, named
from edge.drivers.formats.milesight_tlv import decode as decode_records
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, Frame, Knowledge

NAME = "milesight-vs350"
FAMILY = milesight_passage.family(
    milesight_passage.TEMPERATURE,
    milesight_passage.ONE_BATTERY,
    {0x81EE: Entry(1, fact("sensitivity", named({})))},
)


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """All readings of one uplink. Raises `DecodeError`."""
    return decode_records(NAME, frame, FAMILY, knowledge)


MODEL = Model(
    name=NAME,
    maker="Milesight",
    product="VS350",
    kind=Kind.COUNTER,
    detects="people passing a doorway, in two directions",
    links=frozenset({LinkKind.LORAWAN}),
    channels=milesight_passage.CHANNELS,
    reporting_period_s=600,
    mounting=(
        "At the side or on top of a passage wide enough for one. Above about 30 °C it counts unreliably and says so. "
        "Leave cumulative reporting on: without totals a lost frame is lost. Totals may be set to return to 0 daily or "
        "weekly; that counts as a reset."
    ),
    source="Milesight-IoT/SensorDecoders, vs-series/vs350; Milesight VS350 user guide",
    decode=decode,
)
