"""`passerelle status` shows a real town's state over HTTP, and its exit status tells whether all is well."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner, Result

from cloud_api.routes.status import EXAMPLE
from cloud_api.status_command import status
from cloud_api.town_status import TownStatus
from tests.broker import Mosquitto, free_port
from tests.certificates import Authority
from tests.loopback import HTTP
from tests.watched_town import WatchedTown, watched_town
from tests.web_operator import operator

app = typer.Typer()
app.command()(status)


@pytest.fixture(scope="module")
def town(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedTown]:
    with watched_town(mosquitto, tmp_path_factory.mktemp("glance")) as it:
        yield it


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words, env={"COLUMNS": "120"})


def key_file(folder: Path, key: str) -> str:
    file = folder / "operator.key"
    file.write_text(f"{key}\n")
    return str(file)


def test_the_whole_town_is_shown_and_what_is_wrong_ends_it_with_1(town: WatchedTown, tmp_path: Path) -> None:
    shown = run("--url", town.address, "--key-file", key_file(tmp_path, town.key))

    assert shown.exit_code == 1, shown.output
    for words in (
        "gw-halles",
        "Les halles",
        "OFF LINE",
        "gateway Gare (gw-gare): off line, never heard here",
        "gateway Les halles (gw-halles): link ble is not up",
        "backup: none was made yet",
        "quarantine",
        "disk of the store",
        "broker, ingest",
    ):
        assert words in shown.stdout


def test_programs_get_the_api_s_own_answer(town: WatchedTown, tmp_path: Path) -> None:
    shown = run("--url", town.address, "--key-file", key_file(tmp_path, town.key), "--json")

    told = msgspec.json.decode(shown.stdout, type=TownStatus)
    assert shown.exit_code == 1
    assert [(each.name, each.online, each.queued) for each in told.glance.gateways] == [
        ("gw-gare", False, 0),
        ("gw-halles", True, 7),
    ]
    assert told.kept.quarantined == 0
    assert told.kept.store_problem is None


@pytest.mark.parametrize("with_a_key", [False, True])
def test_who_may_not_provision_is_told_which_key_it_takes(
    town: WatchedTown, tmp_path: Path, *, with_a_key: bool
) -> None:
    words = ["--url", town.address, *(["--key-file", key_file(tmp_path, town.reporter)] if with_a_key else [])]
    shown = run(*words)

    assert shown.exit_code == 2
    assert "passerelle key create --scope provision" in shown.stderr
    assert HTTP.get(f"{town.address}/v1/status").status_code == 401


def test_the_town_s_own_authority_is_believed_where_it_is_named_and_only_there(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "town")
    with operator(authority.sign()) as town:
        town.body = msgspec.json.encode(EXAMPLE)
        words = ("--url", town.address, "--json")
        believed = run(*words, "--ca-file", str(authority.file))
        strange = run(*words)
        stranger = run(*words, "--ca-file", str(Authority(tmp_path, "stranger").file))
        nothing = run(*words, "--ca-file", str(tmp_path / "none.pem"))

    assert msgspec.json.decode(believed.stdout, type=TownStatus) == EXAMPLE
    for refused in (strange, stranger):
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "is not believed" in refused.stderr
        assert "--ca-file" in refused.stderr
    assert (nothing.exit_code, "--ca-file" in nothing.stderr) == (2, True)
    assert len(town.asked) == 1


def test_a_town_that_does_not_answer_is_said_in_one_line(tmp_path: Path) -> None:
    shown = run("--url", f"http://127.0.0.1:{free_port()}", "--key-file", key_file(tmp_path, "psl_x"))

    assert shown.exit_code == 1
    assert "does not answer" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
