"""The ledger keeps what ingest answers for: the newest health, who was heard lately, every refused fact."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud_api.ledger import Ledger
from cloud_api.stores.base import RefusedFactError, StoreError
from edge.messages import DeviceHealth, Dropped, HealthReport, Heard, HeardDevice, Limit, Trimmed
from tests.history import EPOCH, flow

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(file: Path) -> Iterator[Ledger]:
    with closing(Ledger(file)) as opened:
        yield opened


def health(battery_v: float, *, minutes_ago: int) -> HealthReport:
    report = DeviceHealth(
        device="d1", model="bosch-tps110", at=NOW - timedelta(minutes=minutes_ago), period_s=600, battery_v=battery_v
    )
    return HealthReport(gateway="gw", epoch=EPOCH, seq=1, health=report)


def refused(part: int) -> RefusedFactError:
    return RefusedFactError(flow(part=part), "field type conflict")


def test_the_newest_health_stands_whatever_the_order(ledger: Ledger) -> None:
    ledger.keep([health(3.5, minutes_ago=1)], [])
    ledger.keep([health(3.6, minutes_ago=9)], [])

    assert [each.health.battery_v for each in ledger.health()] == [3.5]


def test_what_was_kept_is_there_after_it_is_opened_again(ledger: Ledger, file: Path) -> None:
    ledger.keep([health(3.5, minutes_ago=1)], [])
    ledger.quarantine([refused(0)], NOW)
    ledger.close()

    with closing(Ledger(file)) as again:
        assert again.quarantined() == 1
        assert again.health() == [health(3.5, minutes_ago=1)]


def test_a_fact_refused_again_is_held_once(ledger: Ledger) -> None:
    assert ledger.quarantine([refused(0)], NOW) == []
    assert ledger.quarantine([refused(0), refused(1)], NOW) == []
    assert ledger.quarantined() == 2


def test_a_refused_fact_without_room_is_given_back(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_api.ledger.MOST_QUARANTINED", 2)

    assert ledger.quarantine([refused(part) for part in range(3)], NOW) == [refused(2).fact]
    assert ledger.quarantine([refused(0)], NOW) == []


def test_only_the_devices_heard_last_are_remembered(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_api.ledger.MOST_HEARD", 3)
    devices = tuple(HeardDevice(device=f"s{n}", link="ble", at=NOW + timedelta(minutes=n)) for n in range(5))

    ledger.keep([], [Heard(gateway="gw", epoch=EPOCH, seq=1, devices=devices)])

    assert [each.device for _, each in ledger.heard()] == ["s2", "s3", "s4"]


def dropped(seq: int) -> Dropped:
    return Dropped(
        gateway="gw",
        epoch=EPOCH,
        seq=seq,
        what=Trimmed.HEALTH,
        why=Limit.DAYS,
        messages=5,
        start=NOW - timedelta(hours=1),
        end=NOW,
    )


def test_what_gateways_dropped_is_remembered_once_however_often_it_is_told(ledger: Ledger) -> None:
    ledger.keep([], [], [dropped(2), dropped(1)])
    ledger.keep([], [], [dropped(2)])

    assert ledger.dropped() == [dropped(1), dropped(2)]


def test_a_ledger_of_every_older_version_opens_with_all_that_it_holds(file: Path) -> None:
    with closing(sqlite3.connect(file)) as old:
        old.executescript((FIXTURES / "ledger-v1.sql").read_text())

    with closing(Ledger(file)) as ledger:
        assert [each.health.battery_v for each in ledger.health()] == [3.5]
        assert [each.device for _, each in ledger.heard()] == ["s1"]
        assert ledger.quarantined() == 1
        assert ledger.dropped() == []


@pytest.mark.usefixtures("ledger")
def test_a_file_of_a_newer_version_is_refused_by_name(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 99")

    with pytest.raises(StoreError, match=r"newer Passerelle \(schema 99, .*: upgrade"):
        Ledger(file)


def test_a_battery_is_known_by_its_last_figure_of_each_day_for_a_year(ledger: Ledger) -> None:
    def percent(value: float, *, days_ago: int, minutes: int = 0) -> HealthReport:
        at = NOW - timedelta(days=days_ago) + timedelta(minutes=minutes)
        told = DeviceHealth(device="d1", model="bosch-tps110", at=at, period_s=600, battery_pct=value)
        return HealthReport(gateway="gw", epoch=EPOCH, seq=1, health=told)

    ledger.keep([percent(99, days_ago=500)], [])
    ledger.keep([percent(80, days_ago=1, minutes=5), percent(81, days_ago=1), percent(79, days_ago=0)], [])
    ledger.keep([health(3.5, minutes_ago=1)], [])

    assert [each.percent for each in ledger.batteries()["d1"]] == [80, 79]
