"""All zones as last looked at: the answer that is prepared once for every caller, and the stream of what changes.

In come the zones that may have changed, and the time; out go bytes, encoded once however many ask or listen.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from cloud_api.envelope import VERSION, Envelope
from cloud_api.live import Live
from cloud_api.prepared import Prepared
from cloud_api.registry.current import CurrentRegistry
from cloud_api.stream import HEARTBEAT_S, Stream, Wanted, encode_event
from cloud_api.zones import ZoneDetail, ZoneView, samples_of, zone_detail

TTL_S: Final = 10
"""How long a caller may keep an answer, in seconds."""
CACHE_CONTROL: Final = f"public, max-age={TTL_S}"
EACH_WITHIN: Final = timedelta(seconds=5)
"""How often a zone that only grows old is looked at again."""
TICK_S: Final = 0.1
"""How often some of them are."""
COALESCE_S: Final = 0.02
"""Changes that come closer together than this leave as one event per zone."""


class ZoneList(Struct, frozen=True):
    """The zones of a town."""

    zones: tuple[ZoneView, ...]


class ZonesAnswer(Envelope, frozen=True, kw_only=True):
    """All zones in the envelope that GBFS taught."""

    data: ZoneList


class ZoneFeed:
    """Guards that answer and stream tell the same: what a listener was told last is what a caller gets now."""

    def __init__(self, live: Live, registry: CurrentRegistry, now: datetime) -> None:
        self._live = live
        self._current = registry
        self._registry = registry.now
        self._views: dict[str, ZoneView] = {}
        self._details: dict[str, ZoneDetail] = {}
        self._encoded: dict[str, bytes] = {}
        self.as_of = self._turned_at = self.stamped_at = datetime.min.replace(tzinfo=UTC)
        """`stamped_at`: when the figures last changed, or were last dated anew, UTC."""
        self.edition = 0
        """Counts up whenever the figures are dated anew: what was made of an older edition is out of date."""
        self._turn = 0
        self._touched: set[str] = set()
        self._touch = asyncio.Event()
        self._prepared: Prepared | None = None
        self._whole_snapshot: bytes | None = None
        self.stream = Stream("zone", self._snapshot)
        self.look(now)

    def zones(self) -> tuple[ZoneView, ...]:
        """The zones as last looked at."""
        return tuple(self._views[zone] for zone in self._registry.zones)

    def details(self) -> Mapping[str, ZoneDetail]:
        """The same with their spaces, by id."""
        return {zone: self._details[zone] for zone in self._registry.zones}

    def touch(self, zones: Iterable[str]) -> None:
        """Say that these zones may look different now."""
        self._touched.update(zones)
        if self._touched:
            self._touch.set()

    def look(self, now: datetime) -> ZonesAnswer:
        """Look again at the zones that were touched, and at each within seconds; tells the listeners what changed."""
        reloaded = self._current.now is not self._registry
        if reloaded:
            self._show_zones_of_another_registry()
        self._note(now)
        self._touched.update(self._registry.zones if reloaded else self._growing_old(now))
        touched = sorted(self._touched & self._registry.zones.keys())
        changed = [zone for zone in touched if self._looks_different(zone, now)]
        self._touched.clear()
        self._touch.clear()
        self.as_of = now
        if changed or reloaded or abs(now - self.stamped_at) >= timedelta(seconds=TTL_S):
            self._stamp(now)
        for zone in changed:
            self.stream.tell(zone, self._encoded[zone])
        return self.answer()

    def answer(self) -> ZonesAnswer:
        """All zones as last looked at."""
        return ZonesAnswer(last_updated=self.stamped_at, ttl=TTL_S, data=ZoneList(self.zones()))

    def prepared(self) -> Prepared:
        """The same, ready to send: made once for each change, when somebody first asks."""
        if self._prepared is None:
            self._prepared = Prepared(self._envelope(None), media_type="application/json", cache_control=CACHE_CONTROL)
        return self._prepared

    async def changed(self) -> None:
        """Wait until a zone is touched, or a moment has passed."""
        try:
            async with asyncio.timeout(TICK_S):
                await self._touch.wait()
        except TimeoutError:
            return

    async def keep_beating(self) -> None:
        """Show the listeners that the stream lives, until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self.stream.beat()

    def end(self) -> None:
        """Let every listener go, and those who come later."""
        self.stream.end()

    def _stamp(self, now: datetime) -> None:
        """Date the figures; what was prepared of others is let go."""
        self.stamped_at = now
        self.edition += 1
        self._prepared = self._whole_snapshot = None

    def _snapshot(self, number: str, zones: Wanted) -> bytes:
        """Zones as one event; that of all zones is made once for everybody."""
        if zones is not None:
            return encode_event("snapshot", number, self._envelope(zones))
        if self._whole_snapshot is None:
            self._whole_snapshot = encode_event("snapshot", number, self._envelope(None))
        return self._whole_snapshot

    def _envelope(self, zones: Wanted) -> bytes:
        """A `ZonesAnswer` as JSON, of zones that are encoded already."""
        wanted = (each for each in self._registry.zones if zones is None or each in zones)
        told = msgspec.Raw(b"[" + b",".join(self._encoded[each] for each in wanted) + b"]")
        return msgspec.json.encode(
            {"last_updated": self.stamped_at, "ttl": TTL_S, "version": VERSION, "data": {"zones": told}}
        )

    def _show_zones_of_another_registry(self) -> None:
        """Where its zones are others, the listeners get a fresh snapshot: no event says that a zone is gone."""
        before, self._registry = list(self._registry.zones), self._current.now
        if list(self._registry.zones) != before:
            self._views = {zone: view for zone, view in self._views.items() if zone in self._registry.zones}
            self._details = {zone: self._details[zone] for zone in self._views}
            self._encoded = {zone: self._encoded[zone] for zone in self._views}
            self.stream.begin_anew()

    def _growing_old(self, now: datetime) -> list[str]:
        """The zones whose turn it is: never many at once, and each once in a while."""
        zones = list(self._registry.zones)
        turns = min(len(zones), int(len(zones) * (abs(now - self._turned_at) / EACH_WITHIN)))
        if not turns:
            return []
        first, self._turned_at, self._turn = self._turn, now, (self._turn + turns) % len(zones)
        return (zones + zones)[first : first + turns]

    def _note(self, now: datetime) -> None:
        if self._live.trails.is_due(now):
            self._live.trails.note(samples_of(self._views.values(), now), now)

    def _looks_different(self, zone: str, now: datetime) -> bool:
        """Look at a zone; whether it looks different from the last time."""
        self._details[zone] = zone_detail(self._live, self._registry, self._registry.zones[zone], now)
        view = self._details[zone].without_spaces()
        if view == self._views.get(zone):
            return False
        self._views[zone] = view
        self._encoded[zone] = msgspec.json.encode(view)
        return True
