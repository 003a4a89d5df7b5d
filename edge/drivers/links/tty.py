"""A serial port that is read and written without blocking the event loop.

In comes a path or a USB identity, out come bytes as they arrive; a port that is missing or pulled is a `LinkError`.
One read at a time is under way, in a thread of its own, and nothing reads ahead of its caller: what nobody asks for
waits in the kernel's buffer, which is bounded.
"""

import asyncio
import errno
import os
import termios
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import serial
from serial.tools import list_ports

from edge.drivers.links.base import LinkError

READ_WAIT_S = 0.1
"""How long a read waits for a first byte."""
WRITE_WAIT_S = 2.0
USB_PREFIX = "usb:"

_ADVICE = {
    errno.ENOENT: "plug it in, or give the path it has under /dev/serial/by-id",
    errno.EACCES: "let the gateway's user into the group that owns the port (usually dialout)",
    errno.EAGAIN: "another program has the port open: close it",
    errno.EBUSY: "another program has the port open: close it",
}
_OTHER_ADVICE = "check the cable and the adapter; the link opens the port again by itself"


class Tty:
    """One open port. Use `open_tty`."""

    def __init__(self, link: str, port: serial.Serial) -> None:
        self._link = link
        self._port = port
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"tty-{link}")

    async def read(self) -> bytes:
        """What has arrived, or nothing after `READ_WAIT_S`. Raises `LinkError` when the port is gone."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._read)
        except (OSError, termios.error) as error:
            raise _lost(self._link, self._port.port, error) from error

    async def write(self, data: bytes) -> None:
        """Send bytes. Raises `LinkError` when the port is gone or takes nothing for `WRITE_WAIT_S`."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._port.write, data)
        except (OSError, termios.error) as error:
            raise _lost(self._link, self._port.port, error) from error

    def close(self) -> None:
        """Interrupt a read under way and give the port back."""
        self._port.cancel_read()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._port.close()

    def _read(self) -> bytes:
        first: bytes = self._port.read(1)
        rest: bytes = self._port.read(self._port.in_waiting) if first else b""
        return first + rest


@asynccontextmanager
async def open_tty(link: str, port: str, baud: int) -> AsyncIterator[Tty]:
    """The port for the length of an `async with`, 8 data bits, no parity, 1 stop bit, locked against other programs.

    `port` is a path (best one under /dev/serial/by-id) or `usb:VID:PID[:SERIAL]` in hexadecimal, looked up each time
    so that an adapter may come back under another name. Raises `LinkError`, naming `link`.
    """
    tty = Tty(link, await asyncio.to_thread(_open, link, port, baud))
    try:
        yield tty
    finally:
        await asyncio.to_thread(tty.close)


def _open(link: str, port: str, baud: int) -> serial.Serial:
    path = path_of(link, port)
    try:
        return serial.Serial(path, baud, timeout=READ_WAIT_S, write_timeout=WRITE_WAIT_S, exclusive=True)
    except ValueError as error:
        advice = "correct `baud`: the adapter cannot do this one"
        raise LinkError(link, f"port {path}: {error}", advice=advice) from error
    except (OSError, termios.error) as error:
        raise _lost(link, path, error) from error


def path_of(link: str, port: str) -> str:
    """Where a port is now, given as a path or by its USB identity. Raises `LinkError` when no such adapter is there."""
    if not port.startswith(USB_PREFIX):
        return port
    wanted = port.removeprefix(USB_PREFIX).lower().split(":", 2)
    for candidate in list_ports.comports():
        identity = (f"{candidate.vid or 0:04x}", f"{candidate.pid or 0:04x}", (candidate.serial_number or "").lower())
        if list(identity[: len(wanted)]) == wanted:
            path: str = candidate.device
            return path
    raise LinkError(link, f"no adapter {port} is plugged in", advice="plug it in, or correct `port`")


def _lost(link: str, port: str | None, error: OSError | termios.error) -> LinkError:
    code = error.errno if isinstance(error, OSError) else None
    if code in _ADVICE:
        return LinkError(link, f"port {port}: {os.strerror(code)}", advice=_ADVICE[code])
    return LinkError(link, f"port {port}: {error}", advice=_OTHER_ADVICE)
