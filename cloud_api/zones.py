"""Zones as people see them now: how many spaces are free for whom, how many nobody knows, how old the news is.

In come the present and the registry, out come values that the API and the page both show. A space whose last word
cannot be believed is unknown: it never counts as free.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from msgspec import Struct, structs

from cloud_api.audiences import divided, shares_of
from cloud_api.car_parks import judge_count
from cloud_api.closed import ClosedView, closed_views
from cloud_api.counts import AudienceCounts, Counts
from cloud_api.feeds.neighbours import Neighbour
from cloud_api.live import Live
from cloud_api.opening import Closures, closed_in, why_closed
from cloud_api.registry import Closure, Position, Registry, Space, Zone
from cloud_api.registry.places import Audience, Counting, FeedSource, ZoneKind
from cloud_api.trend import Sample, Series, Trend
from cloud_api.trust import NOT_INSTALLED, Cause, Evidence, Trust, Verdict, judge, judge_zone

NOBODY_COUNTS: Final = Verdict(Trust.UNKNOWN, Cause("personne ne compte ici", "nobody counts here"))


class SpaceStatus(StrEnum):
    """What a driver would find."""

    FREE = "free"
    OCCUPIED = "occupied"
    UNKNOWN = "unknown"
    CLOSED = "closed"


class SpaceView(Struct, frozen=True, kw_only=True):
    """One parking space now."""

    id: str
    audience: Audience
    position: Position | None
    status: SpaceStatus
    trust: Trust
    cause: Cause | None
    measured_at: datetime | None
    """When the sensor last spoke of it, UTC; null when it never did."""
    since: datetime | None
    """Since when it is free or occupied, UTC; null where that is not known."""
    closed_until: datetime | None = None
    """Until when it is closed, UTC; null where it is not, and until further notice."""


class ZoneView(Counts, frozen=True, kw_only=True):
    """One zone now.

    Its own figures are those of all its spaces for cars, whoever may use them (in a zone that has none, of its spaces
    for two wheels). What a given driver finds is among `audiences`: without a badge or a charging plug, `public`.
    """

    id: str
    name: str
    position: Position
    source: str | None = None
    """Who says so, where it is not the town itself: the operator of the car park."""
    audiences: tuple[AudienceCounts, ...] = ()
    """For each audience that has spaces here; none where operator and town contradict each other about them."""
    closures: tuple[ClosedView, ...] = ()
    """Why spaces are closed now, and until when."""

    def of(self, audience: Audience) -> AudienceCounts | None:
        """The figures of one audience; None where it has no space here."""
        return next((each for each in self.audiences if each.audience is audience), None)


TOLD_OF_A_PLACE: Final = ("kind", "operator", "address", "height_limit_m", "price", "opening_hours", "url", "info")


class ZoneDetail(ZoneView, frozen=True, kw_only=True):
    """One zone now, with its spaces and what a driver must know of it. What the town did not say is null."""

    kind: ZoneKind
    operator: str | None
    """Who runs it; null for the town."""
    address: str | None
    height_limit_m: float | None
    """The highest vehicle that gets in, metres; null where there is no limit."""
    price: str | None
    """What it costs, in the town's words."""
    opening_hours: str | None
    """In OpenStreetMap's syntax; null where it is always open."""
    url: str | None
    """A page about it."""
    info: str | None
    """What else a driver should know, in the town's words."""
    spaces: tuple[SpaceView, ...]

    def without_spaces(self) -> ZoneView:
        """The zone alone."""
        return ZoneView(**{name: getattr(self, name) for name in ZoneView.__struct_fields__})


def zone_detail(live: Live, registry: Registry, zone: Zone, now: datetime) -> ZoneDetail:
    """One zone with its spaces."""
    spaces = space_views(live, registry, zone, now)
    told = {name: getattr(zone, name) for name in TOLD_OF_A_PLACE}
    return ZoneDetail(**structs.asdict(_view_of(live, registry, zone, spaces, now)), **told, spaces=tuple(spaces))


def _view_of(live: Live, registry: Registry, zone: Zone, spaces: Sequence[SpaceView], now: datetime) -> ZoneView:
    view = _as_counted(live, registry, zone, spaces, now)
    closures = closed_views(registry, zone, view.capacity, _closed_in(live, registry, zone, now))
    return structs.replace(view, closures=closures) if closures else view


def _as_counted(live: Live, registry: Registry, zone: Zone, spaces: Sequence[SpaceView], now: datetime) -> ZoneView:
    match zone.counting:
        case Counting.FEED if zone.feed is not None:
            return _fed_view(live, registry, zone, zone.feed, now)
        case Counting.ENTRANCES:
            return _entered_view(live, registry, zone, now)
        case Counting.SPACES:
            return _spaces_view(live, zone, spaces)
        case _:
            return _uncounted_view(live, registry, zone, now)


def space_views(live: Live, registry: Registry, zone: Zone, now: datetime) -> list[SpaceView]:
    """The spaces of a zone, in the order of the registry."""
    closures = _closed_in(live, registry, zone, now)
    return [_space_view(live, registry, space, closures.get(space.id), now) for space in registry.spaces_of(zone.id)]


def _space_view(live: Live, registry: Registry, space: Space, closure: Closure | None, now: datetime) -> SpaceView:
    serving = registry.serving(space.id, now)
    state = live.state(serving[0]) if serving else None
    evidence = live.space_evidence(serving[0]) if serving else Evidence(installed=False)
    if closure is not None:
        evidence = structs.replace(evidence, closed=why_closed(closure))
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
        closed_until=None if closure is None else closure.until,
    )


def _status(verdict: Verdict, *, occupied: bool | None) -> SpaceStatus:
    if verdict.trust is Trust.CLOSED:
        return SpaceStatus.CLOSED
    if verdict.trust is not Trust.FRESH or occupied is None:
        return SpaceStatus.UNKNOWN
    return SpaceStatus.OCCUPIED if occupied else SpaceStatus.FREE


def _spaces_view(live: Live, zone: Zone, spaces: Sequence[SpaceView]) -> ZoneView:
    """A zone as its spaces' sensors tell of it."""
    for_cars = [each for each in spaces if each.audience is not Audience.TWO_WHEELS]
    by_audience = [(each, [space for space in spaces if space.audience is each]) for each in Audience]
    audiences = [
        AudienceCounts(audience=audience, **structs.asdict(_counted(its_own)))
        for audience, its_own in by_audience
        if its_own
    ]
    return _view(live, zone, _counted(for_cars or spaces), audiences)


def _counted(spaces: Sequence[SpaceView]) -> Counts:
    by_status = {status: [each for each in spaces if each.status is status] for status in SpaceStatus}
    counted = by_status[SpaceStatus.FREE] + by_status[SpaceStatus.OCCUPIED]
    verdict = judge_zone([Verdict(each.trust, each.cause) for each in spaces])
    return Counts(
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
    verdict = _unless_closed(live, registry, zone, told.verdict, now)
    free = told.free if verdict.trust is Trust.FRESH else None
    total = _whole(told.capacity or 0, free, verdict, newest=told.measured_at, oldest=told.measured_at)
    view = _shared_view(live, zone, total)
    return structs.replace(view, source=told.operator, trend=view.trend or _told_trend(told, total))


def _told_trend(told: Neighbour, total: Counts) -> Trend | None:
    """What the operator says, for as long as we have not seen enough ourselves."""
    if told.tendency is None or total.free is None:
        return None
    return Trend(direction=told.tendency, free_per_hour=None)


def _entered_view(live: Live, registry: Registry, zone: Zone, now: datetime) -> ZoneView:
    """A car park as its entrances count it."""
    capacity, known = zone.capacity.cars, live.cars(zone.id)
    evidence = [live.counter_evidence(each) for each in registry.serving(zone.id, now)]
    verdict = judge_count(known, capacity, [judge(each, now) for each in evidence] or [NOT_INSTALLED], now)
    verdict = _unless_closed(live, registry, zone, verdict, now)
    free = capacity - known.occupied if known is not None and verdict.trust is Trust.FRESH else None
    heard = [each.heard_at for each in evidence if each.heard_at is not None]
    total = _whole(capacity, free, verdict, newest=max(heard, default=None), oldest=min(heard, default=None))
    return _shared_view(live, zone, total)


def _uncounted_view(live: Live, registry: Registry, zone: Zone, now: datetime) -> ZoneView:
    """A zone of which it is known where it is, and how many spaces it has at most."""
    verdict = _unless_closed(live, registry, zone, NOBODY_COUNTS, now)
    return _shared_view(live, zone, _whole(zone.capacity.cars, None, verdict, newest=None, oldest=None))


def _unless_closed(live: Live, registry: Registry, zone: Zone, verdict: Verdict, now: datetime) -> Verdict:
    closure = _closed_in(live, registry, zone, now).get(zone.id)
    return verdict if closure is None else Verdict(Trust.CLOSED, why_closed(closure))


def _closed_in(live: Live, registry: Registry, zone: Zone, now: datetime) -> Closures:
    return closed_in(registry.closures_at(now), registry, zone, now, live.time_zone)


def _whole(
    capacity: int, free: int | None, verdict: Verdict, *, newest: datetime | None, oldest: datetime | None
) -> Counts:
    """A zone that is known by one figure, or not at all."""
    closed = verdict.trust is Trust.CLOSED
    return Counts(
        capacity=capacity,
        free=free,
        occupied=None if free is None else capacity - free,
        unknown=capacity if free is None and not closed else 0,
        closed=capacity if closed else 0,
        trust=verdict.trust,
        cause=verdict.cause,
        measured_at=newest,
        oldest_at=None if free is None else oldest,
    )


def _shared_view(live: Live, zone: Zone, total: Counts) -> ZoneView:
    """A zone whose spaces for cars are known together, and whose spaces for two wheels are known to nobody."""
    two_wheels = zone.capacity.two_wheels or 0
    audiences = divided(total, shares_of(zone.capacity, total.capacity))
    if two_wheels:
        closed = Verdict(Trust.CLOSED, total.cause) if total.trust is Trust.CLOSED else NOBODY_COUNTS
        alone = _whole(two_wheels, None, closed, newest=None, oldest=None)
        audiences = (*audiences, AudienceCounts(audience=Audience.TWO_WHEELS, **structs.asdict(alone)))
    return _view(live, zone, total, audiences)


def _view(live: Live, zone: Zone, total: Counts, audiences: Sequence[AudienceCounts]) -> ZoneView:
    """A zone with its trends."""
    return ZoneView(
        **structs.asdict(_moving(total, live.trails.trend(zone.id))),
        id=zone.id,
        name=zone.name,
        position=zone.position,
        audiences=tuple(_moving(each, live.trails.trend(zone.id, each.audience)) for each in audiences),
    )


Known = TypeVar("Known", bound=Counts)


def _moving(counts: Known, trend: Trend | None) -> Known:
    """The same, with where it is going, where there is a figure that could go anywhere."""
    return counts if trend is None or counts.free is None else structs.replace(counts, trend=trend)


def samples_of(zones: Iterable[ZoneView], now: datetime) -> dict[Series, Sample]:
    """What is known now of each zone and audience, for its trend."""
    counts: list[tuple[Series, Counts]] = []
    for zone in zones:
        counts += [((zone.id, None), zone), *(((zone.id, each.audience), each) for each in zone.audiences)]
    return {
        series: Sample(now, each.free, each.occupied)
        for series, each in counts
        if each.free is not None and each.occupied is not None
    }


def _times(spaces: Sequence[SpaceView]) -> list[datetime]:
    return [each.measured_at for each in spaces if each.measured_at is not None]
