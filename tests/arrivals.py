"""Runs one link in a test and collects what it hands over, waiting by condition and never by time.

In goes a link, out come its arrivals; a link that ends ends the waiting with its own error.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from edge.drivers.links.base import Arrival, Link, Refused, Report, Stranger
from edge.readings import DeviceAddress, Frame, Health

Item = Frame | Report | Refused | Stranger
AnItem = TypeVar("AnItem", Frame, Report, Refused, Stranger)
PATIENCE_S = 60.0


@dataclass(slots=True)
class Collected:
    """What a link has handed over so far."""

    arrivals: list[Arrival] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _link: tuple[asyncio.Task[None], ...] = ()

    async def __call__(self, arrival: Arrival) -> None:
        """Be the link's inbox."""
        self.arrivals.append(arrival)
        self._changed.set()

    def of(self, kind: type[AnItem]) -> list[AnItem]:
        """The items of one kind, in order."""
        return [arrival.item for arrival in self.arrivals if isinstance(arrival.item, kind)]

    @property
    def frames(self) -> list[Frame]:
        """The frames, in order."""
        return self.of(Frame)

    @property
    def refused(self) -> list[str]:
        """The names of what was refused, in order."""
        return [item.name for item in self.of(Refused)]

    @property
    def health(self) -> list[Health]:
        """What the link reported of devices, in order."""
        return [reading for item in self.of(Report) for reading in item.readings if isinstance(reading, Health)]

    async def until(self, condition: Callable[["Collected"], bool]) -> None:
        """Wait until the condition holds. Raises the link's error when it ends first, TimeoutError after a minute."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition(self):
                await self._change()

    async def link_ends(self) -> None:
        """Wait until the link ends by itself, and raise its error."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self._link)

    async def _change(self) -> None:
        self._changed.clear()
        change = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait([change, *self._link], return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()
        for link in self._link:
            if link.done():
                await link


@asynccontextmanager
async def running(link: Link) -> AsyncIterator[Collected]:
    """The link at work for the length of an `async with`."""
    collected = Collected()
    task = asyncio.create_task(link.run(collected))
    collected._link = (task,)
    try:
        yield collected
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()


class Ticks:
    """A monotonic clock for tests: the event loop's real one, or one that is set by hand."""

    def __init__(self, fixed_ms: int | None = None) -> None:
        self.fixed_ms = fixed_ms

    def monotonic_ms(self) -> int:
        """Milliseconds."""
        if self.fixed_ms is not None:
            return self.fixed_ms
        return int(asyncio.get_running_loop().time() * 1000)


def address(text: str) -> DeviceAddress:
    """A device address."""
    return DeviceAddress(text)
