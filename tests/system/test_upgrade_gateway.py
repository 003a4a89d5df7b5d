"""A gateway at work is upgraded, goes back by itself, and back by hand: real wheels, a real broker, people walking."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from cloud_api.stores.sqlite import SqliteStore
from edge import health, messages
from edge.aggregator.device import DeviceState
from edge.messages import Flow
from edge.outbox_schema import SCHEMA_VERSION
from firmware_sim.encoders import parametric_pcr2
from firmware_sim.links.chirpstack import ChirpStackPeer, uplink
from tests import systemctl, wheels
from tests.broker import Mosquitto
from tests.system.test_gateway_process import ADDER, COUNTER, GATEWAY, counted
from tests.system.test_install import QUICKLY, install
from tests.systemctl import Service
from tests.town import serving, town_api, until

WALKERS = 40
"""Who pass by each sensor in every report."""
WATCH_S = 7
PATIENCE_S = 300.0
"""A loaded disk takes long to unpack a program."""
NEXT_SCHEMA = '''    Migration(forward="CREATE TABLE found (device TEXT);", back="DROP TABLE found;"),
)
"""Between'''


def of_the_next_schema(text: str) -> str:
    return text.replace(')\n"""Between', NEXT_SCHEMA)


def that_finds_no_broker(text: str) -> str:
    return text.replace(
        "connected(self._client, self._broker.host, self._broker.port)", 'connected(self._client, "127.0.0.1", 1)'
    )


@dataclass
class Site:
    """An installed gateway, its service, and two sensors: one sends its total, the other what it counted since."""

    root: Path
    service: Service
    peer: ChirpStackPeer
    environment: dict[str, str]
    reports: int = 0

    @property
    def outbox(self) -> Path:
        return self.root / "srv" / "outbox.db"

    @property
    def sent(self) -> int:
        """Who have passed by each sensor so far."""
        return self.reports * WALKERS

    def pass_by(self) -> None:
        """Both sensors report, now."""
        self.reports += 1
        now = datetime.now(UTC)
        total = parametric_pcr2.counts_v4(WALKERS, 0, self.sent, 0, 0, 0, 20.0)
        period = parametric_pcr2.counts_elsys(WALKERS, 0, 20.0)
        self.peer.publish(uplink(COUNTER, counter=self.reports, port=14, payload=total, at=now))
        self.peer.publish_and_wait(uplink(ADDER, counter=self.reports, port=14, payload=period, at=now))

    def begin(self, *words: str | Path) -> subprocess.Popen[str]:
        """`passerelle edge WORDS`, as an operator starts it."""
        program = self.root / "opt/passerelle/current/bin/passerelle"
        config = self.root / "etc/passerelle/gateway.toml"
        command = [program, "edge", *words, "--config", config, "--watch", str(WATCH_S)]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def runs(self) -> str:
        """The version at work, once it is connected to the city and to its sensors."""
        until(lambda: (told := self.told()) is not None and told.broker and bool(told.links), PATIENCE_S)
        told = self.told()
        assert told is not None
        return told.version

    def until_another_runs(self, trial: subprocess.Popen[str]) -> None:
        """Wait until the version on trial has taken over; or the trial is over already, and will say why."""
        pid = self.service.pid
        until(lambda: self.service.pid not in {0, pid} or trial.poll() is not None, PATIENCE_S)

    def told(self) -> health.Health | None:
        told = health.read(self.root / "run/passerelle/health.json")
        return told if told is not None and told.pid == self.service.pid else None

    def ask(self, query: str) -> list[tuple[bytes, ...]]:
        with closing(sqlite3.connect(self.outbox)) as database:
            return database.execute(query).fetchall()

    def schema(self) -> int:
        ((version,),) = self.ask("PRAGMA user_version")
        return int(version)

    def holds(self, device: str) -> tuple[int, int]:
        """How many are in the queue, and in intervals that are open still."""
        queue = [messages.decode(str(topic), bytes(body)) for topic, body in self.ask("SELECT topic, body FROM outbox")]
        flows = [flow for message in queue if isinstance(message, Flow) for flow in message.intervals]
        states = [
            msgspec.msgpack.decode(state, type=DeviceState)
            for address, state in self.ask("SELECT address, state FROM device")
            if str(address) == device
        ]
        open_ = [each for state in states for channel in state.channels.values() for each in channel.open.values()]
        return sum(flow.in_ for flow in flows if flow.device == device), sum(each.in_ for each in open_)

    def holds_all(self) -> bool:
        """Whether outbox and open intervals together hold everybody, once."""
        return {sum(self.holds(device.dev_eui)) for device in (COUNTER, ADDER)} == {self.sent}


@contextmanager
def site(stick: Path, broker: Mosquitto, folder: Path) -> Iterator[Site]:
    """A gateway at work that was installed from the stick."""
    root = folder / "root"
    root.mkdir()
    install(root, "--wheels", stick)
    config = GATEWAY.format(host=broker.host, port=broker.port)
    config = config.replace('data = "data"', f'data = "{root}/srv"\ninterval_s = 900')
    (root / "etc/passerelle/gateway.toml").write_text(config)
    with systemctl.service(root, folder) as service, closing(ChirpStackPeer(broker.host, broker.port)) as peer:
        assert service.start() == 0
        environment = {**QUICKLY, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        yield Site(root, service, peer, environment)


@pytest.mark.slow
def test_a_gateway_at_work_is_upgraded_and_goes_back_and_counts_everybody_once(
    stick: Path, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    wheel = stick / f"passerelle-{wheels.VERSION}-py3-none-any.whl"
    newer = {"edge/outbox_schema.py": of_the_next_schema}
    deaf = wheels.altered(wheel, tmp_path, "0.2.0", {**newer, "edge/publisher.py": that_finds_no_broker})
    good = wheels.altered(wheel, tmp_path, "0.3.0", newer)
    with site(stick, own_mosquitto, tmp_path) as gateway:
        assert gateway.runs() == "0.1.0"
        for _ in range(3):
            gateway.pass_by()
        until(gateway.holds_all, PATIENCE_S)
        assert gateway.holds(ADDER.dev_eui)[1] > 0

        pid = gateway.service.pid
        torn = tmp_path / "passerelle-0.9.0-py3-none-any.whl"
        torn.write_bytes(wheel.read_bytes()[:10_000])
        says = gateway.begin("upgrade", torn, "--wheels", stick)
        assert "is torn, or no wheel" in says.communicate()[0]
        assert (says.returncode, gateway.service.pid) == (2, pid)

        trial = gateway.begin("upgrade", deaf, "--wheels", stick)
        gateway.until_another_runs(trial)
        gateway.pass_by()
        says_it = trial.communicate()[0]
        assert "0.2.0 did not prove itself: the broker was reached before, and is not any more" in says_it
        assert trial.returncode == 1
        assert (gateway.runs(), gateway.schema()) == ("0.1.0", SCHEMA_VERSION)
        gateway.pass_by()
        until(gateway.holds_all, PATIENCE_S)

        trial = gateway.begin("upgrade", good, "--wheels", stick)
        gateway.until_another_runs(trial)
        gateway.pass_by()
        assert "0.3.0 runs and is kept" in trial.communicate()[0]
        assert (trial.returncode, gateway.runs()) == (0, "0.3.0")
        gateway.pass_by()
        until(gateway.holds_all, PATIENCE_S)

        trial = gateway.begin("back")
        assert "0.1.0 runs and is kept" in trial.communicate()[0]
        assert (trial.returncode, gateway.runs(), gateway.schema()) == (0, "0.1.0", SCHEMA_VERSION)
        gateway.pass_by()
        until(gateway.holds_all, PATIENCE_S)
        assert gateway.service.restarts == 0

        with (
            closing(SqliteStore(tmp_path / "history.db")) as store,
            serving(town_api(own_mosquitto, store, tmp_path)),
        ):
            until(lambda: gateway.holds(ADDER.dev_eui)[0] == 0, PATIENCE_S)
            for device in (COUNTER, ADDER):
                queued, open_ = gateway.holds(device.dev_eui)
                assert counted(store, device) + queued + open_ == gateway.sent
