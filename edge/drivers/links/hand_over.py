"""Hands values from a thread over to the event loop, at most so many at a time.

In go values from one foreign thread, out they come in an asyncio task, in order. The thread waits while there is no
room: nothing is dropped and nothing grows.
"""

import asyncio
from threading import Semaphore
from typing import Generic, TypeVar

from edge.drivers.links.base import LinkError

Value = TypeVar("Value")


class HandOver(Generic[Value]):
    """Room for `size` values between one thread and the event loop in which this is created."""

    def __init__(self, size: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Value | LinkError] = asyncio.Queue()
        self._room = Semaphore(size)
        self._closed = False

    def put(self, value: Value) -> None:
        """From the thread: hand over, waiting for room. After `close` the value is let go."""
        if not self._closed:
            self._room.acquire()
        if not self._closed:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, value)

    async def get(self) -> Value:
        """In the event loop: the next value. Raises the error of `fail` when there is none left."""
        value = await self._queue.get()
        if isinstance(value, LinkError):
            raise value
        self._room.release()
        return value

    def fail(self, error: LinkError) -> None:
        """From the thread: end the reader, once it has taken what was handed over before."""
        if not self._closed:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, error)

    def close(self) -> None:
        """In the event loop: nobody reads any more; a thread that waits for room goes on."""
        self._closed = True
        self._room.release()
