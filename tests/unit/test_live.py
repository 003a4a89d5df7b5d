"""The present stands on the newest word of each sensor, and a zone never calls free what it does not know."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from cloud_api.counters import counter_views
from cloud_api.live import Live
from cloud_api.registry import Counter, Installation, Position, Registry, Space, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.stores.base import StoredSpace
from cloud_api.trust import Trust
from cloud_api.zones import SpaceStatus, ZoneView, zone_detail
from edge.messages import DeviceHealth, Flow, FlowInterval, HealthReport, SpaceState, Status
from edge.messages import Space as SpaceMessage

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Position(lat=47.2, lon=-1.5)
EPOCH = "00112233aabbccdd"
GATEWAY = "gw-halles"


def registry() -> Registry:
    numbers = (1, 2, 3)
    return Registry(
        zones=[Zone(id="marche", name="Place du Marché", position=HERE)],
        spaces=[Space(id=f"s{number}", zone="marche") for number in numbers],
        counters=[Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="gare", out="mairie")],
        installations=[
            *(Installation(place=f"s{number}", device=f"d{number}", channel="1", start=START) for number in numbers),
            Installation(place="rue-haute", device="c1", channel="line1", mode="pedestrian", start=START),
        ],
    )


def state(number: int, *, occupied: bool, minutes_ago: float = 1) -> SpaceState:
    return SpaceState(device=f"d{number}", channel="1", occupied=occupied, at=NOW - timedelta(minutes=minutes_ago))


def space(*states: SpaceState) -> SpaceMessage:
    return SpaceMessage(gateway=GATEWAY, epoch=EPOCH, seq=1, states=states)


def health(device: str, *, minutes_ago: float = 1, fault: str | None = None) -> HealthReport:
    report = DeviceHealth(
        device=device, model="bosch-tps110", at=NOW - timedelta(minutes=minutes_ago), period_s=600, fault=fault
    )
    return HealthReport(gateway=GATEWAY, epoch=EPOCH, seq=2, health=report)


def status(*, online: bool) -> Status:
    return Status(gateway=GATEWAY, epoch=EPOCH, online=online)


def zone(live: Live, now: datetime = NOW) -> ZoneView:
    return zone_detail(live, registry(), registry().zones["marche"], now).without_spaces()


def heard(*states: SpaceState) -> Live:
    live = Live(CurrentRegistry(registry()))
    for each in states:
        live.take(space(each), NOW)
        live.take(health(each.device), NOW)
    return live


def test_a_zone_says_how_many_are_free_occupied_and_unknown() -> None:
    view = zone(heard(state(1, occupied=False, minutes_ago=2), state(2, occupied=True, minutes_ago=5)))

    assert (view.capacity, view.free, view.occupied, view.unknown, view.closed) == (3, 1, 1, 1, 0)
    assert view.measured_at == NOW - timedelta(minutes=2)
    assert view.oldest_at == NOW - timedelta(minutes=5)
    assert view.trust is Trust.FRESH
    assert view.cause is not None


@pytest.mark.parametrize(
    "at", [datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), datetime.max.replace(tzinfo=UTC)]
)
def test_what_is_dated_beyond_all_calendars_is_no_news_and_harms_nothing(at: datetime) -> None:
    live = heard(state(1, occupied=False))
    interval = FlowInterval(
        device="c1", channel="line1", mode="pedestrian", start=at, seconds=300, in_=1, covered_s=300
    )

    live.take(Flow(gateway=GATEWAY, epoch=EPOCH, seq=1, intervals=(interval,)), NOW)
    live.take(space(structs.replace(state(2, occupied=False), at=at)), NOW)

    (counter,) = counter_views(live, registry(), NOW)
    assert (counter.trust, counter.measured_at) == (Trust.UNKNOWN, None)
    assert (zone(live).free, zone(live).unknown) == (1, 2)


def test_a_zone_of_which_nothing_is_known_is_null_and_never_zero() -> None:
    view = zone(heard())

    assert (view.free, view.occupied, view.unknown) == (None, None, 3)
    assert view.trust is Trust.UNKNOWN


def test_a_space_gone_silent_is_unknown_and_no_longer_free() -> None:
    live = heard(state(1, occupied=False), state(2, occupied=False), state(3, occupied=True))

    before, after = zone(live), zone(live, NOW + timedelta(minutes=30))

    assert (before.free, before.occupied) == (2, 1)
    assert (after.free, after.occupied, after.unknown) == (None, None, 3)
    assert after.trust is Trust.STALE
    assert after.measured_at == before.measured_at


def test_a_faulty_sensor_makes_its_space_unknown() -> None:
    live = heard(state(1, occupied=False))
    live.take(health("d1", minutes_ago=0, fault="stuck"), NOW)

    spaces = zone_detail(live, registry(), registry().zones["marche"], NOW).spaces

    assert (spaces[0].status, spaces[0].trust) == (SpaceStatus.UNKNOWN, Trust.FAULTY)


def test_spaces_of_a_gateway_that_was_off_line_before_we_came_are_not_shown_as_fresh() -> None:
    live = heard(state(1, occupied=False))
    live.take(status(online=False), NOW, retained=True)

    assert zone(live).free is None


def test_a_gateway_that_goes_off_line_now_has_two_minutes_to_come_back() -> None:
    live = heard(state(1, occupied=False))
    live.take(status(online=True), NOW)
    live.take(status(online=False), NOW)

    assert zone(live, NOW + timedelta(minutes=2)).free == 1
    assert zone(live, NOW + timedelta(minutes=2, seconds=1)).free is None


def test_the_zones_that_a_message_touches_are_told() -> None:
    live = heard()

    assert live.take(space(state(1, occupied=True)), NOW) == {"marche"}
    assert live.take(space(state(1, occupied=True, minutes_ago=9)), NOW) == set()


def test_a_device_that_the_registry_does_not_know_is_not_held() -> None:
    live = heard()

    stranger = SpaceState(device="stranger", channel="1", occupied=True, at=NOW)

    assert live.take(space(stranger), NOW) == set()
    assert live._spaces == {}


def test_what_a_sensor_said_before_it_was_installed_here_says_nothing_of_this_space() -> None:
    live = heard(SpaceState(device="d1", channel="1", occupied=False, at=START - timedelta(hours=1)))

    assert zone(live).free is None


def test_a_state_from_the_future_neither_counts_nor_keeps_out_later_ones() -> None:
    live = Live(CurrentRegistry(registry()))
    live.take(space(state(1, occupied=False, minutes_ago=-60 * 24)), NOW)

    assert zone(live).free is None
    live.take(space(state(1, occupied=True)), NOW)
    assert zone(live).occupied == 1


@given(order=st.permutations([state(1, occupied=minutes % 2 == 0, minutes_ago=minutes) for minutes in range(1, 7)]))
def test_the_newest_word_stands_whatever_the_order(order: Sequence[SpaceState]) -> None:
    live = Live(CurrentRegistry(registry()))
    for each in order:
        live.remember([StoredSpace(gateway=GATEWAY, state=each)], NOW)

    assert zone(live).free == 1


def test_a_counter_is_fresh_while_its_intervals_come() -> None:
    live = Live(CurrentRegistry(registry()))
    interval = FlowInterval(
        device="c1", channel="line1", mode="pedestrian", start=NOW, seconds=300, in_=3, out=4, covered_s=300
    )
    live.take(Flow(gateway=GATEWAY, epoch=EPOCH, seq=1, intervals=(interval,)), NOW + timedelta(minutes=5))

    view = counter_views(live, registry(), NOW + timedelta(minutes=6))[0]

    assert (view.trust, view.measured_at) == (Trust.FRESH, NOW + timedelta(minutes=5))
    assert counter_views(live, registry(), NOW + timedelta(days=1))[0].trust is Trust.STALE


def test_a_sensor_that_speaks_every_second_is_fresh_though_its_counts_come_every_five_minutes() -> None:
    live = Live(CurrentRegistry(registry()))
    device = DeviceHealth(device="c1", model="hlk-ld2450", at=NOW, period_s=1)
    live.take(HealthReport(gateway=GATEWAY, epoch=EPOCH, seq=1, health=device), NOW)
    before = counter_views(live, registry(), NOW + timedelta(minutes=6))[0]
    interval = FlowInterval(
        device="c1", channel="line1", mode="pedestrian", start=NOW, seconds=300, in_=2, out=3, covered_s=300
    )
    live.take(Flow(gateway=GATEWAY, epoch=EPOCH, seq=2, intervals=(interval,)), NOW + timedelta(minutes=5))

    after = [counter_views(live, registry(), NOW + timedelta(minutes=minutes))[0] for minutes in (11, 18)]

    assert [each.trust for each in (before, *after)] == [Trust.FRESH, Trust.FRESH, Trust.STALE]


def test_a_counter_that_never_spoke_is_unknown() -> None:
    assert counter_views(Live(CurrentRegistry(registry())), registry(), NOW)[0].trust is Trust.UNKNOWN
