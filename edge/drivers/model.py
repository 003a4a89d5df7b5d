"""What a device model declares about itself, so that the gateway, the documentation and the tests all read one source.

A codec file in `edge/drivers/devices/` ends in one `MODEL = Model(...)`; nothing else needs to know that it exists.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edge.readings import AnyReading, Frame, Knowledge

Decode = Callable[[Frame, Knowledge], list[AnyReading]]
"""All readings of a frame, or one `DecodeError`; never a part of them in silence, never another exception."""


class Kind(StrEnum):
    """What a model is bought for."""

    COUNTER = "counter"
    PARKING = "parking"
    PRESENCE = "presence"
    DISTANCE = "distance"


class LinkKind(StrEnum):
    """The ways bytes of a model arrive."""

    LORAWAN = "lorawan"
    SERIAL = "serial"
    BLE = "ble"
    MODBUS = "modbus"


class Signal(StrEnum):
    """What a model sends raw, for the aggregator to make passages or presence of."""

    TRACKS = "tracks"
    RANGES = "ranges"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One counted line and one mode of a model."""

    name: str
    mode: str | None = None
    first: str = "in"
    """The device's own word for the direction that readings call `in`."""
    second: str | None = "out"
    """Its word for `out`; None where it counts one direction only."""
    bits: int | None = None
    """Width at which its total rolls over; None where it sends no total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """How a serial device's byte stream is cut into frames. Pure data and pure functions, used by the serial link."""

    header: tuple[bytes, ...]
    """The first bytes that a frame may have: the data frame's header, then those of other frames (command answers)."""
    length: Callable[[bytes], int | None]
    """Total frame length in bytes, told from the bytes seen so far (header first); None when more are needed."""
    problem: Callable[[bytes], str | None]
    """Why these `length` bytes are no frame (tail, checksum, plausibility), or None when they are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One device model: a declaration for people and machines, and its pure decode function."""

    name: str
    """maker-model in lower case: `parametric-pcr2`."""
    maker: str
    product: str
    kind: Kind
    detects: str
    """By what means it detects what, in a few words."""
    links: frozenset[LinkKind]
    ports: Mapping[int, str] = field(default_factory=dict)
    """LoRaWAN fPorts and the message each carries; empty where any port is accepted or there is none."""
    channels: Sequence[Channel] = ()
    reporting_period_s: int
    """How often it reports when nothing happens, at the maker's default; what `stale` is measured against."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Names and meanings of the settings its decode function understands (`Knowledge.options`)."""
    mounting: str
    """What a technician must know when mounting and configuring it."""
    source: str
    """The data sheet or public description that the codec was written from."""
    decode: Decode
    framing: Framing | None = None
    baud: int | None = None
    signal: Signal | None = None
    """What its readings are the raw signal of; None where it counts or detects by itself."""
