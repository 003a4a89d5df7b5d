"""Spaces by audience: nothing is counted twice, and nobody is promised a space that others may have."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.audiences import divided, shares_of
from cloud_api.counts import Counts
from cloud_api.live import Live
from cloud_api.registry import Closure, Installation, Registry, Space, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.places import Audience, Capacity, Counting
from cloud_api.stores.base import StoredSpace
from cloud_api.trust import Trust
from cloud_api.zones import ZoneView, zone_detail
from edge.messages import SpaceState
from tests.town import HERE, NOW, START


def together(capacity: int, occupied: int) -> Counts:
    return Counts(
        capacity=capacity,
        free=capacity - occupied,
        occupied=occupied,
        unknown=0,
        closed=0,
        trust=Trust.FRESH,
        cause=None,
        measured_at=NOW,
        oldest_at=NOW,
    )


def assert_whole(counts: Counts) -> None:
    """Each space is one of the four, and nothing known is null."""
    assert (counts.free is None) == (counts.occupied is None)
    assert (counts.free or 0) + (counts.occupied or 0) + counts.unknown + counts.closed == counts.capacity
    assert min(counts.free or 0, counts.occupied or 0, counts.unknown, counts.closed) >= 0
    if counts.free is None:
        assert counts.unknown + counts.closed == counts.capacity


@given(parked=st.dictionaries(st.sampled_from(list(Audience)[:-1]), st.tuples(st.integers(0, 50), st.integers(0, 50))))
def test_what_is_said_of_an_audience_is_true_however_the_cars_are_parked(
    parked: dict[Audience, tuple[int, int]],
) -> None:
    """`parked`: by audience, how many spaces are free and how many occupied; only their sums are told."""
    capacity = Capacity(**{each.value: sum(spaces) for each, spaces in parked.items()})
    total = together(capacity.cars, sum(occupied for _, occupied in parked.values()))

    told = divided(total, shares_of(capacity, total.capacity))

    assert sum(each.capacity for each in told) == total.capacity
    for each in told:
        assert_whole(each)
        free, occupied = parked[each.audience]
        assert (each.free or 0) <= free
        assert (each.occupied or 0) <= occupied


def test_a_car_park_with_one_audience_says_exactly_what_is_free() -> None:
    told = divided(together(400, 388), shares_of(Capacity(public=400), 400))

    assert [(each.audience, each.free, each.unknown) for each in told] == [(Audience.PUBLIC, 12, 0)]


def test_reserved_spaces_counted_with_the_others_are_promised_to_nobody() -> None:
    capacity = Capacity(public=400, pmr=10, ev=10)

    many = divided(together(420, 320), shares_of(capacity, 420))
    few = divided(together(420, 405), shares_of(capacity, 420))

    assert [(each.audience, each.free, each.unknown) for each in many] == [
        (Audience.PUBLIC, 80, 20),
        (Audience.PMR, None, 10),
        (Audience.EV, None, 10),
    ]
    assert few[0].free == 0
    assert [each.trust for each in many] == [Trust.FRESH, Trust.UNKNOWN, Trust.UNKNOWN]
    assert many[1].cause is not None


def test_what_the_operator_has_beyond_the_reserved_is_for_everybody() -> None:
    assert shares_of(Capacity(pmr=8), 300) == {Audience.PUBLIC: 292, Audience.PMR: 8}


def test_an_operator_with_fewer_spaces_than_the_town_reserves_is_not_divided() -> None:
    assert shares_of(Capacity(pmr=8), 5) == {}


def town(audiences: list[Audience], closed: list[bool]) -> Registry:
    spaces = [Space(id=f"s{index}", zone="z", audience=audience) for index, audience in enumerate(audiences)]
    return Registry(
        zones=[Zone(id="z", name="Place", position=HERE)],
        spaces=spaces,
        installations=[
            Installation(place=f"s{index}", device=f"d{index}", channel="1", start=START)
            for index in range(len(audiences))
        ],
        closures=[
            Closure(id=f"c{index}", place=f"s{index}", start=START, reason="travaux")
            for index, is_closed in enumerate(closed)
            if is_closed
        ],
    )


def seen(registry: Registry, states: dict[int, tuple[bool, timedelta]]) -> ZoneView:
    live = Live(CurrentRegistry(registry))
    live.remember(
        [
            StoredSpace(
                gateway="gw", state=SpaceState(device=f"d{index}", channel="1", occupied=occupied, at=NOW - age)
            )
            for index, (occupied, age) in states.items()
        ],
        NOW,
    )
    return zone_detail(live, registry, registry.zones["z"], NOW).without_spaces()


SPACES = st.tuples(
    st.sampled_from(Audience),
    st.booleans(),
    st.none() | st.tuples(st.booleans(), st.timedeltas(timedelta(), timedelta(days=1))),
)


@given(st.lists(SPACES, max_size=12))
def test_every_space_of_a_zone_is_counted_once_for_its_audience(
    spaces: list[tuple[Audience, bool, tuple[bool, timedelta] | None]],
) -> None:
    registry = town([audience for audience, _, _ in spaces], [closed for _, closed, _ in spaces])
    view = seen(registry, {index: state for index, (_, _, state) in enumerate(spaces) if state is not None})

    cars = [each for each in view.audiences if each.audience is not Audience.TWO_WHEELS] or list(view.audiences)
    for counts in (view, *view.audiences):
        assert_whole(counts)
    assert view.capacity == sum(each.capacity for each in cars)
    assert (view.free or 0) == sum(each.free or 0 for each in cars)
    assert view.unknown == sum(each.unknown for each in cars)
    assert view.closed == sum(each.closed for each in cars)


def test_a_free_bay_for_badge_holders_is_not_free_for_everybody() -> None:
    registry = town([Audience.PUBLIC, Audience.PMR], [False, False])

    view = seen(registry, {0: (True, timedelta()), 1: (False, timedelta())})

    assert view.free == 1
    assert [(each.audience, each.free) for each in view.audiences] == [(Audience.PUBLIC, 0), (Audience.PMR, 1)]


def test_a_place_for_motorcycles_is_no_place_for_a_car() -> None:
    registry = town([Audience.PUBLIC, Audience.TWO_WHEELS], [False, False])

    view = seen(registry, {0: (True, timedelta()), 1: (False, timedelta())})

    assert (view.capacity, view.free) == (1, 0)


def test_an_audience_whose_spaces_are_all_closed_is_closed_and_not_full() -> None:
    view = seen(town([Audience.PUBLIC, Audience.EV], [False, True]), {0: (False, timedelta())})

    charging = view.of(Audience.EV)
    assert charging is not None
    assert (charging.trust, charging.free, charging.closed) == (Trust.CLOSED, None, 1)


def test_a_zone_where_nobody_counts_tells_its_capacity_and_no_figure() -> None:
    registry = Registry(
        zones=[
            Zone(
                id="z",
                name="Place",
                position=HERE,
                counting=Counting.NONE,
                capacity=Capacity(public=30, pmr=2, two_wheels=6),
            )
        ]
    )

    view = seen(registry, {})

    assert (view.capacity, view.free, view.unknown, view.trust) == (32, None, 32, Trust.UNKNOWN)
    assert [(each.audience, each.unknown) for each in view.audiences] == [
        (Audience.PUBLIC, 30),
        (Audience.PMR, 2),
        (Audience.TWO_WHEELS, 6),
    ]
