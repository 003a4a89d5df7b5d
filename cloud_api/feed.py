"""What changes, told to whoever listens: one event per zone that looks different, as bytes of a server-sent event.

In come the zones that may have changed, and the time; out go events, encoded once however many listen. A listener
that does not keep up loses its backlog and gets a fresh snapshot: memory per listener is bounded.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from cloud_api.live import Live
from cloud_api.registry.current import CurrentRegistry
from cloud_api.zones import ZoneView, samples_of, zone_view

TTL_S: Final = 10
"""How long a caller may keep an answer, in seconds."""
VERSION: Final = "1.0"
"""Of the shape of the answers."""
BACKLOG: Final = 64
"""Events kept for a listener that is slow."""
MOST_LISTENERS: Final = 10_000
HEARTBEAT_S: Final = 15.0
TICK_S: Final = 1.0
"""How often what only grows old is looked at again."""
COALESCE_S: Final = 0.02
"""Changes that come closer together than this leave as one event per zone."""
HEARTBEAT: Final = b": still here\n\n"


class ZoneList(Struct, frozen=True):
    """The zones of a town."""

    zones: tuple[ZoneView, ...]


class ZonesAnswer(Struct, frozen=True, kw_only=True):
    """All zones in the envelope that GBFS taught."""

    last_updated: datetime
    """As of when the figures are, UTC."""
    ttl: int
    """How long this answer may be kept, in seconds."""
    version: str
    data: ZoneList


class ZoneFeed:
    """The zones as last looked at, and who listens. Guards that every listener can rebuild them from its events."""

    def __init__(self, live: Live, registry: CurrentRegistry, now: datetime) -> None:
        self._live = live
        self._current = registry
        self._registry = registry.now
        self._views: dict[str, ZoneView] = {}
        self.as_of = self._all_looked_at = datetime.min.replace(tzinfo=UTC)
        self._touched: set[str] = set()
        self._touch = asyncio.Event()
        self._listeners: set[Listener] = set()
        self._ended = False
        self._body = b""
        self._run = secrets.token_hex(4)
        self._number = 0
        self.look(now)

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def zones(self) -> tuple[ZoneView, ...]:
        """The zones as last looked at."""
        return tuple(self._views[zone] for zone in self._registry.zones)

    def touch(self, zones: Iterable[str]) -> None:
        """Say that these zones may look different now."""
        self._touched.update(zones)
        if self._touched:
            self._touch.set()

    def look(self, now: datetime) -> ZonesAnswer:
        """Look again at the zones that were touched, and once a second at all; tells the listeners what changed."""
        reloaded = self._current.now is not self._registry
        if reloaded:
            self._show_zones_of_another_registry()
        if reloaded or abs(now - self._all_looked_at) >= timedelta(seconds=TICK_S):
            self._all_looked_at = now
            self._note(now)
            self._touched.update(self._registry.zones)
        touched = sorted(self._touched & self._registry.zones.keys())
        changed = [view for zone in touched if (view := self._look_at(zone, now)) is not None]
        self._touched.clear()
        self._touch.clear()
        self.as_of = now
        self._body = msgspec.json.encode(self.answer())
        for view in changed:
            self._tell(view)
        return self.answer()

    def answer(self) -> ZonesAnswer:
        """All zones as last looked at."""
        return ZonesAnswer(last_updated=self.as_of, ttl=TTL_S, version=VERSION, data=ZoneList(self.zones()))

    def body(self) -> bytes:
        """The same as JSON, encoded once however many ask."""
        return self._body

    async def changed(self) -> None:
        """Wait until a zone is touched, or a tick has passed."""
        try:
            async with asyncio.timeout(TICK_S):
                await self._touch.wait()
        except TimeoutError:
            return

    @contextmanager
    def listen(self) -> Iterator["Listener"]:
        """Listen for the length of a `with`."""
        listener = Listener(self)
        if self._ended:
            listener.end()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def end(self) -> None:
        """Let every listener go, and those who come later."""
        self._ended = True
        for listener in self._listeners:
            listener.end()

    def snapshot(self) -> bytes:
        """All zones as one event."""
        return _event("snapshot", f"{self._run}-{self._number}", self._body)

    def _show_zones_of_another_registry(self) -> None:
        """Where its zones are others, the listeners get a fresh snapshot: no event says that a zone is gone."""
        before, self._registry = list(self._registry.zones), self._current.now
        if list(self._registry.zones) != before:
            self._views = {zone: view for zone, view in self._views.items() if zone in self._registry.zones}
            for listener in self._listeners:
                listener.begin_anew()

    def _note(self, now: datetime) -> None:
        if self._live.trails.is_due(now):
            self._live.trails.note(samples_of(self._views.values(), now), now)

    def _look_at(self, zone: str, now: datetime) -> ZoneView | None:
        """The zone, if it looks different from the last time."""
        view = zone_view(self._live, self._registry, self._registry.zones[zone], now)
        if view == self._views.get(zone):
            return None
        self._views[zone] = view
        return view

    def _tell(self, view: ZoneView) -> None:
        self._number += 1
        event = _event("zone", f"{self._run}-{self._number}", msgspec.json.encode(view))
        for listener in self._listeners:
            listener.push(event)


class Listener:
    """One caller of the stream: a snapshot first, then what changes, in order."""

    def __init__(self, feed: ZoneFeed) -> None:
        self._feed = feed
        self._events: deque[bytes] = deque()
        self._snapshot_due = True
        self._ended = False
        self._wake = asyncio.Event()

    def push(self, event: bytes) -> None:
        """Keep an event for the caller; too many, and a snapshot will stand for them all."""
        if self._snapshot_due:
            return
        self._events.append(event)
        self._wake.set()
        if len(self._events) > BACKLOG:
            self.begin_anew()

    def begin_anew(self) -> None:
        """A snapshot stands for all that the caller did not get yet."""
        self._events.clear()
        self._snapshot_due = True
        self._wake.set()

    def end(self) -> None:
        """Let the caller go."""
        self._ended = True
        self._wake.set()

    async def events(self, heartbeat_s: float = HEARTBEAT_S) -> AsyncIterator[bytes]:
        """Events as they come, with a sign of life where none comes; ends when the feed does."""
        while not self._ended:
            if self._snapshot_due:
                self._snapshot_due = False
                yield self._feed.snapshot()
            elif self._events:
                yield self._events.popleft()
            elif not await self._woken(heartbeat_s):
                yield HEARTBEAT

    async def _woken(self, patience_s: float) -> bool:
        self._wake.clear()
        try:
            async with asyncio.timeout(patience_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True


def _event(name: str, number: str, data: bytes) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (number.encode(), name.encode(), data)
