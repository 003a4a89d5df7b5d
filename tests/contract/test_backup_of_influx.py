"""History on InfluxDB is backed up and restored by the server's own tool."""

from contextlib import closing
from pathlib import Path

import pytest

from cloud_api.stores import open_store
from tests.backed_up_town import archive as archive
from tests.backed_up_town import machine as machine
from tests.backed_up_town import run, store_of
from tests.backed_up_town import town as town
from tests.history import CHANNEL, DAY, MIDNIGHT, day, space, summed
from tests.influx import InfluxServer
from tests.influx import influx as influx
from tests.stores import fresh_name


@pytest.fixture
def on_influx(influx: InfluxServer) -> str:
    """The town's history on a real InfluxDB instead."""
    url = influx.url(fresh_name())
    with closing(open_store(url)) as store:
        store.write([*day(), space()])
    return url


def test_history_on_influxdb_is_backed_up_and_restored_by_its_own_tool(
    town: Path, machine: Path, tmp_path: Path, influx: InfluxServer, on_influx: str
) -> None:
    file, target = tmp_path / "influx.zip", influx.url(fresh_name())
    rest = ["--registry", str(town / "registry.db"), "--ledger", str(town / "history.ledger.db")]
    there = ["--registry", str(machine / "registry.db"), "--ledger", str(machine / "a.ledger.db")]

    taken = run("backup", "--to", str(file), "--store", on_influx, "--influx-rpc", influx.rpc, *rest)
    restored = run("restore", str(file), "--store", target, "--influx-rpc", influx.rpc, *there)
    again = run("restore", str(file), "--store", target, "--influx-rpc", influx.rpc, "--replace", *there)
    mistaken = run("restore", str(file), "--store", store_of(machine))

    assert taken.exit_code == 0, taken.output
    assert restored.exit_code == 0, restored.output
    with closing(open_store(target)) as store:
        assert store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + DAY) == summed(day())
        assert store.last_states() == [space()]
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)
    assert (mistaken.exit_code, "passerelle store copy" in mistaken.stderr) == (1, True)


def test_a_machine_without_the_servers_tool_is_told_what_to_do(
    town: Path, tmp_path: Path, on_influx: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    rest = ["--registry", str(town / "registry.db"), "--ledger", str(town / "history.ledger.db")]

    taken = run("backup", "--to", str(tmp_path / "i.zip"), "--store", on_influx, *rest)
    without = run("backup", "--to", str(tmp_path / "w.zip"), "--store", on_influx, "--without-store", *rest)

    assert (taken.exit_code, "influxd backup -portable" in taken.stderr) == (1, True)
    assert without.exit_code == 0, without.output
    assert not (tmp_path / "i.zip").exists()
