"""The platform as `deploy/platform` and `deploy/mosquitto` run it: their own command lines, their own configuration."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloud_api.authority import create_authority
from cloud_api.broker_commands import broker as broker_command
from cloud_api.mqtt import Connection, Subscription
from cloud_api.provisioning.broker_rules import API
from cloud_api.settings import Broker
from tests.broker import Mosquitto, free_port, running_mosquitto
from tests.loopback import HTTP
from tests.platform_files import REPORT, UNITS, command_of, environment_of, settings_of
from tests.system.programs import REPOSITORY, START_S, running
from tests.town import until

BROKER_FILE = REPOSITORY / "deploy" / "mosquitto" / "dynamic-security.conf"
WORKER = UNITS / "passerelle-api@.service"
SERVICES = [*UNITS.glob("*.service"), REPORT]
PASSWORDS = ("broker-api-password", "broker-admin-password")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A broker that runs from the file in `deploy/mosquitto`, moved to a folder and to free ports."""

    mosquitto: Mosquitto
    folder: Path
    tls_port: int

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca" / "ca.pem"


@contextmanager
def deployed_broker(folder: Path) -> Iterator[Deployed]:
    """Certificates, passwords and the broker's file, as docs/platform.md says."""
    now = datetime.now(UTC).replace(microsecond=0)
    certificate, key = create_authority(folder / "ca", "Town", now).server("broker", ["127.0.0.1"], now)
    state, tls_port = folder / "dynamic-security.json", free_port()
    made = CliRunner().invoke(broker_command, ["init", "--state", str(state), "--passwords", str(folder)])
    assert made.exit_code == 0, made.output
    settings = BROKER_FILE.read_text()
    moved = {
        "/var/lib/mosquitto/dynamic-security.json": state,
        "/etc/mosquitto/ca_certificates/ca.pem": folder / "ca" / "ca.pem",
        "/etc/mosquitto/certs/broker.pem": certificate,
        "/etc/mosquitto/certs/broker.key": key,
        "listener 1883 127.0.0.1\n": "",  # the port that every broker of the tests has
        "listener 8883\n": f"listener {tls_port} 127.0.0.1\n",
    }
    for word, own in moved.items():
        assert word in settings
        settings = settings.replace(word, str(own))
    with running_mosquitto(folder, settings=settings) as mosquitto:
        yield Deployed(mosquitto, folder, tls_port)


def answer_to(broker: Broker) -> str | None:
    """What keeps somebody with these settings from the broker; None when he is let in."""
    somebody = Connection(
        broker, Subscription(client_id="somebody", topics=("passerelle/1/+/status",), window=10), lambda _delivery: None
    )
    somebody.start()
    until(lambda: somebody.problem != "not connected yet", START_S)
    told = somebody.problem
    somebody.stop()
    return told


def test_the_broker_of_the_platform_lets_nobody_in_without_a_user_on_either_port(tmp_path: Path) -> None:
    with deployed_broker(tmp_path) as broker:
        plain, host = broker.mosquitto.port, broker.mosquitto.host
        assert "refuses" in (answer_to(Broker(host=host, port=plain)) or "")
        assert "refuses" in (answer_to(Broker(host=host, port=broker.tls_port, ca_file=broker.ca_file)) or "")
        password = tmp_path / "broker-api-password"
        login = Broker(host=host, port=broker.tls_port, ca_file=broker.ca_file, username=API, password_file=password)
        assert answer_to(login) is None


def test_a_worker_starts_by_its_unit_is_ready_and_shows_no_password_in_the_process_list(tmp_path: Path) -> None:
    with deployed_broker(tmp_path) as broker:
        port = free_port()
        environment = environment_of(UNITS / "platform.env") | {
            "STORE": f"sqlite:///{tmp_path}/history.db",
            "REGISTRY": f"{tmp_path}/registry.db",
            "BROKER": f"mqtt://api@{broker.mosquitto.host}:{broker.mosquitto.port}",
        }
        arguments = [
            word.replace("/var/lib/passerelle", str(tmp_path)).replace("/etc/passerelle/tls", f"{tmp_path}/ca")
            for word in command_of(WORKER, environment, {"i": "1", "d": str(tmp_path)})
        ]
        assert arguments.count("8001") == 1
        arguments[arguments.index("8001")] = str(port)
        with running(arguments, tmp_path) as program:
            program.says("Serving http://")
            until(lambda: HTTP.get(f"http://127.0.0.1:{port}/readyz").status_code == 200, START_S)
            seen = b"".join(Path(f"/proc/{program.pid}/{each}").read_bytes() for each in ("cmdline", "environ"))
        for file in PASSWORDS:
            assert (tmp_path / file).read_bytes().strip() not in seen


def test_no_unit_and_no_environment_file_holds_a_password() -> None:
    secret = re.compile(r"password=|token=|://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE)
    for file in (*SERVICES, UNITS / "platform.env"):
        assert not secret.search(file.read_text()), file
    loaded = [value.partition(":")[0] for name, value in settings_of(WORKER) if name == "LoadCredential"]
    assert loaded == list(PASSWORDS)


def test_a_worker_may_let_the_processes_that_it_starts_step_back() -> None:
    calls = [value for name, value in settings_of(WORKER) if name == "SystemCallFilter"]
    assert calls[-1] == "nice setpriority", "what a later line forbids is forbidden"


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_of_the_platform_gives_away_little_by_systemds_own_judgement(unit: Path) -> None:
    judge = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=19", str(unit)]
    judged = subprocess.run(judge, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize("timer", [*UNITS.glob("*.timer")], ids=lambda timer: timer.name)
def test_a_timer_of_the_platform_starts_a_command_that_there_is(timer: Path, tmp_path: Path) -> None:
    words = command_of(timer.with_suffix(".service"), environment_of(UNITS / "platform.env"), {})
    command = [word for word in words[:2] if word.isalpha()]
    with running([*command, "--help"], tmp_path, {"COLUMNS": "200"}) as program:
        assert program.status(START_S) == 0, program.words
        assert [word for word in words if word.startswith("--") and word not in program.words] == []
