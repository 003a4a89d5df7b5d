"""Frames and readings: what a link hands to a codec, and what a codec makes of it.

In comes nothing; these are values only, frozen and compared by value. Readings are tagged unions, so that one line of
JSON per reading is all a technician, a test or another language needs (`passerelle devices decode`).
They must never carry personal data: no address of a passer-by, no driver's tag.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal, NewType

import msgspec

DeviceAddress = NewType("DeviceAddress", str)
"""A sensor's hardware address as its link writes it: devEUI or DevAddr in lower-case hexadecimal, a BLE address in
upper case with colons, or the name that the configuration gives to what hangs on a serial wire."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of one device, and what the link knows of them."""

    device: DeviceAddress
    payload: bytes
    port: int | None = None
    """LoRaWAN fPort, 1 to 255; None where the link has no such thing."""
    counter: int | None = None
    """The sender's frame counter, unwrapped to 32 bits where the link can; None where there is none."""
    session: str = ""
    """What the counter belongs to (LoRaWAN DevAddr): a new session may start again at 0."""
    heard_ms: int = 0
    """When the link heard it, in milliseconds of the gateway's monotonic clock (`Clock.monotonic_ms`)."""
    network_time: datetime | None = None
    """UTC time that a network server stamped on it; None where the gateway itself is the first to know."""
    rssi_dbm: float | None = None
    snr_db: float | None = None
    hint: str | None = None
    """What the network server calls it: its profile and name."""


CLOCK_SET = datetime(2020, 1, 1, tzinfo=UTC)
"""A device that tells an earlier time than this never had its clock set: such a time dates nothing."""


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """The common part of all readings: a value that the device dated itself carries `at` (UTC)."""

    at: datetime | None = None


class Total(Reading, frozen=True, kw_only=True, tag="total"):
    """A cumulative count per direction since the device knows when, rolling over at 2**bits."""

    channel: str = msgspec.field()
    mode: str | None = None
    in_: int | None = msgspec.field(name="in", default=None)
    """The device's first direction (left-to-right, A, entering); None where this frame tells the second alone."""
    out: int | None = None
    """Its second direction; None where the device counts one direction only, or this frame tells the first alone."""
    bits: int = msgspec.field()


class Delta(Reading, frozen=True, kw_only=True, tag="delta"):
    """A count over the period just ended (at `at`, or when the frame was received)."""

    channel: str = msgspec.field()
    mode: str | None = None
    in_: int = msgspec.field(name="in")
    out: int | None = None
    period_s: int | None = None
    """Length of the period in seconds where the frame tells."""
    running: bool = False
    """The period is not over: a later delta repeats this count and completes it, so it must never be added."""


class Event(Reading, frozen=True, kw_only=True, tag="event"):
    """One passage."""

    channel: str = msgspec.field()
    mode: str | None = None
    direction: Literal["in", "out"] = msgspec.field()


class Presence(Reading, frozen=True, kw_only=True, tag="presence"):
    """A space (or region) is occupied or free."""

    channel: str = msgspec.field()
    occupied: bool = msgspec.field()
    previous_state_s: int | None = None
    """How long the state before this one lasted, in seconds, where the device tells."""
    previous_state_error_s: int | None = None
    """How much longer it may have lasted."""


class Track(Reading, frozen=True, kw_only=True, tag="track"):
    """One raw radar target in one frame. Slots are not identities."""

    slot: int = msgspec.field()
    x_mm: int = msgspec.field()
    y_mm: int = msgspec.field()
    speed_mm_s: int = msgspec.field()
    """Radial speed; the sign is the device's."""


class Range(Reading, frozen=True, kw_only=True, tag="range"):
    """One raw distance."""

    channel: str | None = None
    mm: int = msgspec.field()
    strength: int | None = None


class Health(Reading, frozen=True, kw_only=True, tag="health"):
    """What a device says of itself; what it does not say is None, never zero."""

    battery_v: float | None = None
    battery_pct: float | None = None
    battery_low: bool | None = None
    temperature_c: float | None = None
    fault: str | None = None
    """What the device itself calls a fault, in words; None when it reports none."""
    reset: str | None = None
    """Why it restarted (`power_on`, `watchdog`, …) or `rejoin` for a new radio session; None otherwise."""
    tamper: bool | None = None
    firmware: str | None = None
    note: str | None = None
    diagnostics: dict[str, int | float | bool | str] | None = None
    """Further figures by name, unit in the name (`panel_mw`)."""


class ResetCause(StrEnum):
    """The names `Health.reset` uses, whatever number a maker gives them."""

    POWER_ON = "power_on"
    WATCHDOG = "watchdog"
    REQUEST = "request"
    BROWN_OUT = "brown_out"
    LOCK_UP = "lock_up"
    EXTERNAL_PIN = "external_pin"
    REJOIN = "rejoin"
    OTHER = "other"


AnyReading = Total | Delta | Event | Presence | Track | Range | Health


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What a codec may know of a device beside the frame: settings of the technician and what earlier frames told."""

    firmware: str | None = None
    """The last firmware the device reported, for models whose layout depends on it."""
    key: bytes | None = None
    """The device's own payload key (BTHome bind key, 16 bytes)."""
    latest: datetime | None = None
    """A device that tells a later time than this has a clock that is wrong; None while no time is known."""
    options: dict[str, bool | int | float | str] = msgspec.field(default_factory=dict)
    """Model-specific settings; each model declares the names it understands."""


class DecodeError(Exception):
    """Bytes that are not what the sheet says: which model, which port, which byte, and what was expected."""

    def __init__(self, model: str, reason: str, *, port: int | None = None, offset: int | None = None) -> None:
        self.model = model
        self.reason = reason
        self.port = port
        self.offset = offset
        """0-based offset of the first wrong, missing or surplus byte; None where no byte is to blame (unknown port)."""
        super().__init__(str(self))

    def __str__(self) -> str:
        port = "" if self.port is None else f" port {self.port}"
        byte = "" if self.offset is None else f", byte {self.offset}"
        return f"{self.model}{port}{byte}: {self.reason}"


def to_json_line(reading: AnyReading) -> str:
    """One reading as one line of JSON, fields that the model does not tell left out."""
    return msgspec.json.encode(reading).decode()
