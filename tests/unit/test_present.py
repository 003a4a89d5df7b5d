"""Which of a zone's spaces are forecast, and from when on nothing can be said of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.car_parks import Count
from cloud_api.forecast.closed import closed_then
from cloud_api.forecast.distribution import Spaces
from cloud_api.forecast.present import Present, present
from cloud_api.live import Live
from cloud_api.registry import Closure, Installation, Registry, Space, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.places import Audience, Capacity, Counting
from cloud_api.stores.base import Channel
from cloud_api.trust import Trust
from cloud_api.zones import zone_detail
from edge.messages import Flow
from tests.foretold import PARIS, words
from tests.history import flow
from tests.town import EPOCH, HERE, START

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
GATE = Channel("e1", "gate", "vehicle")
MIXED = [Audience.PMR, Audience.PUBLIC, Audience.PUBLIC]


def street(audiences: list[Audience], closures: Sequence[Closure] = (), hours: str | None = None) -> Registry:
    return Registry(
        zones=[Zone(id="halles", name="Rue des Halles", position=HERE, opening_hours=hours)],
        spaces=[Space(id=f"h{number}", zone="halles", audience=each) for number, each in enumerate(audiences)],
        installations=[
            Installation(place=f"h{number}", device=f"d{number}", channel="1", start=START)
            for number in range(len(audiences))
        ],
        closures=closures,
    )


def seen(registry: Registry, occupied: list[bool], at: datetime = NOW) -> Present:
    live = Live(CurrentRegistry(registry))
    live.remember(words(occupied, at), NOW)
    zone = registry.zones["halles"]
    return present(zone, zone_detail(live, registry, zone, NOW))


def test_where_everybody_may_park_only_such_spaces_are_forecast() -> None:
    mixed = seen(street(MIXED), [False, True, True])

    assert (mixed.audience, mixed.capacity, mixed.spaces()) == (Audience.PUBLIC, 2, Spaces(0, 2))


def test_a_zone_kept_for_one_audience_is_forecast_for_it() -> None:
    kept = seen(street([Audience.DELIVERY, Audience.DELIVERY, Audience.PMR]), [False, True, False])

    assert (kept.audience, kept.capacity, kept.spaces()) == (Audience.DELIVERY, 2, Spaces(1, 1))


def test_spaces_without_sure_news_are_left_out_and_half_of_them_are_needed() -> None:
    public = [Audience.PUBLIC] * 4
    registry = street(public)
    live = Live(CurrentRegistry(registry))
    zone = registry.zones["halles"]

    live.remember(words([True, False], NOW), NOW)
    half = present(zone, zone_detail(live, registry, zone, NOW))
    old = seen(registry, [True] * 4, NOW - timedelta(hours=6))

    assert (half.can_be_believed, half.spaces()) == (True, Spaces(1, 1))
    assert (old.can_be_believed, old.spaces()) == (False, Spaces(0, 0))


def test_a_zone_that_nobody_counts_cannot_be_forecast() -> None:
    registry = Registry(zones=[Zone(id="halles", name="Halles", position=HERE, counting=Counting.NONE)])
    zone = registry.zones["halles"]
    nothing = present(zone, zone_detail(Live(CurrentRegistry(registry)), registry, zone, NOW))

    assert not nothing.can_be_believed
    assert nothing.verdict.cause is not None


def test_a_car_park_counted_at_its_entrances_is_forecast_as_a_whole() -> None:
    gare = Zone(id="gare", name="Gare", position=HERE, counting=Counting.ENTRANCES, capacity=Capacity(public=95, pmr=5))
    registry = Registry(
        zones=[gare],
        installations=[Installation(place="gare", device="e1", channel="gate", mode="vehicle", start=START)],
    )
    live = Live(CurrentRegistry(registry))
    interval = flow(NOW - timedelta(minutes=5), channel=GATE).interval
    live.take(Flow(gateway="mairie", epoch=EPOCH, seq=1, intervals=(interval,)), NOW)
    live.count_cars({"gare": Count(occupied=60, unbounded=60, drift=0, seen_at=NOW, as_of=NOW)})

    whole = present(gare, zone_detail(live, registry, gare, NOW))

    assert whole.verdict.trust is Trust.FRESH
    assert (whole.audience, whole.capacity, whole.spaces()) == (None, 100, Spaces(40, 60))


@pytest.mark.parametrize(
    ("hours", "at", "why"),
    [
        ("Mo-Sa 07:00-21:00; PH off", datetime(2026, 11, 23, 19, 59, tzinfo=UTC), None),
        ("Mo-Sa 07:00-21:00; PH off", datetime(2026, 11, 23, 20, 0, tzinfo=UTC), "opening hours Mo-Sa"),
        ("Mo-Sa 07:00-21:00; PH off", datetime(2026, 11, 11, 10, 0, tzinfo=UTC), "opening hours Mo-Sa"),
        ("when the mayor is awake", datetime(2026, 11, 23, 20, 0, tzinfo=UTC), None),
    ],
)
def test_opening_hours_are_those_of_the_wall_clock_and_know_french_holidays(
    hours: str, at: datetime, why: str | None
) -> None:
    registry = street(MIXED, hours=hours)

    closed = closed_then({}, registry, registry.zones["halles"], at, PARIS)

    assert ("halles" in closed) is (why is not None)
    assert why is None or why in closed["halles"].en


def test_a_closure_closes_a_zone_or_a_space_and_its_reason_is_told() -> None:
    works = Closure(id="works", place="h1", start=NOW, reason="travaux")
    registry = street(MIXED, [works])

    closed = closed_then(registry.closures_at(NOW), registry, registry.zones["halles"], NOW, PARIS)

    assert {place: why.fr for place, why in closed.items()} == {"h1": "fermé à cette heure : travaux"}
