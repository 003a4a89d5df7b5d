"""One MQTT connection that lives in the event loop: paho reads and writes when the loop says that the socket is ready.

In comes a paho client, out go the calls of its `on_…` functions, all in the event loop. A thread is borrowed for what
blocks (name, connection, TLS handshake) and for nothing else: waking one for each message costs more than the message.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from paho.mqtt.client import Client, DisconnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

log = logging.getLogger(__name__)

KEEPALIVE_S = 30
LOOK_S = 1.0
"""How often the keep-alive is looked after."""
LEAVE_WITHIN_S = 1.0
"""So long a broker may take to let us go; one that swallows everything would hold us until the keep-alive."""


class Connection:
    """A client at work in the event loop. Use `connected`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._closed = asyncio.Event()
        self._reason = ""

    async def open(self, host: str, port: int) -> None:
        """Connect; the broker's answer comes later, by `on_connect`. Raises OSError or ValueError."""
        client = self._client
        client.on_disconnect = self._on_disconnect
        await asyncio.to_thread(client.connect, host, port, KEEPALIVE_S)
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        sock = client.socket()
        if not isinstance(sock, socket.socket):
            raise ConnectionError(self._reason)
        self._loop.add_reader(sock, self._read, sock)
        if client.want_write():
            self._loop.add_writer(sock, self._write, sock)

    async def lost(self) -> str:
        """Return when the connection is gone, and why."""
        while not self._closed.is_set():
            self._client.loop_misc()
            await self._closed_within(LOOK_S)
        return self._reason

    async def leave(self) -> None:
        """Take leave of the broker once all that was published is on its way."""
        self._client.disconnect()
        await self._closed_within(LEAVE_WITHIN_S)
        sock = self._client.socket()
        if sock is not None:
            log.warning("the broker did not let go within %g s", LEAVE_WITHIN_S)
            self._on_unregister_write(self._client, None, sock)
            self._on_socket_close(self._client, None, sock)
            sock.close()

    async def _closed_within(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()

    def _read(self, sock: socket.socket) -> None:
        self._client.loop_read()
        while isinstance(sock, ssl.SSLSocket) and sock.pending():
            self._client.loop_read()

    def _write(self, sock: socket.socket) -> None:
        """What waits together travels together: paho sends packet by packet, each a segment of its own otherwise."""
        if sock.fileno() >= 0:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            self._client.loop_write()
        if sock.fileno() >= 0:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
            if self._client.want_write():
                self._loop.add_writer(sock, self._write, sock)

    def _on_disconnect(
        self, _client: Client, _userdata: Any, _flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._reason = str(code)

    def _on_socket_close(self, _client: Client, _userdata: Any, sock: Any) -> None:
        self._loop.remove_reader(sock)
        self._closed.set()

    def _on_register_write(self, _client: Client, _userdata: Any, sock: Any) -> None:
        """There is almost always room: to write at once and wait for room after that spares three calls of epoll."""
        self._loop.call_soon(self._write, sock)

    def _on_unregister_write(self, _client: Client, _userdata: Any, sock: Any) -> None:
        self._loop.remove_writer(sock)


@asynccontextmanager
async def connected(client: Client, host: str, port: int) -> AsyncIterator[Connection]:
    """The connection for the length of an `async with`, which ends with a leave. Raises OSError or ValueError."""
    connection = Connection(client)
    await connection.open(host, port)
    try:
        yield connection
    finally:
        await connection.leave()
