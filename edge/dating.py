"""When it was that something was heard, and how sure that is: by a network server's time, by our clock, or not yet.

In come moments of the monotonic clock, out come UTC seconds with their source and flags. Our wall clock may be unknown
for a while and may step; a network server's may be wrong.
"""

import logging
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from edge.clock import Clock, to_datetime, to_utc_ms
from edge.messages import Flag, TimeSource
from edge.readings import CLOCK_SET

log = logging.getLogger(__name__)

FUTURE_MS = 300_000
"""A network server's time further ahead of ours than this is not believed."""
AHEAD = timedelta(days=1)
"""A device's own time further ahead than this is no time zone that was taken for UTC."""
STEP_MS = 2_000
"""The wall clock moved by more than this against the monotonic one: it stepped."""


class Dated(NamedTuple):
    """When something was heard."""

    at_s: int
    """UTC seconds."""
    source: TimeSource
    flags: tuple[Flag, ...] = ()


class Dating:
    """Guards one invariant: what a device counted across a step of our clock is flagged at its next report."""

    def __init__(self, clock: Clock, devices: Collection[str], counters: Counter[str]) -> None:
        """`devices` are those that were ever heard, as they are now; `counters` get `clock_steps`."""
        self._clock = clock
        self._devices = devices
        self._counters = counters
        self._offset_ms: int | None = None
        """Between wall and monotonic clock, as last seen."""
        self._offsets_ms: dict[str, int] = {}
        """By device, at its last report: where it is another at the next one, the clock stepped in between."""

    def note_offset(self, offset_ms: int) -> None:
        """Our wall clock is so far ahead of the monotonic one: where it was not before, it stepped."""
        known_ms, self._offset_ms = self._offset_ms, offset_ms
        if known_ms is not None and abs(offset_ms - known_ms) > STEP_MS:
            self._counters["clock_steps"] += 1
            moved_ms = offset_ms - known_ms
            log.warning("the wall clock stepped by %d ms; the next report of each device is flagged", moved_ms)
            self._offsets_ms = dict.fromkeys(self._devices, known_ms) | self._offsets_ms

    def by_network(self, device: str, heard_ms: int, network_time: datetime | None) -> Dated | None:
        """When a network server heard it; None where there is none to be believed."""
        network_ms = self._believed_ms(heard_ms, network_time)
        if network_ms is None:
            return None
        self._offsets_ms.pop(device, None)
        return Dated(network_ms // 1000, TimeSource.NETWORK)

    def by_clock(self, device: str, heard_ms: int, *, reported: bool) -> Dated | None:
        """When we heard it; None while the time is not known. `reported`: the device itself spoke."""
        now_ms = self._clock.utc_ms(heard_ms)
        if now_ms is None:
            return None
        offset_ms = now_ms - heard_ms
        self.note_offset(offset_ms)
        known_ms = self._offsets_ms.get(device, offset_ms)
        if reported:
            self._offsets_ms[device] = offset_ms
        flags = (Flag.CLOCK,) if abs(offset_ms - known_ms) > STEP_MS else ()
        return Dated(now_ms // 1000, TimeSource.GATEWAY, flags)

    def horizon(self, heard_ms: int, network_time: datetime | None) -> datetime | None:
        """What a device itself dates later than this, no clock of the world showed; None while no time is known."""
        now_ms = self._clock.utc_ms(heard_ms)
        known_ms = self._believed_ms(heard_ms, network_time) if now_ms is None else now_ms
        return None if known_ms is None else to_datetime(known_ms) + AHEAD

    def after_waiting(self, session: str, heard_ms: int, booted_ms: int) -> Dated:
        """When we heard what waited until it was known that this boot was at `booted_ms`, UTC.

        Over a power cut the time is lost: then this boot is the best known.
        """
        if session != self._clock.session:
            return Dated(booted_ms // 1000, TimeSource.GATEWAY, (Flag.CLOCK,))
        return Dated((booted_ms + heard_ms) // 1000, TimeSource.GATEWAY)

    def _believed_ms(self, heard_ms: int, network_time: datetime | None) -> int | None:
        """A network server's time, where it can be: its clock was set, and is not ahead of ours."""
        if network_time is None or network_time < CLOCK_SET:
            return None
        now_ms, network_ms = self._clock.utc_ms(heard_ms), to_utc_ms(network_time)
        return None if now_ms is not None and network_ms > now_ms + FUTURE_MS else network_ms
