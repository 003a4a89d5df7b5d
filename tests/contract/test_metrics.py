"""What Prometheus reads: the whole town, in names and units that follow Prometheus's conventions."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from cloud_api.app import create_app
from cloud_api.kept import Kept
from cloud_api.kept_metrics import KeptMetrics
from cloud_api.registry.backups import LastBackup
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from tests.broker import running_mosquitto
from tests.certificates import Authority
from tests.town import NOW, REGISTRY, Clock
from tests.town import kept as kept_registry
from tests.watched_town import watched_town

NAME = re.compile(r"passerelle(_[a-z]+)+")
NOT_BASE_UNITS = ("_ms", "_milliseconds", "_minutes", "_hours", "_days", "_kilobytes", "_megabytes", "_percent")
RESERVED = ("_total", "_count", "_sum", "_bucket", "_created", "_info")

Families = dict[str, Metric]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("metrics")
    with running_mosquitto(_made(folder / "broker")) as broker, watched_town(broker, folder) as town:
        yield town.metrics()


@pytest.fixture(scope="module")
def families(served: str) -> Families:
    return {family.name: family for family in text_string_to_metric_families(served)}


def test_every_metric_is_named_by_the_conventions_and_explained(served: str, families: Families) -> None:
    ours = [family for name, family in families.items() if not name.endswith("_created")]
    assert len(ours) > 20
    for family in ours:
        assert NAME.fullmatch(family.name), family.name
        assert family.documentation, family.name
        assert family.type in {"counter", "gauge", "histogram"}, family.name
        assert not family.name.endswith(NOT_BASE_UNITS), family.name
        if family.type == "gauge":
            assert not family.name.endswith(RESERVED), family.name
        if family.type == "counter":
            assert f"# TYPE {family.name}_total counter" in served, family.name
        if "timestamp" in family.name:
            assert family.name.endswith("_timestamp_seconds"), family.name


def test_a_gateway_says_how_it_does_and_one_that_never_came_is_off_line(families: Families) -> None:
    assert value(families, "passerelle_gateway_online", gateway="gw-halles") == 1
    assert value(families, "passerelle_gateway_online", gateway="gw-gare") == 0
    assert value(families, "passerelle_gateway_queued_messages", gateway="gw-halles") == 7
    assert value(families, "passerelle_gateway_status_timestamp_seconds", gateway="gw-halles") == NOW.timestamp()
    assert value(families, "passerelle_link_up", gateway="gw-halles", link="ble") == 0


def test_a_gateways_disk_and_clock_are_told_as_it_told_them(families: Families) -> None:
    assert value(families, "passerelle_gateway_disk_free_bytes", gateway="gw-halles") == 22_000_000_000
    assert value(families, "passerelle_gateway_disk_size_bytes", gateway="gw-halles") == 31_000_000_000
    assert value(families, "passerelle_gateway_clock_trusted", gateway="gw-halles") == 1
    assert abs(value(families, "passerelle_gateway_clock_ahead_seconds", gateway="gw-halles")) < 1
    for name in ("disk_free_bytes", "disk_size_bytes", "clock_trusted", "clock_ahead_seconds"):
        assert [each.labels for each in families[f"passerelle_gateway_{name}"].samples] == [{"gateway": "gw-halles"}]


def test_a_town_of_which_no_backup_was_ever_made_says_so(families: Families) -> None:
    assert value(families, "passerelle_backup_timestamp_seconds") == 0


def test_the_last_backup_and_the_certificates_of_gateways_are_told_as_they_were_last_found() -> None:
    made = LastBackup(at=NOW, file="town.zip", size_bytes=1, store="left out")
    known = Kept(backup=made, gateway_certificates={"gw-halles": NOW + timedelta(days=400)})
    assert told(known) == {
        "passerelle_store_up": 1,
        "passerelle_registry_up": 1,
        "passerelle_backup_timestamp_seconds": NOW.timestamp(),
        "passerelle_gateway_certificate_end_timestamp_seconds": (NOW + timedelta(days=400)).timestamp(),
    }


def test_what_could_not_be_asked_is_not_told() -> None:
    assert told(None) == {}
    assert told(Kept(store_problem="locked", registry_problem="it does not answer")) == {
        "passerelle_store_up": 0,
        "passerelle_registry_up": 0,
    }


def told(kept: Kept | None) -> dict[str, float]:
    """What is read of files and databases, by the name of the metric."""
    return {each.name: each.value for family in KeptMetrics(lambda: kept).collect() for each in family.samples}


def test_sensors_are_counted_by_what_they_serve_and_by_trust(families: Families) -> None:
    assert value(families, "passerelle_sensors", kind="space", trust="fresh") == 1
    assert value(families, "passerelle_sensors", kind="space", trust="unknown") == 3
    assert value(families, "passerelle_sensors", kind="counter", trust="unknown") == 1


def test_disks_connections_and_quarantine_are_told(families: Families) -> None:
    for file in ("store", "ledger"):
        free = value(families, "passerelle_disk_free_bytes", file=file)
        assert 0 < free <= value(families, "passerelle_disk_size_bytes", file=file)
    for connection in ("ingest", "live"):
        assert value(families, "passerelle_broker_connected", connection=connection) == 1
    assert value(families, "passerelle_quarantine_facts") == 0


def test_the_end_of_a_certificate_is_told_before_it_comes(tmp_path: Path) -> None:
    settings = Settings(broker=Broker(ca_file=Authority(tmp_path, "town").file), ledger=tmp_path / "town.ledger.db")
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        api = create_app(settings, store=store, registry=kept_registry(REGISTRY, tmp_path), clock=Clock())
        (certificate,) = api.services.watch.look().certificates

    assert certificate.name == "broker_ca"
    assert timedelta(days=360) < certificate.ends_at - datetime.now(UTC) < timedelta(days=366)


def value(families: Families, name: str, **labels: str) -> float:
    """The one sample of a metric with these labels."""
    (found,) = [each.value for each in families[name].samples if each.labels == labels]
    return found


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
