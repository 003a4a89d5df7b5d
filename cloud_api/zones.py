"""Zones as people see them now: how many spaces are free, how many nobody knows, how old the news is.

In come the present and the registry, out come values that the API and the page both show. A space whose last word
cannot be believed is unknown: it never counts as free.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, structs

from cloud_api.car_parks import judge_count
from cloud_api.live import Live
from cloud_api.registry import Closure, Position, Registry, Space, Zone
from cloud_api.registry.places import Counting, FeedSource
from cloud_api.trust import NOT_INSTALLED, Cause, Evidence, Trust, Verdict, judge, judge_zone


class SpaceStatus(StrEnum):
    """What a driver would find."""

    FREE = "free"
    OCCUPIED = "occupied"
    UNKNOWN = "unknown"
    CLOSED = "closed"


class SpaceView(Struct, frozen=True, kw_only=True):
    """One parking space now."""

    id: str
    audience: str
    position: Position | None
    status: SpaceStatus
    trust: Trust
    cause: Cause | None
    measured_at: datetime | None
    """When the sensor last spoke of it, UTC; null when it never did."""
    since: datetime | None
    """Since when it is free or occupied, UTC; null where that is not known."""


class ZoneView(Struct, frozen=True, kw_only=True):
    """One zone now. `free + occupied + unknown + closed = capacity` wherever free and occupied are known."""

    id: str
    name: str
    position: Position
    capacity: int
    free: int | None
    """Spaces known to be free; null when nothing is known of any."""
    occupied: int | None
    """Spaces known to be occupied; null when nothing is known of any."""
    unknown: int
    """Spaces whose last news cannot be believed, or that never had any."""
    closed: int
    trust: Trust
    cause: Cause | None
    measured_at: datetime | None
    """The newest news that the figures rest on, UTC; where they rest on none, the newest there ever was."""
    oldest_at: datetime | None
    """The oldest news that the figures rest on, UTC; null where they rest on none."""
    source: str | None = None
    """Who says so, where it is not the town itself: the operator of the car park."""


class ZoneDetail(ZoneView, frozen=True, kw_only=True):
    """One zone now, with its spaces."""

    spaces: tuple[SpaceView, ...]


def zone_views(live: Live, registry: Registry, now: datetime) -> list[ZoneView]:
    """All zones, in the order of the registry."""
    return [zone_view(live, registry, zone, now) for zone in registry.zones.values()]


def zone_view(live: Live, registry: Registry, zone: Zone, now: datetime) -> ZoneView:
    """One zone."""
    if zone.feed is not None:
        return _fed_view(live, registry, zone, zone.feed, now)
    if zone.counting is Counting.ENTRANCES:
        return _entered_view(live, registry, zone, now)
    return _summary(zone, space_views(live, registry, zone, now))


def zone_detail(live: Live, registry: Registry, zone: Zone, now: datetime) -> ZoneDetail:
    """One zone with its spaces."""
    spaces = space_views(live, registry, zone, now)
    view = zone_view(live, registry, zone, now)
    return ZoneDetail(**{name: getattr(view, name) for name in ZoneView.__struct_fields__}, spaces=tuple(spaces))


def space_views(live: Live, registry: Registry, zone: Zone, now: datetime) -> list[SpaceView]:
    """The spaces of a zone, in the order of the registry."""
    closures = registry.closures_at(now)
    return [_space_view(live, registry, space, closures.get(space.id), now) for space in registry.spaces_of(zone.id)]


def _space_view(live: Live, registry: Registry, space: Space, closure: Closure | None, now: datetime) -> SpaceView:
    serving = registry.serving(space.id, now)
    state = live.state(serving[0]) if serving else None
    evidence = live.space_evidence(serving[0]) if serving else Evidence(installed=False)
    if closure is not None:
        evidence = structs.replace(evidence, closed=_why_closed(closure))
    verdict = judge(evidence, now)
    status = _status(verdict, occupied=None if state is None else state.occupied)
    known = status in {SpaceStatus.FREE, SpaceStatus.OCCUPIED}
    return SpaceView(
        id=space.id,
        audience=space.audience,
        position=space.position,
        status=status,
        trust=verdict.trust,
        cause=verdict.cause,
        measured_at=state.at if state else None,
        since=state.since if state and known else None,
    )


def _status(verdict: Verdict, *, occupied: bool | None) -> SpaceStatus:
    if verdict.trust is Trust.CLOSED:
        return SpaceStatus.CLOSED
    if verdict.trust is not Trust.FRESH or occupied is None:
        return SpaceStatus.UNKNOWN
    return SpaceStatus.OCCUPIED if occupied else SpaceStatus.FREE


def _summary(zone: Zone, spaces: Sequence[SpaceView]) -> ZoneView:
    by_status = {status: [each for each in spaces if each.status is status] for status in SpaceStatus}
    counted = by_status[SpaceStatus.FREE] + by_status[SpaceStatus.OCCUPIED]
    verdict = judge_zone([Verdict(each.trust, each.cause) for each in spaces])
    return ZoneView(
        id=zone.id,
        name=zone.name,
        position=zone.position,
        capacity=len(spaces),
        free=len(by_status[SpaceStatus.FREE]) if counted else None,
        occupied=len(by_status[SpaceStatus.OCCUPIED]) if counted else None,
        unknown=len(by_status[SpaceStatus.UNKNOWN]),
        closed=len(by_status[SpaceStatus.CLOSED]),
        trust=verdict.trust,
        cause=verdict.cause,
        measured_at=max(_times(counted or spaces), default=None),
        oldest_at=min(_times(counted), default=None),
    )


def _fed_view(live: Live, registry: Registry, zone: Zone, feed: FeedSource, now: datetime) -> ZoneView:
    """A zone as its operator tells of it; closed where the town says so, whatever the operator says."""
    told = live.neighbours.look(feed, zone.capacity.cars or None, now)
    closure = registry.closures_at(now).get(zone.id)
    verdict = told.verdict
    if closure is not None:
        verdict = Verdict(Trust.CLOSED, _why_closed(closure))
    capacity = told.capacity or 0
    free = told.free if verdict.trust is Trust.FRESH else None
    return ZoneView(
        id=zone.id,
        name=zone.name,
        position=zone.position,
        capacity=capacity,
        free=free,
        occupied=None if free is None else capacity - free,
        unknown=capacity if free is None and verdict.trust is not Trust.CLOSED else 0,
        closed=capacity if verdict.trust is Trust.CLOSED else 0,
        trust=verdict.trust,
        cause=verdict.cause,
        measured_at=told.measured_at,
        oldest_at=told.measured_at if free is not None else None,
        source=told.operator,
    )


def _entered_view(live: Live, registry: Registry, zone: Zone, now: datetime) -> ZoneView:
    """A car park as its entrances count it."""
    capacity, known = zone.capacity.cars, live.cars(zone.id)
    evidence = [live.counter_evidence(each) for each in registry.serving(zone.id, now)]
    verdict = judge_count(known, capacity, [judge(each, now) for each in evidence] or [NOT_INSTALLED], now)
    closure = registry.closures_at(now).get(zone.id)
    if closure is not None:
        verdict = Verdict(Trust.CLOSED, _why_closed(closure))
    occupied = known.occupied if known is not None and verdict.trust is Trust.FRESH else None
    heard = [each.heard_at for each in evidence if each.heard_at is not None]
    return ZoneView(
        id=zone.id,
        name=zone.name,
        position=zone.position,
        capacity=capacity,
        free=None if occupied is None else capacity - occupied,
        occupied=occupied,
        unknown=capacity if occupied is None and verdict.trust is not Trust.CLOSED else 0,
        closed=capacity if verdict.trust is Trust.CLOSED else 0,
        trust=verdict.trust,
        cause=verdict.cause,
        measured_at=max(heard, default=None),
        oldest_at=None if occupied is None else min(heard, default=None),
    )


def _why_closed(closure: Closure) -> Cause:
    return Cause(f"fermé : {closure.reason}", f"closed: {closure.reason}")


def _times(spaces: Sequence[SpaceView]) -> list[datetime]:
    return [each.measured_at for each in spaces if each.measured_at is not None]
