"""What is other about InfluxDB 2: it is set up first, refuses by 422, and has policies of no bucket that is not there.

Held against a stand-in that speaks what is documented (`tests/influx_2.py`): a real server is not to be had in Debian.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud_api.backup.archive import BackupError, Kind
from cloud_api.backup.influx_tools import dropping, is_there
from cloud_api.store_commands import store as commands
from cloud_api.stores import open_store
from cloud_api.stores.address import InfluxAddress, parse_store_url
from cloud_api.stores.base import RefusedFactError, StoreError
from cloud_api.stores.influx import InfluxStore
from tests.history import flow
from tests.influx_2 import CONFLICT, Influx2, running_influx_2

OPERATORS = "t0ken-of-the-town"


@pytest.fixture
def server() -> Iterator[Influx2]:
    with running_influx_2() as running:
        yield running


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "store-token"
    file.write_text(OPERATORS)
    return file


@pytest.fixture
def url(server: Influx2, token_file: Path) -> str:
    return server.url("town", token_file)


def init(url: str) -> Result:
    return CliRunner().invoke(commands, ["init", url])


def address(url: str) -> InfluxAddress:
    parsed = parse_store_url(url)
    assert isinstance(parsed, InfluxAddress)
    return parsed


def test_a_server_that_nobody_has_set_up_is_set_up_with_the_token_of_the_file_and_keeps_points_for_ever(
    server: Influx2, url: str
) -> None:
    told = init(url)

    assert (told.exit_code, "set up for the first time" in told.stdout) == (0, True), told.output
    assert len(server.first.pop("password")) >= 32
    assert server.first == {
        "username": "passerelle",
        "org": "town",
        "bucket": "town",
        "token": OPERATORS,
        "retentionPeriodSeconds": 0,
    }


def test_a_server_that_is_set_up_stays_as_it_is(server: Influx2, url: str) -> None:
    init(url)
    before = dict(server.first)

    told = init(url)

    assert (told.exit_code, told.stdout) == (0, "The store is ready\n")
    assert server.first == before


def test_who_is_beaten_to_the_setting_up_finds_the_store_ready(server: Influx2, url: str) -> None:
    server.rival = {"token": OPERATORS, "bucket": "town"}

    told = init(url)

    assert (told.exit_code, told.stdout) == (0, "The store is ready\n"), told.output


def test_another_token_is_turned_away_and_never_shown(url: str, token_file: Path) -> None:
    init(url)
    token_file.write_text("another")

    told = init(url)

    assert (told.exit_code, "401" in told.stderr, "another" in told.output) == (1, True, False)


def test_a_fact_that_it_refuses_by_422_is_named_instead_of_tried_for_ever(server: Influx2, url: str) -> None:
    init(url)
    server.refusal = CONFLICT

    with closing(open_store(url)) as store, pytest.raises(RefusedFactError, match="field type conflict") as refused:
        store.write([flow(), flow(part=1)])

    assert [refused.value.fact, *(each.fact for each in refused.value.others)] == [flow(), flow(part=1)]


def test_a_bucket_that_begins_to_forget_is_no_fault_of_the_facts(server: Influx2, url: str) -> None:
    init(url)
    server.refusal = "failure writing points to database: partial write: dropped 1 points outside retention policy"

    with closing(open_store(url)) as store, pytest.raises(StoreError, match="outside retention policy") as error:
        store.write([flow()])

    assert not isinstance(error.value, RefusedFactError)


def test_facts_are_written_as_to_any_other_server(server: Influx2, url: str) -> None:
    init(url)
    with closing(open_store(url)) as store:
        assert isinstance(store, InfluxStore)
        store.write([flow()])

    assert [line.partition(",")[0] for line in server.lines] == ["flow"]


def test_a_bucket_that_is_not_there_is_known_to_be_missing(server: Influx2, url: str, token_file: Path) -> None:
    init(url)

    assert is_there(address(url))
    assert not is_there(address(server.url("elsewhere", token_file)))


def test_what_was_restored_in_part_is_taken_away_again(url: str) -> None:
    init(url)

    assert fail_to_restore(url) == "the tool failed"
    assert not is_there(address(url))
    assert fail_to_restore(url) == "the tool failed"


def test_what_cannot_be_taken_away_is_told_beside_what_failed(server: Influx2, url: str) -> None:
    init(url)
    server.is_locked = True

    said = fail_to_restore(url)

    assert said.startswith(f"the tool failed; what came of it is still in {address(url)}, delete it by hand:")
    assert "403" in said
    assert is_there(address(url))


def fail_to_restore(url: str) -> str:
    """What is said when the server's tool fails half-way."""
    with pytest.raises(BackupError) as failed:
        restore_in_part(url)
    return str(failed.value)


def restore_in_part(url: str) -> None:
    with ExitStack() as undo:
        undo.push(dropping(address(url), Kind.INFLUX_2))
        raise BackupError("the tool failed")
