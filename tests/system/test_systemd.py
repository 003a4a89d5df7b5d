"""`passerelle edge` as a service of `Type=notify`: ready, alive while it works, stopping; silent when it hangs."""

import asyncio
import re
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from edge import health
from edge.clock import SystemClock
from edge.config import parse
from edge.gateway import Gateway
from edge.link_runner import LONGEST_BACKOFF_S
from edge.notify import Notifier
from edge.service import report_to
from firmware_sim.encoders import bosch_tps110
from firmware_sim.links.chirpstack import ChirpStackPeer, EndDevice, uplink
from tests.broker import Mosquitto, free_port
from tests.chaos import page
from tests.system.programs import REPOSITORY, START_S, Program, running
from tests.systemd import Systemd, listening
from tests.town import until

BAY = EndDevice("0004a30b00000002")
CONFIG = """
[gateway]
name = "mairie"
data = "data"
clock = "system"
[broker]
host = "{host}"
port = {port}
[[link]]
kind = "chirpstack"
name = "network"
host = "{host}"
port = {port}
client_id = "passerelle-mairie"
[[link]]
kind = "serial"
name = "passage"
port = "/dev/no-such-port"
model = "hlk-ld2450"
device = "radar"
[[device]]
address = "0004a30b00000002"
model = "bosch-tps110"
"""
UNIT = REPOSITORY / "deploy" / "edge" / "passerelle-edge.service"
MOST_MEMORY = re.compile(r"gateway at most (\d+) MB")
WATCHDOG_S = 4
PING_S = WATCHDOG_S / 2


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    with listening(tmp_path) as it:
        yield it


@contextmanager
def service(folder: Path, broker: Mosquitto, systemd: Systemd) -> Iterator[Program]:
    """The gateway, up to the moment at which systemd holds it for started."""
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(host=broker.host, port=broker.port))
    environment = {
        "NOTIFY_SOCKET": systemd.address,
        "WATCHDOG_USEC": str(WATCHDOG_S * 1_000_000),
        "RUNTIME_DIRECTORY": str(folder),
    }
    with running(["edge", "--config", str(config)], folder, environment) as program:
        assert systemd.next() == "READY=1"
        yield program


def test_it_is_ready_though_a_port_is_missing_and_says_how_it_does_and_when_it_stops(
    tmp_path: Path, own_mosquitto: Mosquitto, systemd: Systemd
) -> None:
    with service(tmp_path, own_mosquitto, systemd) as program:
        assert (tmp_path / "data" / "outbox.db").exists()
        systemd.hears("WATCHDOG=1")
        systemd.hears("network up, passage down; not confirmed as stored: 0;")
        program.tell(signal.SIGTERM)
        assert "STATUS=stopping" in systemd.hears("STOPPING=1")
        assert program.status(5) == 0


def test_it_says_on_its_own_machine_how_it_does(tmp_path: Path, own_mosquitto: Mosquitto, systemd: Systemd) -> None:
    with service(tmp_path, own_mosquitto, systemd) as program:
        until(lambda: (told := health.read(tmp_path / "health.json")) is not None and told.broker, START_S)
        until(lambda: (told := health.read(tmp_path / "health.json")) is not None and bool(told.links), START_S)
        told = health.read(tmp_path / "health.json")
        assert told is not None
        assert (told.pid, told.links, told.devices, told.trouble) == (program.pid, ("network",), 1, "")
        assert not (tmp_path / "health.new").exists()


def test_a_commit_that_hangs_silences_the_watchdog(tmp_path: Path, own_mosquitto: Mosquitto, systemd: Systemd) -> None:
    with service(tmp_path, own_mosquitto, systemd) as program:
        program.says("connected link=network")
        with closing(sqlite3.connect(tmp_path / "data" / "outbox.db", isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            with closing(ChirpStackPeer(own_mosquitto.host, own_mosquitto.port)) as server:
                document = uplink(
                    BAY, counter=1, port=1, payload=bosch_tps110.parking_status(occupied=True), at=datetime.now(UTC)
                )
                server.publish_and_wait(document)
            systemd.until_silent_for(1.5 * PING_S)
        systemd.hears("WATCHDOG=1")


def test_an_event_loop_that_hangs_silences_the_watchdog(tmp_path: Path, systemd: Systemd) -> None:
    async def scenario() -> None:
        config = parse(CONFIG.format(host="127.0.0.1", port=free_port()), tmp_path / "gateway.toml")
        gateway = Gateway(config, SystemClock(config.gateway.clock))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(gateway.run())
            reporting = tasks.create_task(report_to(Notifier(systemd.address, watchdog_s=0.1), gateway))
            await asyncio.to_thread(systemd.hears, "WATCHDOG=1")
            await asyncio.to_thread(systemd.hears, "WATCHDOG=1")
            systemd.all_so_far()
            Event().wait(1.5)
            assert systemd.all_so_far() == []
            await asyncio.to_thread(systemd.hears, "WATCHDOG=1")
            reporting.cancel()
            gateway.stop()

    asyncio.run(scenario())


def unit() -> dict[str, str]:
    lines = UNIT.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_the_unit_leaves_twice_the_memory_that_the_gateway_ever_took_in_the_rig() -> None:
    peaks = [int(peak) for row in page.rows_of(page.PAGE) for peak in MOST_MEMORY.findall(row.measured)]
    assert 2 * max(peaks) <= int(unit()["MemoryMax"].removesuffix("M"))


def test_the_unit_tries_a_disk_that_refuses_the_start_for_as_long_as_it_takes() -> None:
    assert (unit()["Restart"], unit()["StartLimitIntervalSec"]) == ("always", "0")


def test_the_unit_lets_the_longest_wait_for_a_disk_pass() -> None:
    assert unit()["Type"] == "notify"
    assert float(unit()["WatchdogSec"]) / 2 > LONGEST_BACKOFF_S


def test_the_unit_gives_away_little_by_systemds_own_judgement() -> None:
    judge = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=29", str(UNIT)]
    judged = subprocess.run(judge, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout


def test_the_unit_lets_the_clock_be_asked_and_the_boot_be_named() -> None:
    lines = UNIT.read_text().splitlines()
    calls = [line.removeprefix("SystemCallFilter=") for line in lines if line.startswith("SystemCallFilter=")]
    assert calls[-1] == "adjtimex clock_adjtime clock_adjtime64", "what a later line forbids is forbidden"
    assert not {"ProtectClock", "ProcSubset"} & set(unit())
