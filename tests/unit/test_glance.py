"""What a glance sees: which sensors want a visit first, how far a gateway's clock is off, what is closed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from cloud_api.glance import Glance, Watch
from cloud_api.live import Live
from cloud_api.metrics import Metrics
from cloud_api.registry import Closure, Installation, Registry, Space
from cloud_api.registry.current import CurrentRegistry
from cloud_api.sensor_glance import MOST_DOUBTFUL, Sensors, look_at_sensors
from cloud_api.settings import Settings
from cloud_api.trust import Trust
from edge.messages import DeviceHealth, HealthReport, SpaceState, Status
from edge.messages import Space as SpaceMessage
from tests.town import EPOCH, NOW, REGISTRY, START

GATEWAY = "gw-halles"
MINUTE = timedelta(minutes=1)


def seen(live: Live, town: Registry = REGISTRY) -> Sensors:
    return look_at_sensors(live, town, NOW)


def a_sensor(live: Live, device: str, *, minutes_ago: int = 1, fault: str | None = None, percent: float = 90) -> None:
    """It said that its space is free, and how it does."""
    at = NOW - minutes_ago * MINUTE
    said = SpaceState(device=device, channel="1", occupied=False, at=at)
    health = DeviceHealth(device=device, model="bosch-tps110", at=at, period_s=600, fault=fault, battery_pct=percent)
    live.take(SpaceMessage(gateway=GATEWAY, epoch=EPOCH, seq=1, states=(said,)), NOW)
    live.take(HealthReport(gateway=GATEWAY, epoch=EPOCH, seq=2, health=health), NOW)


def test_the_faulty_come_before_the_silent_the_silent_by_their_silence_and_low_batteries_last() -> None:
    live = Live(CurrentRegistry(REGISTRY))
    a_sensor(live, "d1", percent=15)
    a_sensor(live, "d2", minutes_ago=90)
    a_sensor(live, "d3", minutes_ago=200)
    a_sensor(live, "d4", fault="tilted")
    found = seen(live)

    assert [(each.device, each.trust, each.low_battery) for each in found.doubtful] == [
        ("d4", Trust.FAULTY, False),
        ("d3", Trust.STALE, False),
        ("d2", Trust.STALE, False),
        ("c1", Trust.UNKNOWN, False),
        ("d1", Trust.FRESH, True),
    ]
    assert found.doubtful[1].place_name == "Place du Marché, m3"
    assert (found.doubted, found.low_batteries) == (5, 1)
    assert sum(each.sensors for each in found.tallies) == 5


def test_a_town_that_has_gone_silent_is_told_in_a_list_that_can_be_read() -> None:
    numbers = range(10 * MOST_DOUBTFUL)
    town = Registry(
        zones=[*REGISTRY.zones.values()],
        spaces=[Space(id=f"s{number}", zone="marche") for number in numbers],
        installations=[Installation(place=f"s{each}", device=f"d{each}", channel="1", start=START) for each in numbers],
    )
    found = seen(Live(CurrentRegistry(town)), town)

    assert (len(found.doubtful), found.doubted) == (MOST_DOUBTFUL, len(numbers))


def test_a_gateways_clock_is_held_against_ours_unless_the_broker_kept_its_word(tmp_path: Path) -> None:
    places = CurrentRegistry(REGISTRY)
    live = Live(places)
    look = looking(live, places, tmp_path)
    told = Status(gateway=GATEWAY, epoch=EPOCH, online=True, at=NOW + 90 * MINUTE, version="1", disk_free_bytes=7)
    live.take(told, NOW)
    (early,) = look().gateways
    live.take(told, NOW, retained=True)
    (kept,) = look().gateways

    assert (early.clock_ahead_s, early.disk_free_bytes, early.version) == (5400.0, 7, "1")
    assert kept.clock_ahead_s is None


def test_a_disk_whose_folder_has_vanished_is_not_told_of_and_breaks_nothing(tmp_path: Path) -> None:
    places = CurrentRegistry(REGISTRY)
    there = looking(Live(places), places, tmp_path)().disks
    gone = looking(Live(places), places, tmp_path / "unmounted")().disks

    assert [each.file for each in there] == ["ledger"]
    assert gone == ()


def test_closures_in_force_are_seen_the_oldest_first(tmp_path: Path) -> None:
    works = Closure(id="works", place="m1", start=NOW - 3 * MINUTE, reason="travaux")
    market = Closure(id="market", place="gare", start=NOW - 9 * MINUTE, end=NOW + MINUTE, reason="marché")
    over = replace(market, id="over", end=NOW - MINUTE)
    town = Registry(zones=[*REGISTRY.zones.values()], spaces=REGISTRY.spaces, closures=[works, market, over])
    places = CurrentRegistry(town)
    found = looking(Live(places), places, tmp_path)().closures

    assert [(each.place_name, each.reason, each.until) for each in found] == [
        ("Gare", "marché", NOW + MINUTE),
        ("Place du Marché, m1", "travaux", None),
    ]


def test_who_is_held_off_the_broker_is_seen_with_when_it_is_let_in_again(tmp_path: Path) -> None:
    places = CurrentRegistry(REGISTRY)
    live = Live(places)
    live.take(Status(gateway=GATEWAY, epoch=EPOCH, online=True), NOW)
    found = looking(live, places, tmp_path, held_off=["port"])().gateways

    assert [(each.name, each.held_off_until) for each in found] == [(GATEWAY, None), ("port", NOW + MINUTE)]


def looking(live: Live, places: CurrentRegistry, folder: Path, *, held_off: Sequence[str] = ()) -> Callable[[], Glance]:
    """A look at a town whose API runs nowhere."""

    def now() -> datetime:
        return NOW

    def held_off_until() -> dict[str, datetime]:
        return dict.fromkeys(held_off, NOW + MINUTE)

    return Watch(
        settings=Settings(ledger=folder / "ledger.db"),
        live=live,
        places=places,
        connections={},
        ingest=Metrics().ingest,
        held_off_until=held_off_until,
        clock=now,
    ).look
