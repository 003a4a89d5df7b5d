"""A serial cable: a pseudo-terminal pair, the sensor on one end, whoever opens `path` on the other.

In go the bytes a sensor sends, out come the bytes it is sent. Like a real wire it never waits: what the other side does
not take in time is lost. The cable can be pulled and put back.
"""

import asyncio
import os
import pty
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

READ_SIZE = 4096


class SerialPeer:
    """The sensor's end of a serial cable, plugged in from the start."""

    def __init__(self, path: Path | None = None) -> None:
        """Plug in. With `path`, a symbolic link of that name always leads to the port, as /dev/serial/by-id does."""
        self._link = path
        self._ends: tuple[int, ...] | None = None
        self._name = ""
        self._watching: asyncio.AbstractEventLoop | None = None
        self.plug()

    @property
    def path(self) -> str:
        """What to open on the other side."""
        return self._name if self._link is None else str(self._link)

    @property
    def descriptor(self) -> int:
        """The sensor's end, to be watched by an event loop. Raises RuntimeError while unplugged."""
        if self._ends is None:
            raise RuntimeError("unplugged")
        return self._ends[0]

    def plug(self) -> None:
        """Put the cable back: a new port, most often under another name."""
        if self._ends is not None:
            return
        sensor, port = pty.openpty()
        tty.setraw(port)
        os.set_blocking(sensor, False)
        self._ends = (sensor, port)
        self._name = os.ttyname(port)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._name)

    def only_speak(self) -> None:
        """Hold no more than the sensor's end, so that nobody seems to use the port; `receive` is at an end."""
        if self._ends is not None:
            sensor, *ports = self._ends
            for port in ports:
                os.close(port)
            self._ends = (sensor,)

    def unplug(self) -> None:
        """Pull the cable: whoever has the port open gets an input/output error, and the name is gone."""
        if self._ends is None:
            return
        for end in self._ends:
            os.close(end)
        self._ends = None
        if self._link is not None:
            self._link.unlink(missing_ok=True)

    def send(self, data: bytes) -> None:
        """Send bytes down the wire; unplugged, or when the other side does not keep up, they are lost."""
        if self._ends is not None:
            with suppress(BlockingIOError):
                os.write(self._ends[0], data)

    def receive(self) -> bytes:
        """What the other side has sent since the last call, at most 4096 bytes; nothing while unplugged."""
        if self._ends is None:
            return b""
        try:
            return os.read(self._ends[0], READ_SIZE)
        except BlockingIOError:
            return b""

    def watch(self, heard: Callable[[], None]) -> None:
        """Call `heard` in the running event loop whenever the other side has sent something, until `close`."""
        self._watching = asyncio.get_running_loop()
        self._watching.add_reader(self.descriptor, heard)

    def close(self) -> None:
        """Stop watching, and pull the cable."""
        if self._watching is not None:
            self._watching.remove_reader(self.descriptor)
            self._watching = None
        self.unplug()
