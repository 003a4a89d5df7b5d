"""A TCP proxy on loopback that can be cut, black-holed or slowed, between a program and its broker.

In come connections, out go the same bytes to the other port, or nothing. It never changes a byte.
"""

import asyncio
import socket
import struct
from contextlib import suppress

HOST = "127.0.0.1"
CHUNK = 4096
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER so that closing sends a TCP reset."""
SLOW_BYTES_PER_S = 2_000


class Proxy:
    """One line to a broker's port."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._admits = True
        self._slow = False

    async def open(self) -> int:
        """Listen; the port to connect to."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Listen no more; all connections end."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """Reset every connection and let no new one in, until `heal`."""
        self._admits = False
        for writer in list(self._writers):
            _reset(writer)

    def swallow(self) -> None:
        """Let nothing through while connections stay up, until `heal`."""
        self._flows.clear()

    def slow(self) -> None:
        """Let only a trickle through, until `heal`."""
        self._slow = True

    def heal(self) -> None:
        """Let everything through again. What was swallowed is lost with its connection, as on a real network."""
        if not self._flows.is_set():
            for writer in list(self._writers):
                _reset(writer)
        self._flows.set()
        self._admits, self._slow = True, False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._admits:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            _reset(writer)
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            self._writers -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self._slow:
                    await asyncio.sleep(len(data) / SLOW_BYTES_PER_S)
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    line: socket.socket | None = writer.get_extra_info("socket")
    if line is not None:
        with suppress(OSError):
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
