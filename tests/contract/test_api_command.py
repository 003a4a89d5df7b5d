"""`passerelle api`: mistakes in words and exit codes; told to stop, it stops, whoever still listens."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from cloud_api.commands import app, ledger_beside, parse_broker, registry_beside
from cloud_api.settings import Broker, ConfigError
from tests.broker import Mosquitto, free_port
from tests.loopback import HTTP
from tests.town import PATIENCE_S, until


def arguments(folder: Path, broker: str) -> list[str]:
    return ["api", "--store", f"sqlite:///{folder}/history.db", "--broker", broker]


def answers(address: str) -> bool:
    try:
        return HTTP.get(f"{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_sigterm_ends_it_with_success_while_someone_listens(mosquitto: Mosquitto, tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = arguments(tmp_path, f"mqtt://{mosquitto.host}:{mosquitto.port}")
    program = "from cloud_api.commands import app; app()"
    with subprocess.Popen(
        [sys.executable, "-c", program, *command, "--port", str(port), "--worker", "sigterm"], stderr=subprocess.PIPE
    ) as process:
        until(lambda: answers(address))
        with HTTP.stream("GET", f"{address}/v1/parking/stream", timeout=PATIENCE_S) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("id: ")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=5) == 0
            assert list(lines)[-1] == ""
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"--broker": "http://broker"}, 2, "mqtt://[USER@]HOST[:PORT]"),
        ({"--broker": "mqtt://api:secret@broker"}, 2, "--password-file"),
        ({"--broker": "mqtt://broker:99999"}, 2, "--broker"),
        ({"--store": "mongodb://db"}, 2, "unknown kind 'mongodb'"),
        ({"--registry": "mysql://db"}, 2, "--registry 'mysql://db'"),
        ({"--registry": "/nowhere/at/all.db"}, 1, "/nowhere/at/all.db"),
        ({"--time-zone": "Europe/Nantes"}, 2, "Europe/Paris"),
        ({"--broker": "mqtt://api@broker", "--password-file": "missing"}, 2, "password file missing cannot be read"),
        ({"--store": "sqlite:////nowhere/at/all.db"}, 1, "/nowhere/at/all.db"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, change: dict[str, str], status: int, words: str) -> None:
    options = {"--store": f"sqlite:///{tmp_path}/history.db", "--broker": "mqtt://127.0.0.1"}
    command = [part for option in (options | change | {"--port": "0"}).items() for part in option]

    result = CliRunner().invoke(app, ["api", *command])

    assert result.exit_code == status, result.output
    assert words in result.stderr
    assert result.stderr.startswith("Error: ")
    assert "secret" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_told(mosquitto: Mosquitto, tmp_path: Path) -> None:
    command = arguments(tmp_path, "mqtt://127.0.0.1")

    result = CliRunner().invoke(app, [*command, "--port", str(mosquitto.port)])

    assert result.exit_code == 1
    assert f"port {mosquitto.port}" in result.stderr


def test_the_help_shows_examples() -> None:
    assert "mqtts://api@broker.example" in CliRunner().invoke(app, ["api", "--help"]).output


def test_a_broker_is_written_as_an_address() -> None:
    assert parse_broker("mqtt://h") == Broker(host="h", port=1883)
    assert parse_broker("mqtts://u@h", Path("p"), Path("c")) == Broker(
        host="h", port=8883, username="u", password_file=Path("p"), tls=True, ca_file=Path("c")
    )
    with pytest.raises(ConfigError, match="a user is expected too"):
        parse_broker("mqtt://h", Path("p"))


def test_ledger_and_registry_lie_beside_an_sqlite_store() -> None:
    assert ledger_beside("sqlite:////var/lib/history.db") == Path("/var/lib/history.ledger.db")
    assert ledger_beside("influxdb://u@h/d") == Path("passerelle.ledger.db")
    assert registry_beside("sqlite:////var/lib/history.db") == "/var/lib/registry.db"
    assert registry_beside("influxdb://u@h/d") == "registry.db"
