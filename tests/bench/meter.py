"""Measures what receiving costs: processor time from the first frame to the last, of this process and all its threads.

It says what one core can do, however busy the machine and however slow the sender, as long as senders, brokers and
buses are processes of their own.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import process_time

from edge.drivers.links.base import Arrival, Link
from edge.messages import DeviceSettings
from edge.readings import DeviceAddress, Frame

PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Directory:
    """One adopted device, of which nothing is durable yet."""

    device: DeviceSettings
    counters: Mapping[str, int] = field(default_factory=dict)

    def settings(self, device: DeviceAddress) -> DeviceSettings | None:
        """Its settings."""
        return self.device if device == self.device.address else None

    def last_counter(self, device: DeviceAddress) -> int | None:
        """Its durable counter."""
        return self.counters.get(device)


class Tally:
    """Counts up to an expected number, on whichever thread."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.count = 0
        self._begin_s = self._end_s = 0.0

    def add(self) -> bool:
        """One more; whether it is the last."""
        if self.count == 0:
            self._begin_s = process_time()
        self.count += 1
        if self.count < self.expected:
            return False
        self._end_s = process_time()
        return True

    @property
    def rate(self) -> float:
        """So many per second of processor time, once all have come."""
        return (self.expected - 1) / (self._end_s - self._begin_s)

    @property
    def shortfall(self) -> str:
        """How far it came, for an error."""
        return f"{self.count} of {self.expected} frames came within {PATIENCE_S} s"


class Meter:
    """Counts the frames of a link, as an inbox that acknowledges at once."""

    def __init__(self, expected: int) -> None:
        self._tally = Tally(expected)
        self._complete = asyncio.Event()

    async def __call__(self, arrival: Arrival) -> None:
        """Be the link's inbox."""
        arrival.acknowledge()
        if isinstance(arrival.item, Frame) and self._tally.add():
            self._complete.set()

    async def rate(self) -> float:
        """Frames per second of processor time, once all have come. Raises TimeoutError when they do not."""
        await completed(self._complete, self._tally)
        return self._tally.rate


async def completed(event: asyncio.Event, tally: Tally) -> None:
    """Wait for the event that the tally is complete. Raises TimeoutError, which says how far it came."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await event.wait()
    except TimeoutError:
        raise TimeoutError(tally.shortfall) from None


async def opened(link: Link, meter: Meter, tasks: asyncio.TaskGroup) -> asyncio.Task[None]:
    """The link at work for the meter, its source open. Cancel it in the end; its own failure ends the task group."""
    running = tasks.create_task(link.run(meter))
    async with asyncio.timeout(PATIENCE_S):
        await link.opened.wait()
    return running
