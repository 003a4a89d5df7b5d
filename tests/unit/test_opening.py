"""Out of hours a zone is closed, neither free nor full, and says until when."""

from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.live import PARIS, Live
from cloud_api.opening import closed_in
from cloud_api.registry import Audience, Closure, Position, Registry, Space, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.places import Capacity, Counting
from cloud_api.trust import Trust
from cloud_api.zones import SpaceStatus, zone_detail

HERE = Position(lat=47.2, lon=-1.5)
SHOP_HOURS = "Mo-Sa 08:00-20:00"
PARK = Zone(
    id="gare",
    name="Gare",
    position=HERE,
    counting=Counting.NONE,
    capacity=Capacity(public=40),
    opening_hours=SHOP_HOURS,
)
MARKET = Zone(id="marche", name="Marché", position=HERE)
BAYS = [Space(id="m1", zone="marche"), Space(id="m2", zone="marche", opening_hours="07:00-11:00")]
SATURDAY_NIGHT = datetime(2026, 11, 21, 21, tzinfo=UTC)


def closed_at(registry: Registry, zone: Zone, at: datetime) -> dict[str, Closure]:
    return dict(closed_in(registry.closures_at(at), registry, zone, at, PARIS))


def test_out_of_hours_a_car_park_is_closed_since_the_last_closing_until_the_next_opening() -> None:
    registry = Registry(zones=[PARK])

    shut = closed_at(registry, PARK, SATURDAY_NIGHT)["gare"]

    assert shut.start == datetime(2026, 11, 21, 19, tzinfo=UTC)
    assert shut.end == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert closed_at(registry, PARK, datetime(2026, 11, 23, 7, tzinfo=UTC)) == {}


@pytest.mark.parametrize("hour", range(24))
def test_hours_are_those_of_the_town_s_clock_in_summer_and_in_winter(hour: int) -> None:
    registry = Registry(zones=[PARK])
    for day in (datetime(2026, 7, 8, tzinfo=PARIS), datetime(2026, 11, 18, tzinfo=PARIS)):
        at = day.replace(hour=hour).astimezone(UTC)
        assert ("gare" in closed_at(registry, PARK, at)) is not (8 <= hour < 20)


def test_a_bay_may_have_hours_of_its_own() -> None:
    registry = Registry(zones=[MARKET], spaces=BAYS)
    noon = datetime(2026, 11, 18, 11, tzinfo=UTC)

    assert set(closed_at(registry, MARKET, noon)) == {"m2"}
    assert closed_at(registry, MARKET, noon - timedelta(hours=2)) == {}


def test_a_bay_for_deliveries_is_shut_to_nobody_out_of_its_hours() -> None:
    bay = Space(id="m3", zone="marche", audience=Audience.DELIVERY, opening_hours="06:00-11:00")

    assert closed_at(Registry(zones=[MARKET], spaces=[bay]), MARKET, SATURDAY_NIGHT) == {}


def test_the_spaces_of_a_zone_that_is_shut_are_shut_with_it() -> None:
    shut = Zone(id="marche", name="Marché", position=HERE, opening_hours="off")
    registry = Registry(zones=[shut], spaces=BAYS)

    closed = closed_at(registry, shut, SATURDAY_NIGHT)

    assert set(closed) == {"marche", "m1", "m2"}
    assert closed["m1"].end is None


def test_works_stand_before_hours() -> None:
    works = Closure(id="w", place="gare", start=SATURDAY_NIGHT, reason="travaux")
    registry = Registry(zones=[PARK], closures=[works])

    assert closed_at(registry, PARK, SATURDAY_NIGHT) == {"gare": works}


def test_the_zone_says_closed_and_why_and_its_spaces_too() -> None:
    zone = Zone(id="marche", name="Marché", position=HERE, opening_hours=SHOP_HOURS)
    registry = Registry(zones=[zone], spaces=BAYS)

    detail = zone_detail(Live(CurrentRegistry(registry)), registry, zone, SATURDAY_NIGHT)

    assert (detail.trust, detail.free, detail.closed, detail.unknown) == (Trust.CLOSED, None, 2, 0)
    assert {space.status for space in detail.spaces} == {SpaceStatus.CLOSED}
    assert detail.spaces[0].cause is not None
    assert detail.spaces[0].cause.fr == f"fermé : horaires {SHOP_HOURS}"
    assert [(view.source, view.until) for view in detail.closures] == [
        ("opening_hours", datetime(2026, 11, 23, 7, tzinfo=UTC))
    ]
