"""What no API on this web server could go below: bare ASGI, which answers with bytes that it was given.

Run as a program (`python -m tests.bench.bare_api FILE PORT`): FILE holds the answer of `/zones`, JSON of headers and
body. `/stream` tells its listeners every 0.2 s the moment, in seconds of the system's monotonic clock, with about as
many bytes as a zone's event has.
"""

import asyncio
import sys
from pathlib import Path
from time import perf_counter

import msgspec
import uvicorn
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from cloud_api.server import listen
from tests.broker import HOST

EVERY_S = 0.2
EVENT_BYTES = 700


class Recorded(Struct, frozen=True):
    """An answer, to be given again."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class BareApi:
    """Answers, and tells whoever listens."""

    def __init__(self, recorded: Recorded) -> None:
        self._start = {"type": "http.response.start", "status": 200, "headers": recorded.headers}
        self._end = {"type": "http.response.body", "body": recorded.body}
        self._event = b""
        self._told = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] == "/stream":
            await self._tell(send)
        await send(self._start)
        await send(self._end)

    async def _tell(self, send: Send) -> None:
        self._telling = self._telling or asyncio.create_task(self._tick())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        while True:
            await self._told.wait()
            await send({"type": "http.response.body", "body": self._event, "more_body": True})

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            moment = f"event: zone\nid: {perf_counter():.6f}\ndata: "
            self._event = f"{moment}{'x' * (EVENT_BYTES - len(moment))}\n\n".encode()
            told, self._told = self._told, asyncio.Event()
            told.set()


def main(recorded: Path, port: int) -> None:
    """Serve until the end."""
    app = BareApi(msgspec.json.decode(recorded.read_bytes(), type=Recorded))
    config = uvicorn.Config(
        app, access_log=False, ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=1
    )
    with listen(HOST, port) as listener:
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
