"""Reads back what the simulator encodes, by the codec of its model; and the numbers that sheets are full of."""

from hypothesis import strategies as st

from edge.drivers.devices import catalogue
from edge.readings import AnyReading, DeviceAddress, Frame, Health, Knowledge, Presence

ADDRESS = DeviceAddress("54:48:E6:8F:80:A5")
uint8, uint16, uint32 = st.integers(0, 2**8 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
int8, int16 = st.integers(-128, 127), st.integers(-(2**15), 2**15 - 1)
street_c = st.integers(-60, 125)
versions = st.tuples(uint8, uint8, uint8)


def decoded(
    model: str, payload: bytes, port: int | None = None, knowledge: Knowledge | None = None
) -> list[AnyReading]:
    """What a frame of `ADDRESS` says. Raises `DecodeError`."""
    frame = Frame(device=ADDRESS, payload=payload, port=port)
    return catalogue()[model].decode(frame, knowledge or Knowledge())


def presence(occupied: bool) -> Presence:
    """Of the one space that a sensor watches."""
    return Presence(channel="1", occupied=occupied)


def health_of(readings: list[AnyReading]) -> Health:
    """The one health among them."""
    (health,) = [reading for reading in readings if isinstance(reading, Health)]
    return health
