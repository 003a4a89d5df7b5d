"""`passerelle edge enrol` against a platform of the test's own: what it writes, and what it says when it cannot."""

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from edge.commands import edge_app
from edge.config import load

CODE: Final = "7K3M-9QXT-4B2W-HD5F"
IDENTITY: Final = {
    "gateway": "mairie",
    "broker": {"host": "broker.ville.example", "port": 8883, "tls": True, "ca": "the town's certificate"},
    "user": "mairie.1f2e3d4c",
    "password": "correct horse",
    "certificate": None,
    "managed": True,
    "revision": 7,
    "devices": 3,
}
USED: Final = {"title": "This code was used", "detail": "Ask for another one.", "status": 409}


@dataclass
class Platform:
    """Answers as it is told, and remembers what it was asked."""

    status: int = 201
    answer: Any = field(default_factory=lambda: dict(IDENTITY))
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def platform() -> Iterator[Platform]:
    told = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(told.status)
            self.end_headers()
            self.wfile.write(json.dumps(told.answer).encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        told.url = f"http://127.0.0.1:{server.server_port}"
        yield told
        server.shutdown()
        thread.join()


def enrol(config: Path, *words: str) -> Result:
    return CliRunner().invoke(edge_app, ["enrol", *words, "--config", str(config)])


def test_all_that_a_gateway_needs_is_written_and_secrets_are_for_its_user_alone(
    platform: Platform, tmp_path: Path
) -> None:
    config = tmp_path / "gateway.toml"

    said = enrol(config, CODE, "--url", platform.url)

    assert said.exit_code == 0, said.output
    assert "this is gateway mairie now" in said.stdout
    assert "devices that wait for it: 3" in said.stdout
    written = load(config)
    assert (written.gateway.name, written.broker.username) == ("mairie", "mairie.1f2e3d4c")
    assert written.broker.password_file == tmp_path / "broker-password"
    assert (tmp_path / "broker-password").read_text() == "correct horse"
    assert (tmp_path / "broker-ca.pem").read_text() == "the town's certificate"
    assert stat.S_IMODE((tmp_path / "broker-password").stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"gateway.toml", "broker-password", "broker-ca.pem"}
    assert "correct horse" not in said.output + config.read_text()


def test_the_link_of_a_qr_code_is_an_invitation_too(platform: Platform, tmp_path: Path) -> None:
    said = enrol(tmp_path / "gateway.toml", f"{platform.url}/enrol#{CODE}")
    assert said.exit_code == 0, said.output
    assert [each["code"] for each in platform.asked] == [CODE]


def test_a_refusal_is_told_in_the_platforms_words_and_the_same_machine_asks_again(
    platform: Platform, tmp_path: Path
) -> None:
    platform.status, platform.answer = 409, USED
    config = tmp_path / "gateway.toml"
    refused = enrol(config, CODE, "--url", platform.url)
    assert (refused.exit_code, refused.stderr) == (1, "This code was used: Ask for another one.\n")
    assert not config.exists()

    platform.status, platform.answer = 201, dict(IDENTITY)
    assert enrol(config, CODE, "--url", platform.url).exit_code == 0
    first, second = platform.asked
    assert first["machine"] == second["machine"]
    assert enrol(config, CODE, "--url", platform.url).exit_code == 0
    assert platform.asked[-1]["machine"] != first["machine"]


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (200, {}, "is no platform of ours"),
        (404, "nothing here", "is no platform of ours"),
        (201, {"gateway": "mairie"}, "answers what is no identity"),
        (201, {**IDENTITY, "gateway": "Mairie!"}, "what the platform answers is no identity"),
    ],
)
def test_what_is_no_platform_is_told_and_nothing_is_written(
    platform: Platform, tmp_path: Path, status: int, answer: Any, says: str
) -> None:
    platform.status, platform.answer = status, answer
    said = enrol(tmp_path / "gateway.toml", CODE, "--url", platform.url)
    assert (said.exit_code, says in said.stderr) == (1, True), said.output
    assert {path.name for path in tmp_path.iterdir()} == {".enrolling"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([CODE], "--url: the platform's address expected"),
        (["https://ville.example/enrol"], "CODE: the invitation's code expected"),
        ([CODE, "--url", "ville.example"], "https://HOST[:PORT] expected"),
        ([CODE, "--url", "http://ville.example"], "over http:// others may read the code"),
    ],
)
def test_a_mistake_is_told_before_the_code_is_shown_to_anybody(tmp_path: Path, words: list[str], says: str) -> None:
    said = enrol(tmp_path / "gateway.toml", *words)
    assert (said.exit_code, says in said.stderr) == (2, True), said.output
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_with_a_mistake_is_told_before_the_code_is_shown_to_anybody(
    platform: Platform, tmp_path: Path
) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text('[gateway]\ndata = "d"\n[[link]]\nkind = "telepathy"\nname = "x"\n')
    said = enrol(config, CODE, "--url", platform.url)
    assert (said.exit_code, "gateway.toml, link[0].kind: Invalid value" in said.stderr) == (2, True), said.output
    assert platform.asked == []


def test_a_folder_that_is_not_there_and_a_platform_that_is_away_are_told(platform: Platform, tmp_path: Path) -> None:
    nowhere = enrol(tmp_path / "no" / "gateway.toml", CODE, "--url", platform.url)
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr, platform.asked) == (1, True, [])
    away = enrol(tmp_path / "gateway.toml", CODE, "--url", "http://127.0.0.1:9")
    assert (away.exit_code, "127.0.0.1:9 does not answer" in away.stderr) == (1, True)
