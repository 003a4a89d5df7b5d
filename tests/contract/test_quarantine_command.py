"""`passerelle quarantine`: nothing leaves it but what the store committed or a person gave up by its number."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud_api.ledger import Ledger
from cloud_api.quarantine_commands import quarantine, retry_facts
from cloud_api.stores.base import EARLIEST, LATEST, Fact, RefusedFactError
from cloud_api.stores.sqlite import SqliteStore
from tests.history import CHANNEL, MIDNIGHT, flow, space

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SOUND = flow(in_=3)
UNSOUND = flow(MIDNIGHT + timedelta(microseconds=1))
"""No store takes an interval that starts between two seconds."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a store, and a ledger that holds a sound fact, one that no store takes, and a space's state."""
    with closing(Ledger(tmp_path / "history.ledger.db")) as ledger:
        ledger.quarantine([RefusedFactError(fact, "field type conflict") for fact in (SOUND, UNSOUND, space())], NOW)
    SqliteStore(tmp_path / "history.db").close()
    return tmp_path


def run(folder: Path, *words: str, store: bool = False, answer: str = "") -> Result:
    options = ["--store", f"sqlite:///{folder}/history.db"] if store else []
    arguments = [*words, "--ledger", str(folder / "history.ledger.db"), *options]
    return CliRunner().invoke(quarantine, arguments, input=answer)


def held(folder: Path) -> list[int]:
    with closing(Ledger(folder / "history.ledger.db")) as ledger:
        return [each.id for each in ledger.refused()]


def counted(folder: Path) -> int:
    with closing(SqliteStore(folder / "history.db")) as store:
        return sum(hour.in_ for hour in store.hours([CHANNEL], EARLIEST, LATEST))


def test_a_list_tells_each_fact_with_its_reason(files: Path) -> None:
    result = run(files, "list")

    assert result.exit_code == 0
    first, *_, last = result.stdout.splitlines()
    assert first.split(maxsplit=1)[0] == "1"
    assert "2026-11-22 10:00:00Z  flow mairie 2f0c line1/pedestrian" in first
    assert first.endswith("part 0 (in 3, out 2): field type conflict")
    assert last == "3 facts in quarantine"


def test_a_fact_is_shown_whole(files: Path) -> None:
    result = run(files, "show", "3")

    assert result.exit_code == 0
    assert "reason   field type conflict" in result.stdout
    assert '"device": "5a11"' in result.stdout


def test_what_the_store_takes_now_leaves_the_quarantine_and_the_rest_stays(files: Path) -> None:
    result = run(files, "retry", "--all", store=True)

    assert result.exit_code == 1
    assert "     2  refused again: the interval starts between two seconds" in result.stdout
    assert "2 facts stored, 1 refused again" in result.stdout
    assert held(files) == [2]
    assert counted(files) == 3
    assert "between two seconds" in run(files, "list").stdout


def test_only_the_facts_that_are_named_are_tried_again(files: Path) -> None:
    result = run(files, "retry", "1", store=True)

    assert (result.exit_code, held(files), counted(files)) == (0, [2, 3], 3)


def test_what_is_stored_already_is_counted_once(files: Path) -> None:
    with closing(SqliteStore(files / "history.db")) as store:
        store.write([SOUND])

    assert run(files, "retry", "1", store=True).exit_code == 0
    assert counted(files) == 3


def test_a_drop_asks_first(files: Path) -> None:
    refused = run(files, "drop", "2", answer="n\n")
    assert refused.exit_code == 1
    assert held(files) == [1, 2, 3]

    dropped = run(files, "drop", "2", answer="y\n")
    assert dropped.exit_code == 0
    assert "1 fact dropped" in dropped.stdout
    assert held(files) == [1, 3]


def test_all_are_dropped_without_asking_when_told_so(files: Path) -> None:
    assert run(files, "drop", "--all", "--yes").exit_code == 0
    assert held(files) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["show", "9"], "not in quarantine: 9"),
        (["drop", "1", "9", "--yes"], "not in quarantine: 9"),
        (["drop", "--yes"], "or --all"),
        (["drop", "1", "--all", "--yes"], "or --all"),
    ],
)
def test_what_makes_no_sense_changes_nothing(files: Path, words: Sequence[str], says: str) -> None:
    result = run(files, *words)

    assert result.exit_code == 2
    assert says in result.stderr
    assert held(files) == [1, 2, 3]


def test_neither_a_ledger_nor_a_store_is_made_by_a_misspelt_name(files: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert f"there is no file {nowhere}" in run(nowhere, "list").stderr

    (files / "history.db").unlink()
    result = run(files, "retry", "--all", store=True)
    assert result.exit_code == 2
    assert "--store: there is no file" in result.stderr
    assert held(files) == [1, 2, 3]


def test_a_store_that_commits_nothing_beside_a_refusal_loses_nothing(files: Path) -> None:
    class Strict(SqliteStore):
        def write(self, facts: Sequence[Fact]) -> None:
            if UNSOUND in facts:
                raise RefusedFactError(UNSOUND, "not that one")
            super().write(facts)

    with closing(Ledger(files / "history.ledger.db")) as ledger, closing(Strict(files / "history.db")) as store:
        assert retry_facts(ledger, store, ledger.refused()) == [(2, "not that one")]

    assert (held(files), counted(files)) == ([2], 3)


def test_a_store_that_is_away_leaves_all_in_quarantine(files: Path) -> None:
    (files / "history.db").write_bytes(b"no database" * 1000)
    result = run(files, "retry", "--all", store=True)

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert held(files) == [1, 2, 3]


def test_the_program_itself_offers_it(files: Path) -> None:
    program = [sys.executable, "-c", "from passerelle import main; main()", "quarantine"]
    ledger = ["--ledger", str(files / "history.ledger.db")]
    listed = subprocess.run([*program, "list", *ledger], capture_output=True, text=True, check=True)
    assert listed.stdout.endswith("3 facts in quarantine\n")

    help_ = CliRunner().invoke(quarantine, ["retry", "--help"])
    assert "passerelle quarantine retry --all" in " ".join(help_.stdout.split())
