"""Benewake TF-Luna: an infrared lidar on a serial port that tells one distance a hundred times a second.

In comes one data frame of 9 bytes or one answer to a command, out come a distance only where there is one, and health.
A car or a passage is concluded behind it, never here. Source: Benewake, TF-Luna product manual A05.
"""

from edge.drivers.formats.benewake import BAUD, OPTIONS, Benewake, framing, weak_or_overexposed
from edge.drivers.formats.distance import CHANNELS
from edge.drivers.model import Kind, LinkKind, Model, Signal
from edge.readings import AnyReading, Frame, Knowledge

NAME = "benewake-tf-luna"
BRIGHTEST = 0x8000
"""A greater strength is ambient light."""


def _no_distance(raw: int, strength: int) -> str | None:
    doubt = weak_or_overexposed(strength) or ("no echo" if not raw else None)
    return doubt or ("ambient light too strong" if strength > BRIGHTEST else None)


SENSOR = Benewake(NAME, nearest_mm=200, farthest_mm=8_000, no_distance=_no_distance)


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Distance and health of one frame. Raises `DecodeError`."""
    return SENSOR.decode(frame, knowledge)


MODEL = Model(
    name=NAME,
    maker="Benewake",
    product="TF-Luna",
    kind=Kind.DISTANCE,
    detects="the distance to what is in its narrow beam, by infrared lidar",
    links=frozenset({LinkKind.SERIAL}),
    channels=CHANNELS,
    reporting_period_s=1,
    options=OPTIONS,
    mounting=(
        "Above or beside a space, or across a path (two of them tell the direction); 0.2 to 8 m, less on dark targets "
        "and in sunlight. Distance 0 means that it sees nothing, never that something is very near. 3.3 V serial, 5 V."
    ),
    source="Benewake, TF-Luna product manual A05",
    decode=decode,
    framing=framing(decode),
    baud=BAUD,
    signal=Signal.RANGES,
)
