"""Counters as people see them now: where they are, which way is which, and whether they can be believed."""

from datetime import datetime

from msgspec import Struct, field

from cloud_api.live import Live
from cloud_api.registry import Counter, Position, Registry
from cloud_api.trust import Cause, Evidence, Trust, judge


class Directions(Struct, frozen=True, kw_only=True):
    """What in and out mean in this street, in the town's words."""

    in_: str = field(name="in")
    out: str


class CounterView(Struct, frozen=True, kw_only=True):
    """One counter now."""

    id: str
    name: str
    position: Position
    directions: Directions
    trust: Trust
    cause: Cause | None
    measured_at: datetime | None
    """Until when it is known to have counted, or its last sign of life, UTC; null when there never was any."""


def counter_views(live: Live, registry: Registry, now: datetime) -> list[CounterView]:
    """All counters, in the order of the registry."""
    return [counter_view(live, registry, counter, now) for counter in registry.counters.values()]


def counter_view(live: Live, registry: Registry, counter: Counter, now: datetime) -> CounterView:
    """One counter. Where several sensors add up to it, the least trusted speaks for it."""
    evidence = [live.counter_evidence(each) for each in registry.serving(counter.id, now)] or [
        Evidence(installed=False)
    ]
    verdicts = [judge(each, now) for each in evidence]
    verdict = next((each for each in verdicts if each.trust is not Trust.FRESH), verdicts[0])
    return CounterView(
        id=counter.id,
        name=counter.name,
        position=counter.position,
        directions=directions_of(counter),
        trust=verdict.trust,
        cause=verdict.cause,
        measured_at=max((each.heard_at for each in evidence if each.heard_at is not None), default=None),
    )


def directions_of(counter: Counter) -> Directions:
    """What in and out mean at a counter."""
    return Directions(in_=counter.in_, out=counter.out)
