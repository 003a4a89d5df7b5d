"""What every link is: it opens a source, hands over what arrives, and acknowledges the source only when told to.

A link runs until it is cancelled or raises `LinkError`; the gateway restarts it alone, with back-off. It never decodes
a payload, never drops anything in silence (`Refused`), and holds no more than its bounded inbox lets it.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from edge.messages import DeviceSettings
from edge.readings import AnyReading, DeviceAddress, Frame

T = TypeVar("T")

SILENCE_S = 60.0
LOOK_S = 10.0
"""How often a link that waits for something that may never come gives a sign of life."""


class LinkError(Exception):
    """A source that is not there, or went away: transient. Says what failed and what to try."""

    def __init__(self, link: str, reason: str, *, advice: str) -> None:
        self.link = link
        self.reason = reason
        self.advice = advice
        """What a technician can do about it."""
        super().__init__(f"{link}: {reason}; {advice}")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a link itself learned of a device without a payload: a join, a battery status, a sign of life."""

    device: DeviceAddress
    readings: tuple[AnyReading, ...] = ()
    heard_ms: int = 0
    network_time: datetime | None = None


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that came and were not passed on."""

    name: str
    """The error's name, lower case with hyphens (`bad-checksum`, `noise`, `not-json`): what it is counted under."""
    reason: str
    """Field, byte offset or character position, and what was expected."""
    data: bytes = b""
    """The bytes, at most the first 600."""
    device: DeviceAddress | None = None


class Stranger(msgspec.Struct, frozen=True, kw_only=True):
    """A device that the link hears and cannot or may not read (not adopted, no key, wrong key)."""

    device: DeviceAddress
    hint: str | None = None
    models: tuple[str, ...] = ()
    """Models that it may be, where its advertisement tells."""
    rssi_dbm: float | None = None
    data: bytes = b""
    """What it sent, for the log; empty where the link does not tell."""


def nothing() -> None:
    """The acknowledgement of a source that wants none."""


class Arrival(msgspec.Struct, frozen=True):
    """Something that arrived, and how to tell its source that it is safe."""

    item: Frame | Report | Refused | Stranger
    acknowledge: Callable[[], None] = nothing
    """Called from the gateway's event loop once what came of the item is durable (or was refused for good)."""


Inbox = Callable[[Arrival], Awaitable[None]]
"""Where a link puts what arrives. It waits while the gateway is busy: that is the back-pressure."""


class Directory(Protocol):
    """What a link may ask the gateway about devices."""

    def settings(self, device: DeviceAddress) -> DeviceSettings | None:
        """The settings of an adopted device (keys included), or None."""

    def last_counter(self, device: DeviceAddress) -> int | None:
        """The greatest frame counter taken in and made durable, across restarts; None when there is none yet."""


class Roster(Protocol):
    """What a link that has to ask its devices may ask the gateway."""

    def on_link(self, link: str) -> tuple[DeviceSettings, ...]:
        """The settings of the adopted devices that name this link as theirs, now."""


class Monotonic(Protocol):
    """The part of the gateway's clock that links use."""

    def monotonic_ms(self) -> int:
        """Milliseconds that never step back while the machine is up."""


class Link(ABC):
    """One way bytes arrive."""

    kind: str
    """The configuration's word for this sort of link."""
    silence_s: float = SILENCE_S
    """So long `run` may be without a sign of life, opening included; then it hangs, and the gateway restarts it."""

    def __init__(self, name: str) -> None:
        self.name = name
        """Its name in the configuration, in logs and in metrics."""
        self.opened = asyncio.Event()
        """The source is open: whatever it sends will be heard. `run` sets it, its caller takes it back."""
        self.signs_of_life = 0

    def alive(self) -> None:
        """A sign of life: `run` calls it whenever it has polled or waited, be there news or not."""
        self.signs_of_life += 1

    async def patiently(self, wait: Callable[[], Awaitable[T]]) -> T:
        """What `wait` gives, however long that takes, with signs of life. `wait` may be cancelled and called again."""
        while True:
            self.alive()
            waiting = asyncio.timeout(LOOK_S)
            try:
                async with waiting:
                    return await wait()
            except TimeoutError:
                if not waiting.expired():
                    raise

    @abstractmethod
    async def run(self, inbox: Inbox) -> None:
        """Open the source and hand over what arrives until cancelled. Raises `LinkError` when the source is lost.

        Every exit closes what was opened. What was handed over and not acknowledged is the source's to send again.
        """
