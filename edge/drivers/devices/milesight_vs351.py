"""Milesight VS351: a thermopile passage counter on battery or USB-C, in and out.

In comes a chain of records (any fPort, 85 by default), out come totals, deltas and health; the records and their
widths are those of the family. Source: Milesight-IoT/SensorDecoders, vs-series/vs351.
"""

from edge.drivers.formats import milesight_passage
from edge.drivers.formats.milesight_tlv import Entry, fact, named
from edge.drivers.formats.milesight_tlv import decode as decode_records
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, Frame, Knowledge

NAME = "milesight-vs351"
FAMILY = milesight_passage.family(
    milesight_passage.TEMPERATURE,
    milesight_passage.ONE_BATTERY,
    {0xFFCC: Entry(1, fact("supply", named({0: "battery", 1: "external", 2: "charging"})))},
)


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """All readings of one uplink. Raises `DecodeError`."""
    return decode_records(NAME, frame, FAMILY, knowledge)


MODEL = Model(
    name=NAME,
    maker="Milesight",
    product="VS351",
    kind=Kind.COUNTER,
    detects="people by their heat (thermopile), in two directions",
    links=frozenset({LinkKind.LORAWAN}),
    channels=milesight_passage.CHANNELS,
    reporting_period_s=600,
    mounting=(
        "Above the doorway, indoors. Above about 30 °C people do not stand out from the air: it counts unreliably and "
        "says so. "
        "Leave cumulative reporting on: without totals a lost frame is lost. Totals may be set to return to 0 daily or "
        "weekly; that counts as a reset."
    ),
    source="Milesight-IoT/SensorDecoders, vs-series/vs351; Milesight VS351 user guide",
    decode=decode,
)
