"""Devices themselves: how the adopted ones do, and who else is heard."""

from typing import Annotated

from msgspec import Meta, Struct

from edge.messages.base import MAX_BATCH, Message, Name, Number, Positive, TimeSource, Utc, Whole


class DeviceHealth(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last that is known of a device itself; None where it never said."""

    device: Name
    model: Name
    at: Utc
    """When it was last heard."""
    period_s: Annotated[int, Meta(ge=1, le=7 * 86_400)]
    """How often it is expected to report: what `stale` is measured against."""
    battery_v: float | None = None
    battery_pct: float | None = None
    battery_low: bool | None = None
    temperature_c: float | None = None
    fault: str | None = None
    reset: str | None = None
    tamper: bool | None = None
    firmware: str | None = None
    note: str | None = None
    diagnostics: dict[str, Number | float | bool | str] | None = None
    rssi_dbm: float | None = None
    snr_db: float | None = None
    lost_frames: Whole = 0
    """Gaps in its frame counter since the gateway first heard it."""
    source: TimeSource = TimeSource.GATEWAY
    """Whose clock dated it."""


class HealthReport(Message, frozen=True, kw_only=True):
    """The last that is known of a device itself."""

    kind = "health"
    health: DeviceHealth
    """Of one device."""


class HeardDevice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device that this gateway hears and has not adopted."""

    device: Name
    link: Name
    at: Utc
    frames: Positive = 1
    """How often it was heard since it was last told."""
    rssi_dbm: float | None = None
    hint: str | None = None
    """What the link knows of it: a name, a profile, `needs a key`."""
    models: Annotated[tuple[Name, ...], Meta(max_length=100)] = ()
    """Models that read all that it sent, the likeliest first; empty where none does or none was tried."""


class Heard(Message, frozen=True, kw_only=True):
    """Devices that nobody adopted; each at most once a minute."""

    kind = "heard"
    devices: Annotated[tuple[HeardDevice, ...], Meta(max_length=MAX_BATCH)]
