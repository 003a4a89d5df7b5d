"""The web server around the API: lets streams end before it waits for its connections, and ends when the API fails."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from cloud_api.app import Api

BACKLOG = 2048
"""Connections that may wait to be accepted."""
GRACE_S = 5
"""How long requests under way may take after the signal to stop."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises `OSError`.

    It says that it is TCP: on no other does asyncio set TCP_NODELAY, without which every answer waits some 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


class ApiServer(uvicorn.Server):
    """A uvicorn server that ends the API's streams when it is told to stop: they would never end by themselves."""

    def __init__(self, api: Api, *, host: str = "127.0.0.1", port: int = 8000) -> None:
        self._api = api
        super().__init__(
            uvicorn.Config(
                api,
                host=host,
                port=port,
                access_log=False,
                lifespan="on",
                ws="none",
                timeout_graceful_shutdown=GRACE_S,
                log_config=None,
                forwarded_allow_ips=list(api.services.settings.proxies),
            )
        )

    @property
    def failed(self) -> bool:
        """Whether a part of the API that works by itself came to an end that nobody expected; the log says which."""
        failed: bool = self.lifespan.shutdown_failed
        return failed

    async def on_tick(self, counter: int) -> bool:
        """Serve no longer than the API works: figures that nobody keeps up to date would go on looking fresh."""
        return await super().on_tick(counter) or self.failed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then finish what is under way, then end the application."""
        self._api.end_streams()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT for the length of serving; being told to stop is a normal end, not raised again."""
        with super().capture_signals():
            try:
                yield
            finally:
                self._captured_signals.clear()
