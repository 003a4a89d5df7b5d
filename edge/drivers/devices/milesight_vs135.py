"""Milesight VS135: a ceiling time-of-flight counter with up to four lines and regions, children apart.

In comes a chain of records (any fPort, 85 by default), out come totals, deltas, presence and health; the records and
their widths are those of the family. Source: Milesight-IoT/SensorDecoders, vs-series/vs135.
"""

from edge.drivers.formats import milesight_lines, milesight_tlv
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, Frame, Knowledge

NAME = "milesight-vs135"
FAMILY = milesight_lines.FOUR_LINES


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """All readings of one uplink. Raises `DecodeError`."""
    return milesight_tlv.decode(NAME, frame, FAMILY, knowledge)


MODEL = Model(
    name=NAME,
    maker="Milesight",
    product="VS135",
    kind=Kind.COUNTER,
    detects="people and children by time of flight from above, on four lines and in four regions",
    links=frozenset({LinkKind.LORAWAN}),
    channels=milesight_lines.channels([milesight_tlv.PEDESTRIAN, milesight_lines.CHILD], milesight_lines.LINES),
    reporting_period_s=600,
    mounting=(
        "On the ceiling, looking straight down; draw up to four lines and four regions in its own page. Children are "
        "counted as a mode of their own: whether the total of everybody contains them is not documented, so never add "
        "the two. Totals are 32 bits wide: a step down means that somebody cleared them."
    ),
    source="Milesight-IoT/SensorDecoders, vs-series/vs135; Milesight VS135 user guide",
    decode=decode,
)
