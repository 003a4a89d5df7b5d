"""From orders to closures: which bays lie within, at which hours, and what that changes in the registry. Pure.

A closure's name is drawn from its order, place and start, so that reading the same orders again changes nothing. What
an order no longer says ends now, or never begins; nothing is removed. Only whole exports may be given here; the
closures of an order that could not be read stay as they are.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from math import cos, radians
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from shapely import STRtree, box, from_geojson, prepare
from shapely.affinity import scale
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from cloud_api.feeds.dialog import Ban, Order, Orders, Validity
from cloud_api.feeds.lots import Refusal
from cloud_api.registry import Closure, Position, Registry, Space, Zone
from cloud_api.registry.places import Counting, ZoneKind

WITHIN_M: Final = 10.0
"""How far from an order's line a bay may lie: the line runs in the middle of the street, its bays at the side."""
AHEAD: Final = timedelta(days=14)
"""How far hours that come back are written down as closures of their own."""
METRES_PER_DEGREE: Final = 111_195.0


class Plan(Struct, frozen=True, kw_only=True):
    """What orders mean for a town."""

    changes: tuple[Closure, ...]
    """Closures to be added or put in the place of those with their names."""
    doubtful: tuple[Refusal, ...]
    """Places that an order touches and that a person must decide on."""
    same: int
    """Closures that stand as they are."""


def plan(
    registry: Registry, orders: Orders, *, source: str, now: datetime, zone: ZoneInfo, within_m: float = WITHIN_M
) -> Plan:
    """What the orders of a source change in a town."""
    wanted: dict[str, Closure] = {}
    doubtful: dict[str, str] = {}
    for order, ban, places in _touched(registry, orders, within_m):
        doubtful |= {place: f"{why} ({order.reason})" for place, why in places.items() if why}
        clear = [place for place, why in places.items() if not why]
        for window, place in product(_windows(ban.validities, now, zone), clear):
            closure = _closure(source, order.id, place, window, order.reason)
            other = wanted.get(closure.id)
            if other is None or _end(other) < _end(closure):
                wanted[closure.id] = closure
    unread = tuple(_prefix(source, each.id) for each in orders.refused)
    known = [each for each in registry.closures if each.source == source and not each.id.startswith(unread)]
    changes = tuple(_changes(known, wanted, now))
    return Plan(
        changes=changes,
        doubtful=tuple(Refusal(id=place, reason=why) for place, why in sorted(doubtful.items())),
        same=len(wanted) - len({each.id for each in changes} & wanted.keys()),
    )


def _touched(registry: Registry, orders: Orders, within_m: float) -> Iterator[tuple[Order, Ban, dict[str, str]]]:
    """Every ban with the places that it touches, each with why a person must decide; empty where it is clear."""
    ground = Ground(registry)
    for order in orders.orders:
        for ban in order.bans:
            yield order, ban, dict(_places(registry, ground, ban.shape, within_m))


def windows(validity: Validity, now: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """When a ban is in force, from now to `AHEAD`; each window whole, even when it has begun."""
    if not validity.weekly:
        yield validity.start, validity.end
        return
    first = max(validity.start, now).astimezone(zone).date() - timedelta(days=1)
    last = min(validity.end, now + AHEAD).astimezone(zone).date()
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        for hours in validity.weekly:
            if day.weekday() in hours.days:
                until = day if hours.end > hours.start else day + timedelta(days=1)
                start = datetime.combine(day, hours.start, zone).astimezone(now.tzinfo)
                end = datetime.combine(until, hours.end, zone).astimezone(now.tzinfo)
                yield max(start, validity.start), min(end, validity.end)


def _windows(validities: Iterable[Validity], now: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    every = {each for validity in validities for each in windows(validity, now, zone)}
    return sorted((start, end) for start, end in every if start < end and now < end)


def _closure(source: str, order: str, place: str, window: tuple[datetime, datetime], reason: str) -> Closure:
    start, end = window
    name = _prefix(source, order) + _digest(f"{place}\n{start.isoformat()}")
    return Closure(id=name, place=place, start=start, end=end, reason=reason, source=source)


def _prefix(source: str, order: str) -> str:
    """What the names of all closures of one order begin with."""
    return f"{source}:{_digest(order)}."


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _end(closure: Closure) -> datetime:
    return closure.end or closure.start


def _changes(known: Sequence[Closure], wanted: dict[str, Closure], now: datetime) -> Iterator[Closure]:
    known_ids = {each.id: each for each in known}
    for closure in wanted.values():
        if known_ids.get(closure.id) != closure:
            yield closure
    for closure in known:
        over = closure.end is not None and closure.end <= now
        if closure.id not in wanted and not over:
            ended = replace(closure, end=max(closure.start, now))
            if ended != closure:
                yield ended


class Ground:
    """Where a town's zones and spaces lie: which zones a shape may touch, found without looking at all of them."""

    def __init__(self, registry: Registry) -> None:
        self.outlines = {zone.id: _outline(zone) for zone in registry.zones.values()}
        shapes = list(self.outlines.items())
        shapes += [(each.zone, _point(each.position)) for each in registry.spaces if each.position is not None]
        self._zones = [zone for zone, _ in shapes]
        self._tree = STRtree([shape for _, shape in shapes])

    def zones_near(self, shape: BaseGeometry, within_m: float) -> list[str]:
        """Zones that may have something within a distance of a shape; too many rather than too few."""
        west, south, east, north = shape.bounds
        margin = 3 * within_m / METRES_PER_DEGREE
        found = self._tree.query(box(west - margin, south - margin, east + margin, north + margin))
        return sorted({self._zones[index] for index in found})


def _places(registry: Registry, ground: Ground, shape: BaseGeometry, within_m: float) -> Iterator[tuple[str, str]]:
    """Places that a ban touches, each with why a person must decide; empty where it is clear."""
    near = ground.zones_near(shape, within_m)
    if not near:
        return
    lat = shape.bounds[1]
    area = _metres(shape, lat).buffer(within_m)
    prepare(area)
    for zone in near:
        yield from _places_of(registry.zones[zone], registry.spaces_of(zone), ground.outlines[zone], area, lat)


def _places_of(
    zone: Zone, spaces: Sequence[Space], outline: BaseGeometry, area: BaseGeometry, lat: float
) -> Iterator[tuple[str, str]]:
    ground = _metres(outline, lat)
    if zone.kind is ZoneKind.OFF_STREET:
        if area.intersects(ground):
            yield zone.id, "a car park off the street; close it by hand if the order means it"
    elif zone.counting is not Counting.SPACES:
        if area.covers(ground):
            yield zone.id, ""
        elif area.intersects(ground):
            yield zone.id, "only a part of it lies within and its spaces are not told apart"
    else:
        yield from _spaces_within(spaces, ground, area, lat)


def _spaces_within(
    spaces: Sequence[Space], ground: BaseGeometry, area: BaseGeometry, lat: float
) -> Iterator[tuple[str, str]]:
    for space in spaces:
        if space.position is not None:
            if area.covers(_metres(_point(space.position), lat)):
                yield space.id, ""
        elif area.covers(ground):
            yield space.id, ""
        elif area.intersects(ground):
            yield space.id, "it has no position of its own"


def _outline(zone: Zone) -> BaseGeometry:
    return _point(zone.position) if zone.geometry is None else from_geojson(msgspec.json.encode(zone.geometry))


def _point(position: Position) -> Point:
    return Point(position.lon, position.lat)


def _metres(shape: BaseGeometry, lat: float) -> BaseGeometry:
    """Degrees as metres, true enough over a town."""
    return scale(shape, METRES_PER_DEGREE * cos(radians(lat)), METRES_PER_DEGREE, origin=(0, 0))
