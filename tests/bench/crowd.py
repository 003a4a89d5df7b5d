"""Thousands of listeners of a stream, in one process: when the last of them has heard of each change."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

PATIENCE_S = 60
AT_ONCE = 100
"""Listeners that come together."""
CHANGE = b"event: zone\n"
MOMENT = re.compile(rb"id: ([0-9.]+)\ndata: x")


class Crowd:
    """Counts what all the listeners heard."""

    def __init__(self) -> None:
        self.connected = self.heard = 0
        self._let_in = asyncio.Event()
        self.first_heard_of: float | None = None
        """When the change happened, where the event itself tells the moment."""
        self._wanted = 0
        self._done = asyncio.Event()
        self.done_at = 0.0

    def expect(self, events: int) -> None:
        """Count anew, until so many events."""
        self.heard, self._wanted, self.first_heard_of = 0, events, None
        self._done.clear()

    async def all_heard(self) -> float:
        """When the last of the expected events came, by `perf_counter`."""
        async with asyncio.timeout(PATIENCE_S):
            await self._done.wait()
        return self.done_at

    def let_in(self) -> None:
        """One more listener has its first bytes."""
        self.connected += 1
        self._let_in.set()

    async def all_let_in(self, number: int) -> None:
        """Wait for so many listeners."""
        async with asyncio.timeout(PATIENCE_S):
            while self.connected < number:
                self._let_in.clear()
                await self._let_in.wait()

    def hear(self, data: bytes) -> None:
        """Take in what one listener got."""
        self.heard += data.count(CHANGE)
        if self.first_heard_of is None and (moment := MOMENT.search(data)):
            self.first_heard_of = float(moment[1])
        if self.heard >= self._wanted > 0:
            self.done_at = perf_counter()
            self._done.set()


class _Listener(asyncio.Protocol):
    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self._crowd = crowd
        self._request = request
        self._greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._greeted:
            self._greeted = True
            self._crowd.let_in()
        self._crowd.hear(data)


@asynccontextmanager
async def crowd_of(number: int, host: str, port: int, path: str) -> AsyncIterator[Crowd]:
    """So many listeners of a stream, each of them let in."""
    loop, crowd = asyncio.get_running_loop(), Crowd()
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    transports = []
    try:
        for first in range(0, number, AT_ONCE):
            some = [
                loop.create_connection(lambda: _Listener(crowd, request), host, port)
                for _ in range(min(AT_ONCE, number - first))
            ]
            transports += [transport for transport, _ in await asyncio.gather(*some)]
        await crowd.all_let_in(number)
        yield crowd
    finally:
        for transport in transports:
            transport.close()
