"""Server-sent events of places, for thousands of listeners: encoded once, kept a while, given again to who comes back.

In come events with the place that they tell of, out go bytes for each listener. An event tells a place whole, so the
newest of each is all that a listener who is behind needs: what waits for him, and what is kept of the past, is bounded.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

PAST: Final = 1_000
"""Events that are kept for those who come back: of a town of 2,000 spaces, some minutes."""
LONGEST_ID: Final = 40
"""Characters of an event's id that are read."""
HEARTBEAT_S: Final = 15.0
HEARTBEAT: Final = b": still here\n\n"

Wanted = frozenset[str] | None
"""The places that somebody listens to; None for all."""


class Told(Struct, frozen=True):
    """One event of the past."""

    number: int
    place: str
    event: bytes


class Stream:
    """Guards that whoever takes every event, or comes back after any of them, ends with the places as they are."""

    def __init__(self, event: str, snapshot: Callable[[str, Wanted], bytes]) -> None:
        """`event` names what tells of one place; `snapshot` makes the event that tells of all, under a number."""
        self._event = event
        self._snapshot = snapshot
        self._run = _new_run()
        self._number = 0
        self._past: deque[Told] = deque(maxlen=PAST)
        self._listeners: set[Listener] = set()
        self._ended = False

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def tell(self, place: str, body: bytes) -> None:
        """Tell the listeners how a place looks now."""
        self._number += 1
        event = encode_event(self._event, self._last_id, body)
        self._past.append(Told(self._number, place, event))
        for listener in self._listeners:
            listener.push(place, event)

    def begin_anew(self) -> None:
        """Tell everybody all places: what was told before says nothing of those that are there now."""
        self._run = _new_run()
        self._past.clear()
        for listener in self._listeners:
            listener.begin_anew()

    def beat(self) -> None:
        """Show those to whom there is nothing to say that the stream lives."""
        for listener in self._listeners:
            listener.beat()

    def end(self) -> None:
        """Let every listener go, and those who come later."""
        self._ended = True
        for listener in self._listeners:
            listener.end()

    @contextmanager
    def listen(self, wanted: Wanted = None, last_id: str = "") -> Iterator["Listener"]:
        """Listen for the length of a `with`; `last_id` is the last event that the caller had."""
        listener = Listener(wanted, lambda: self._snapshot(self._last_id, wanted))
        missed = self._since(last_id)
        if missed is not None:
            listener.resume(missed)
        if self._ended:
            listener.end()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    @property
    def _last_id(self) -> str:
        return f"{self._run}-{self._number}"

    def _since(self, last_id: str) -> list[Told] | None:
        """What was told after an event; None where that is not known any more."""
        run, _, number = last_id[:LONGEST_ID].partition("-")
        if run != self._run or not number.isdecimal():
            return None
        missed = self._number - int(number)
        return list(self._past)[len(self._past) - missed :] if 0 <= missed <= len(self._past) else None


class Listener:
    """One caller: a snapshot first, or what he missed; then what changes. Of each place the newest event waits."""

    def __init__(self, wanted: Wanted, snapshot: Callable[[], bytes]) -> None:
        self._wanted = wanted
        self._snapshot = snapshot
        self._waiting: dict[str, bytes] = {}
        self._snapshot_due = True
        self._ended = False
        self._wake = asyncio.Event()
        self._wake.set()

    def push(self, place: str, event: bytes) -> None:
        """Keep an event for the caller, in the place of an older one of the same place."""
        if self._snapshot_due or (self._wanted is not None and place not in self._wanted):
            return
        self._waiting.pop(place, None)
        self._waiting[place] = event
        self._wake.set()

    def resume(self, missed: list[Told]) -> None:
        """Give the caller what he missed instead of a snapshot."""
        self._snapshot_due = False
        self.beat()
        for told in missed:
            self.push(told.place, told.event)

    def begin_anew(self) -> None:
        """A snapshot stands for all that the caller did not get yet."""
        self._waiting.clear()
        self._snapshot_due = True
        self._wake.set()

    def beat(self) -> None:
        """Keep a sign of life for the caller, unless something else waits."""
        if not self._waiting and not self._snapshot_due:
            self._waiting[""] = HEARTBEAT
            self._wake.set()

    def end(self) -> None:
        """Let the caller go."""
        self._ended = True
        self._wake.set()

    async def events(self) -> AsyncIterator[bytes]:
        """Events as they come, those that wait together; ends when the stream does."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._ended:
                return
            yield self._take()

    def _take(self) -> bytes:
        if self._snapshot_due:
            self._snapshot_due = False
            return self._snapshot()
        events = b"".join(self._waiting.values())
        self._waiting.clear()
        return events


def encode_event(name: str, number: str, data: bytes) -> bytes:
    """An event as the standard writes it; `data` is one line."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (number.encode(), name.encode(), data)


def _new_run() -> str:
    return secrets.token_hex(4)
