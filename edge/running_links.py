"""All links of a gateway: opened from their sections of the configuration, exchanged, closed.

In come sections, out come arrivals, each with the runner of its link. Links change one after another: two changes at
once (a reloaded file, a command of the cloud, the gateway's end) never open or close the same link twice.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence

from edge.clock import Clock
from edge.config import LinkConfig
from edge.drivers.links.base import Arrival, Inbox, Link
from edge.drivers.links.ble import BleConfig, BleLink
from edge.drivers.links.chirpstack import ChirpStackConfig, ChirpStackLink
from edge.drivers.links.modbus import ModbusConfig, ModbusLink
from edge.drivers.links.rak3172 import Rak3172Config, Rak3172Link
from edge.drivers.links.serial_port import SerialConfig, SerialLink
from edge.drivers.links.things_stack import ThingsStackLink, TtsConfig
from edge.intake import Intake
from edge.link_runner import LinkRunner

Take = Callable[[LinkRunner, Arrival], Awaitable[None]]
"""Takes what arrived on a link; it may wait, and then the link does."""


def open_link(config: LinkConfig, clock: Clock, intake: Intake) -> Link:
    """The link that a configuration section describes."""
    match config:
        case SerialConfig():
            return SerialLink(config, clock)
        case Rak3172Config():
            return Rak3172Link(config, clock, intake)
        case ChirpStackConfig():
            return ChirpStackLink(config, clock)
        case TtsConfig():
            return ThingsStackLink(config, clock)
        case BleConfig():
            return BleLink(config, clock, intake)
        case ModbusConfig():
            return ModbusLink(config, clock, intake)


class RunningLinks:
    """Guards that each section has one link and no more, and none once they were closed for good."""

    def __init__(self, take: Take, clock: Clock, intake: Intake, counters: Counter[str]) -> None:
        """`counters` are the gateway's (`LinkRunner`)."""
        self._take = take
        self._clock = clock
        self._intake = intake
        self._counters = counters
        self._sections: dict[str, LinkConfig] = {}
        self._runners: dict[str, LinkRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()
        self._closed = False

    def __iter__(self) -> Iterator[LinkRunner]:
        """The runners of the links that there are now."""
        return iter(tuple(self._runners.values()))

    async def exchange(self, sections: Sequence[LinkConfig], group: asyncio.TaskGroup) -> None:
        """Have these links and no others, in the group: what changed or went is closed, what is new opened."""
        async with self._changing:
            wanted = {each.name: each for each in sections}
            await self._close([name for name, known in self._sections.items() if wanted.get(name) != known])
            self._open([each for name, each in wanted.items() if name not in self._sections], group)

    async def restart(self, name: str, group: asyncio.TaskGroup) -> str | None:
        """Close a link and open it again; why that cannot be, or None."""
        if self._changing.locked():
            return "links are being opened again already; ask again in a few seconds"
        async with self._changing:
            section = self._sections.get(name)
            if section is None:
                expected = " or ".join(self._sections) or "none: this gateway has no links"
                return f"no link {name!r}; expected {expected}"
            await self._close([name])
            self._open([section], group)
        return None

    async def close(self) -> None:
        """Close them all, for good."""
        self._closed = True
        async with self._changing:
            await self._close(list(self._sections))

    def _open(self, sections: Sequence[LinkConfig], group: asyncio.TaskGroup) -> None:
        for section in [] if self._closed else sections:
            runner = LinkRunner(open_link(section, self._clock, self._intake), self._counters)
            self._sections[section.name] = section
            self._runners[section.name] = runner
            self._tasks[section.name] = group.create_task(runner.run(self._inbox_of(runner)))

    async def _close(self, names: Sequence[str]) -> None:
        """End links. Each runner sees to it that one which cannot close holds nobody up for long."""
        tasks = [self._tasks.pop(name) for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for name in names:
            del self._runners[name], self._sections[name]

    def _inbox_of(self, runner: LinkRunner) -> Inbox:
        async def put(arrival: Arrival) -> None:
            await self._take(runner, arrival)

        return put
