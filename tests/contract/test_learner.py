"""What the past teaches reaches the present: a space that hangs is unknown, a counter that cannot be right says so."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloud_api.counters import counter_view
from cloud_api.feed import ZoneFeed
from cloud_api.flows import hourly_flows
from cloud_api.frozen import WEEKS
from cloud_api.learner import Learner
from cloud_api.live import Live
from cloud_api.periods import Period
from cloud_api.registry import Closure, Counter, Installation, Registry, Space, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.settings import Settings
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel, Store, StoredSpace
from cloud_api.trust import Trust
from cloud_api.zones import SpaceStatus, zone_detail
from edge.messages import Flow, SpaceState
from tests.history import flow
from tests.parked import DAY, MONDAY, year_of
from tests.town import HERE, Clock

NOW = MONDAY + timedelta(weeks=WEEKS)
HANGS = 1
SETTINGS = Settings()
LINE = Channel("c1", "line1")
REGISTRY = Registry(
    zones=[Zone(id="marche", name="Place du Marché", position=HERE)],
    spaces=[Space(id=f"m{number}", zone="marche") for number in range(4)],
    counters=[Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie")],
    installations=[
        *(
            Installation(place=f"m{number}", device=f"d{number}", channel="1", start=datetime(2026, 1, 1, tzinfo=UTC))
            for number in range(4)
        ),
        Installation(place="rue-haute", device=LINE.device, channel=LINE.name, start=datetime(2026, 1, 1, tzinfo=UTC)),
    ],
    closures=[Closure(id="works", place="m3", start=NOW - DAY, reason="travaux de voirie")],
)


def remember(store: Store) -> None:
    """Weeks of changes and a last heartbeat of each space; five days of a street whose way back is never counted."""
    for number in range(4):
        quiet_from = NOW - 10 * DAY if number == HANGS else NOW
        changes = [change for change in year_of(number, WEEKS, seed=3) if change.at < quiet_from]
        states = [
            SpaceState(device=f"d{number}", channel="1", occupied=each.occupied, at=each.at, since=each.at)
            for each in changes
        ]
        last = states[-1]
        heartbeat = SpaceState(
            device=last.device, channel="1", occupied=last.occupied, at=NOW - timedelta(minutes=5), since=last.since
        )
        store.write([StoredSpace(gateway="mairie", state=state) for state in (*states, heartbeat)])
    store.write(
        [flow(NOW.replace(minute=0) - hours * timedelta(hours=1), in_=9, out=0, channel=LINE) for hours in range(120)]
    )


async def taught(store: Store) -> Live:
    live, clock = Live(CurrentRegistry(REGISTRY)), Clock(NOW)
    feed = ZoneFeed(live, CurrentRegistry(REGISTRY), NOW)
    live.remember(store.last_states(), NOW)
    await Learner(SETTINGS, store=store, registry=CurrentRegistry(REGISTRY), live=live, feed=feed, clock=clock).learn()
    return live


def _interval() -> Flow:
    """The counter's last five minutes."""
    part = flow(NOW - timedelta(minutes=5), channel=LINE).interval
    return Flow(gateway="mairie", epoch="00112233aabbccdd", seq=1, intervals=(part,))


def test_a_space_that_hangs_is_frozen_and_counts_as_unknown_until_it_changes(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        remember(store)
        live = asyncio.run(taught(store))

    zone = zone_detail(live, REGISTRY, REGISTRY.zones["marche"], NOW)
    hangs = zone.spaces[HANGS]

    assert [space.trust for space in zone.spaces] == [Trust.FRESH, Trust.FROZEN, Trust.FRESH, Trust.CLOSED]
    assert hangs.status is SpaceStatus.UNKNOWN
    assert hangs.cause is not None
    assert "10 days" in hangs.cause.en
    assert zone.cause is not None
    assert zone.cause.fr == "1 place sur 3 sans nouvelles sûres (1 figée)"

    changed = SpaceState(device=f"d{HANGS}", channel="1", occupied=True, at=NOW, since=NOW)
    live.remember([StoredSpace(gateway="mairie", state=changed)], NOW)

    assert zone_detail(live, REGISTRY, REGISTRY.zones["marche"], NOW).spaces[HANGS].trust is Trust.FRESH


def test_a_closed_space_says_why_in_the_towns_words() -> None:
    closed = zone_detail(Live(CurrentRegistry(REGISTRY)), REGISTRY, REGISTRY.zones["marche"], NOW).spaces[3]

    assert closed.status is SpaceStatus.CLOSED
    assert closed.cause is not None
    assert closed.cause.fr == "fermé : travaux de voirie"


def test_a_counter_with_a_silent_direction_says_so_now_and_in_its_hours(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        remember(store)
        live = asyncio.run(taught(store))
        counter = REGISTRY.counters["rue-haute"]
        live.take(_interval(), NOW)
        day = Period(NOW.replace(minute=0) - DAY, NOW.replace(minute=0))
        flows = hourly_flows(REGISTRY, store, counter, day, SETTINGS.time_zone)

    view = counter_view(live, REGISTRY, counter, NOW)

    assert view.trust is Trust.IMPLAUSIBLE
    assert view.cause is not None
    assert "“vers la mairie”" in view.cause.en
    assert flows.trust is Trust.IMPLAUSIBLE
    assert {hour.trust for hour in flows.hours} == {Trust.IMPLAUSIBLE}
