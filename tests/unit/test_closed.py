"""What is closed is told with why and until when, one line for what one order closes."""

from datetime import UTC, datetime, timedelta

from cloud_api.closed import ClosedView, closed_views
from cloud_api.live import PARIS, Live
from cloud_api.opening import closed_in
from cloud_api.registry import Audience, Closure, Position, Registry, Space, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.places import Capacity, Counting
from cloud_api.web.cards import closed_in_words
from cloud_api.web.french import FRENCH
from cloud_api.zones import zone_detail

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HERE = Position(lat=47.2, lon=-1.5)
MARKET = Zone(id="marche", name="Marché", position=HERE)
PARK = Zone(id="gare", name="Gare", position=HERE, counting=Counting.NONE, capacity=Capacity(public=40))
SPACES = [
    *(Space(id=f"m{number}", zone="marche") for number in (1, 2, 3)),
    Space(id="moto", zone="marche", audience=Audience.TWO_WHEELS),
]


def closure(id_: str, place: str, end: datetime | None = NOON + DAY, reason: str = "travaux") -> Closure:
    return Closure(id=id_, place=place, start=NOON - DAY, end=end, reason=reason)


def town(*closures: Closure) -> Registry:
    return Registry(zones=[MARKET, PARK], spaces=SPACES, closures=closures)


def views_of(registry: Registry, zone: Zone, capacity: int) -> tuple[ClosedView, ...]:
    closures = closed_in(registry.closures_at(NOON), registry, zone, NOON, PARIS)
    return closed_views(registry, zone, capacity, closures)


def closed(spaces: int, until: datetime | None = NOON + DAY, reason: str = "travaux") -> ClosedView:
    return ClosedView(spaces=spaces, reason=reason, start=NOON - DAY, until=until, source="manual")


def test_spaces_that_one_order_closes_are_one_line() -> None:
    views = views_of(town(closure("a", "m1"), closure("b", "m2")), MARKET, 3)

    assert views == (closed(2),)


def test_each_reason_has_its_line_and_what_ends_first_comes_first() -> None:
    registry = town(closure("a", "m1", None, "sapin"), closure("b", "m2", NOON + 2 * DAY, "marché"), closure("c", "m3"))

    views = views_of(registry, MARKET, 3)

    assert [(view.reason, view.until) for view in views] == [
        ("travaux", NOON + DAY),
        ("marché", NOON + 2 * DAY),
        ("sapin", None),
    ]


def test_an_end_that_nobody_plans_for_is_none() -> None:
    registry = town(closure("a", "m1", datetime.max.replace(tzinfo=UTC)))

    (view,) = views_of(registry, MARKET, 3)
    (space, *_) = zone_detail(Live(CurrentRegistry(registry)), registry, MARKET, NOON).spaces
    assert (view.until, space.closed_until) == (None, None)
    assert closed_in_words(view, FRENCH, NOON.astimezone(PARIS)).startswith("1 place fermée jusqu’à nouvel ordre")


def test_a_closed_zone_counts_its_spaces_for_cars() -> None:
    assert views_of(town(closure("a", "marche")), MARKET, 3) == (closed(3),)
    assert views_of(town(closure("a", "gare")), PARK, 40) == (closed(40),)


def test_a_zone_without_closures_says_nothing() -> None:
    assert views_of(town(closure("a", "gare")), MARKET, 3) == ()


def test_a_space_says_until_when_it_is_closed() -> None:
    registry = town(closure("a", "m1"), closure("b", "m2", None))

    detail = zone_detail(Live(CurrentRegistry(registry)), registry, MARKET, NOON)

    assert [space.closed_until for space in detail.spaces] == [NOON + DAY, None, None, None]
    assert detail.closed == 2
    assert detail.closures == (closed(1), closed(1, None))
