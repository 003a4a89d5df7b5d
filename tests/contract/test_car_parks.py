"""A car park counted at its entrances, from the store to the zone that people see, and corrected from the shell."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloud_api.entrances import CorrectionError, correct, count_now
from cloud_api.live import Live
from cloud_api.registry import Closure, Installation, Registry, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.places import Capacity, Counting
from cloud_api.stores import open_store
from cloud_api.stores.base import EARLIEST, Channel, CorrectionCause, Store
from cloud_api.trust import Trust
from cloud_api.zones import ZoneView, zone_detail
from cloud_api.zones_commands import zones
from edge.messages import Flow
from tests.history import flow
from tests.stores import influx as influx
from tests.stores import store as store
from tests.stores import url as url
from tests.town import EPOCH, HERE, START, kept

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
NORTH, SOUTH = Channel("e1", "gate", "vehicle"), Channel("e2", "gate", "vehicle")
MINUTES = timedelta(minutes=5)
GARE = Zone(
    id="gare", name="Parking de la Gare", position=HERE, counting=Counting.ENTRANCES, capacity=Capacity(public=100)
)
TOWN = Registry(
    zones=[GARE, Zone(id="marche", name="Place du Marché", position=HERE)],
    installations=[
        Installation(place="gare", device="e1", channel="gate", mode="vehicle", start=START),
        Installation(place="gare", device="e2", channel="gate", mode="vehicle", start=START, reversed=True),
    ],
    closures=[Closure(id="works", place="gare", start=NOW + timedelta(days=9), reason="travaux de voirie")],
)


def say(store: Store, occupied: int, at: datetime) -> None:
    correct(store, TOWN, "gare", occupied=occupied, cause=CorrectionCause.MANUAL, note="Lou: counted", now=at)


def pass_by(store: Store, *, until: datetime = NOW) -> Live:
    """Ten cars in by the north, four out by the south, which is mounted the other way round; each told twice."""
    start = until - 2 * MINUTES
    told = [flow(start, in_=10, out=0, channel=NORTH), flow(start, in_=4, out=0, channel=SOUTH)]
    store.write(told)
    store.write(told)
    live = Live(CurrentRegistry(TOWN))
    live.take(Flow(gateway="mairie", epoch=EPOCH, seq=1, intervals=tuple(each.interval for each in told)), until)
    return live


def seen(store: Store, live: Live, now: datetime = NOW) -> ZoneView:
    live.count_cars({"gare": count_now(store, TOWN, GARE, now)})
    return zone_detail(live, TOWN, GARE, now).without_spaces()


def test_cars_in_and_out_of_all_entrances_move_the_free_spaces(store: Store) -> None:
    say(store, 40, NOW - timedelta(hours=1))

    view = seen(store, pass_by(store))

    assert (view.capacity, view.occupied, view.free, view.trust) == (100, 46, 54, Trust.FRESH)
    assert view.cause is not None
    assert view.cause.fr == "compté aux entrées, vérifié il y a 60 min"


def test_a_restart_finds_the_same_count_in_the_store(store: Store, url: str) -> None:
    say(store, 40, NOW - timedelta(hours=1))
    before = seen(store, pass_by(store))

    with closing(open_store(url)) as reopened:
        assert count_now(reopened, TOWN, GARE, NOW) == count_now(store, TOWN, GARE, NOW)
        assert seen(reopened, Live(CurrentRegistry(TOWN))).free is None, (
            "its entrances have not spoken since the restart"
        )
        assert seen(reopened, pass_by(reopened)) == before


def test_nobody_knows_how_many_are_free_before_somebody_says_how_many_are_inside(store: Store) -> None:
    view = seen(store, pass_by(store))

    assert (view.free, view.unknown, view.trust) == (None, 100, Trust.UNKNOWN)


def test_an_entrance_that_falls_silent_leaves_no_free_space_known(store: Store) -> None:
    say(store, 40, NOW - timedelta(hours=1))

    view = seen(store, pass_by(store), NOW + timedelta(hours=5))

    assert (view.free, view.unknown, view.trust) == (None, 100, Trust.STALE)


def test_a_closed_car_park_is_closed_whatever_is_counted(store: Store) -> None:
    say(store, 40, NOW - timedelta(hours=1))

    view = seen(store, pass_by(store), NOW + timedelta(days=10))

    assert (view.free, view.closed, view.trust) == (None, 100, Trust.CLOSED)


def test_a_correction_is_a_fact_with_who_why_when_and_what_had_been_counted(store: Store) -> None:
    say(store, 40, NOW - timedelta(hours=1))
    pass_by(store)
    say(store, 50, NOW)

    first, second = store.corrections("gare", EARLIEST, NOW + MINUTES)

    assert (first.counted, second.occupied, second.counted, second.at) == (None, 50, 46, NOW)
    assert second.note == "Lou: counted"


def test_what_is_settled_is_written_down_once_and_changes_no_count(store: Store) -> None:
    say(store, 40, NOW - timedelta(days=9))
    pass_by(store, until=NOW - timedelta(days=8))
    pass_by(store)

    counts = [count_now(store, TOWN, GARE, NOW) for _ in range(2)]

    assert [each.occupied for each in counts if each is not None] == [52, 52]
    causes = [each.cause for each in store.corrections("gare", EARLIEST, NOW)]
    assert causes == [CorrectionCause.MANUAL, CorrectionCause.CARRIED]


def test_more_cars_than_the_car_park_holds_and_other_zones_are_refused(store: Store) -> None:
    with pytest.raises(CorrectionError, match="101 cars; 0 to 100 expected"):
        say(store, 101, NOW)
    with pytest.raises(CorrectionError, match="'marche' is no zone counted at its entrances; one of gare expected"):
        correct(store, TOWN, "marche", occupied=1, cause=CorrectionCause.MANUAL, note="", now=NOW)
    assert store.corrections("gare", EARLIEST, NOW + MINUTES) == []


def test_a_correction_from_the_shell_is_there_for_the_next_count(tmp_path: Path, url: str) -> None:
    kept(TOWN, tmp_path)
    with closing(open_store(url)) as store:
        store.ready()
    registry = str(tmp_path / "registry.db")
    words = ["correct", "gare", "--registry", registry, "--store", url, "--why", "empty after closing", "--by", "Lou"]

    done = CliRunner().invoke(zones, [*words, "--occupied", "0"])
    refused = CliRunner().invoke(zones, [*words, "--occupied", "101"])
    history = CliRunner().invoke(zones, ["history", "gare", "--store", url])

    assert done.exit_code == 0, done.output
    assert "gare: 0 cars, manual (Lou: empty after closing)" in done.output
    assert refused.exit_code == 2
    assert "0 to 100 expected" in refused.output
    assert "corrections of gare: 1" in history.output
