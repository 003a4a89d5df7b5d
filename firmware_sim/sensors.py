"""The town's sensors: what each sends, byte for byte, and when.

In come the town and a span of time, out come uplinks in order of time. They follow from the town's truth alone, so any
span can be asked for, in the past for a history, in the future for the live town: the same moment always gives the
same bytes and the same frame counter. It must never know a link: how bytes travel is the peers' business.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from zlib import crc32

from firmware_sim.encoders import bosch_tps110, bthome_v2, hlk_ld2450, nwave_nps405, parametric_pcr2
from firmware_sim.radar import FRAME_MS, walk_frames
from firmware_sim.town import BTHOME, LD2450, NPS405, PCR2, TPS110, Bay, Counter, Device, Link, Town
from firmware_sim.walkers import EPOCH, Count, Direction

ALL_LINKS = frozenset(Link)
PCR2_COUNTS_PORT = 14
STATUS_PORT, HEARTBEAT_PORT = 1, 2
"""The fPorts of both the TPS110 and the NPS405."""
PCR2_WRAPS = 1 << 16
PCR2_BATTERY_MV, PCR2_PANEL_MW = 3_980, 850
NPS405_BATTERY_MV = 3_348
BTHOME_BATTERY_PCT = 93
BEFORE_A_WALK, AFTER_A_WALK = timedelta(seconds=3), timedelta(seconds=2)
"""Who crosses the radar's line so long after or before a span is in view within it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplink:
    """What one sensor sends at one moment."""

    device: Device
    at: datetime
    """UTC."""
    payload: bytes
    """Application payload, serial frame, or BTHome service data."""
    port: int | None = None
    """LoRaWAN fPort."""
    counter: int | None = None
    """LoRaWAN fCnt or BTHome encryption counter: 0 for the sensor's first message since the town opened."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of the town's time, `start` <= t < `end`."""

    town: Town
    start: datetime
    end: datetime
    radar_idle_ms: int = FRAME_MS
    """While nobody is in a radar's view it sends an empty frame so often; a multiple of 100."""


@dataclass(frozen=True, slots=True)
class _Routine:
    """The moments at which a device speaks by its own clock, whatever happens: `first`, and every `period` after it."""

    first: datetime
    period: timedelta

    def number_before(self, moment: datetime) -> int:
        """How many of them lie before `moment`."""
        return max(0, -((self.first - moment) // self.period))

    def within(self, span: Span) -> Iterator[datetime]:
        """Those of the span, in order."""
        number = self.number_before(span.start)
        while (moment := self.first + number * self.period) < span.end:
            yield moment
            number += 1


def uplinks(span: Span, links: frozenset[Link] = ALL_LINKS) -> Iterator[Uplink]:
    """All that the sensors on `links` send in the span, in order of time; nothing before the town opened."""
    span = replace(span, start=max(span.start, span.town.opened))
    counters = (COUNTER_SENSORS[each.device.model](span, each) for each in span.town.counters if _on(each, links))
    bays = (BAY_SENSORS[each.device.model](span, each) for each in span.town.bays() if _on(each, links))
    return merge(*counters, *bays, key=lambda uplink: uplink.at)


def latest(town: Town, moment: datetime, links: frozenset[Link] = ALL_LINKS) -> list[Uplink]:
    """The last message of each sensor before `moment`, oldest first: how a listener learns the present at once."""
    last: dict[str, Uplink] = {}
    for link in links:
        longest = max((device.period_s for device in town.devices() if device.link is link), default=0)
        for uplink in uplinks(Span(town, moment - timedelta(seconds=longest), moment), frozenset({link})):
            last[uplink.device.address] = uplink
    return sorted(last.values(), key=lambda uplink: uplink.at)


def _on(place: Counter | Bay, links: frozenset[Link]) -> bool:
    return place.device.link in links


def _pcr2(span: Span, counter: Counter) -> Iterator[Uplink]:
    """Counts of the period just ended, and totals, on every full period."""
    routine = _punctual(span.town, counter.device)
    for number, at in enumerate(routine.within(span), start=routine.number_before(span.start)):
        before, total = counter.walkers.totals_at(at - routine.period), counter.walkers.totals_at(at)
        payload = parametric_pcr2.counts_v4(
            total.in_ - before.in_,
            total.out - before.out,
            total.in_ % PCR2_WRAPS,
            total.out % PCR2_WRAPS,
            battery_mv=PCR2_BATTERY_MV,
            panel_mw=PCR2_PANEL_MW,
            temperature_c=_temperature_c(at),
        )
        yield Uplink(device=counter.device, at=at, payload=payload, port=PCR2_COUNTS_PORT, counter=number)


def _ld2450(span: Span, counter: Counter) -> Iterator[Uplink]:
    """Ten frames a second of whoever walks by."""
    passages = counter.walkers.passages_between(span.start - BEFORE_A_WALK, span.end + AFTER_A_WALK)
    frames = walk_frames(passages, span.start, span.end, seed=span.town.seed, idle_ms=span.radar_idle_ms)
    for at_ms, targets in frames:
        at = EPOCH + timedelta(milliseconds=at_ms)
        yield Uplink(device=counter.device, at=at, payload=hlk_ld2450.report(targets))


def _bthome_counter(span: Span, counter: Counter) -> Iterator[Uplink]:
    """Totals at every passage, and on every full period."""
    routine = _punctual(span.town, counter.device)
    total = counter.walkers.totals_at(span.start)
    passages = ((passage.at, passage.direction) for passage in counter.walkers.passages_between(span.start, span.end))
    alive = ((moment, None) for moment in routine.within(span))
    number = total.both + routine.number_before(span.start)
    for at, direction in merge(alive, passages, key=lambda event: event[0]):
        total += Count(direction is Direction.IN, direction is Direction.OUT)
        counts = (bthome_v2.count(total.in_), bthome_v2.count(total.out))
        yield _bthome(counter.device, at, number, counts)
        number += 1


def _bthome_bay(span: Span, bay: Bay) -> Iterator[Uplink]:
    """Whether the bay is taken, at every change and regularly."""
    for number, (at, _) in _events(span, bay):
        yield _bthome(bay.device, at, number, (bthome_v2.occupancy(bay.drivers.occupied(at)),))


def _tps110(span: Span, bay: Bay) -> Iterator[Uplink]:
    """A status at every change, a heartbeat with the temperature regularly."""
    for number, (at, changed) in _events(span, bay):
        occupied = bay.drivers.occupied(at)
        status, heartbeat = bosch_tps110.parking_status, bosch_tps110.heartbeat
        payload = status(occupied) if changed else heartbeat(occupied, round(_temperature_c(at)))
        yield _parking(bay.device, at, number, payload, changed=changed)


def _nps405(span: Span, bay: Bay) -> Iterator[Uplink]:
    """A status with the length of the state before at every change, a heartbeat regularly."""
    for number, (at, changed) in _events(span, bay):
        occupied = bay.drivers.occupied(at)
        if changed:
            before = at - bay.drivers.since(at - timedelta(seconds=1))
            payload = nwave_nps405.parking_status(occupied, before // timedelta(minutes=1))
        else:
            payload = nwave_nps405.heartbeat(occupied, NPS405_BATTERY_MV, _temperature_c(at))
        yield _parking(bay.device, at, number, payload, changed=changed)


COUNTER_SENSORS: Mapping[str, Callable[[Span, Counter], Iterator[Uplink]]] = {
    PCR2: _pcr2,
    LD2450: _ld2450,
    BTHOME: _bthome_counter,
}
BAY_SENSORS: Mapping[str, Callable[[Span, Bay], Iterator[Uplink]]] = {
    TPS110: _tps110,
    NPS405: _nps405,
    BTHOME: _bthome_bay,
}


def _events(span: Span, bay: Bay) -> Iterator[tuple[int, tuple[datetime, bool]]]:
    """Each message of a bay's sensor: its number since the town opened, when, and whether the state has changed."""
    routine = _at_its_own_second(span.town, bay.device)
    changes = ((change.at, True) for change in bay.drivers.changes_between(span.start, span.end))
    alive = ((moment, False) for moment in routine.within(span))
    number = bay.drivers.changes_since(span.town.opened, span.start) + routine.number_before(span.start)
    return enumerate(merge(changes, alive), start=number)


def _punctual(town: Town, device: Device) -> _Routine:
    """A counter reports on the full period, so that an hour's counts are all reported when the hour ends."""
    return _Routine(town.opened, timedelta(seconds=device.period_s))


def _at_its_own_second(town: Town, device: Device) -> _Routine:
    """Heartbeats of many sensors do not fall together, and never on the full second at which drivers come and go."""
    offset_s = crc32(device.address.encode()) % device.period_s
    return _Routine(town.opened + timedelta(seconds=offset_s, milliseconds=500), timedelta(seconds=device.period_s))


def _bthome(device: Device, at: datetime, number: int, objects: Sequence[bthome_v2.Object]) -> Uplink:
    objects = (bthome_v2.battery(BTHOME_BATTERY_PCT), *objects)
    if device.key is None:
        payload = bthome_v2.plain(objects, number)
    else:
        payload = bthome_v2.encrypted(objects, device.key, device.address, number)
    return Uplink(device=device, at=at, payload=payload, counter=number)


def _parking(device: Device, at: datetime, number: int, payload: bytes, *, changed: bool) -> Uplink:
    port = STATUS_PORT if changed else HEARTBEAT_PORT
    return Uplink(device=device, at=at, payload=payload, port=port, counter=number)


def _temperature_c(moment: datetime) -> float:
    """A mild climate: warmest in July and in the afternoon, -1 to 23 °C."""
    season = math.cos((moment.timetuple().tm_yday - 200) / 365 * math.tau)
    time_of_day = math.cos((moment.hour - 14) / 24 * math.tau)
    return round(11 + 8 * season + 4 * time_of_day, 1)
