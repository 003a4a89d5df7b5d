"""Milesight VS132: a ceiling time-of-flight counter above a door, one line, in and out.

In comes a chain of records (any fPort, 85 by default), out come totals, deltas and health; the records and their
widths are those of the family. Source: Milesight-IoT/SensorDecoders, vs-series/vs132.
"""

from edge.drivers.formats import milesight_lines, milesight_tlv
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, Frame, Knowledge

NAME = "milesight-vs132"
FAMILY = milesight_lines.ONE_LINE


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """All readings of one uplink. Raises `DecodeError`."""
    return milesight_tlv.decode(NAME, frame, FAMILY, knowledge)


MODEL = Model(
    name=NAME,
    maker="Milesight",
    product="VS132",
    kind=Kind.COUNTER,
    detects="people by time of flight from above, in two directions",
    links=frozenset({LinkKind.LORAWAN}),
    channels=milesight_lines.channels([milesight_tlv.PEDESTRIAN], [1]),
    reporting_period_s=600,
    mounting=(
        "On the ceiling above the door, looking straight down, its arrow along the way in. Totals are 32 bits wide: a "
        "step down means that somebody cleared them."
    ),
    source="Milesight-IoT/SensorDecoders, vs-series/vs132; Milesight VS132 user guide",
    decode=decode,
)
