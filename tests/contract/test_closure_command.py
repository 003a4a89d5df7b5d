"""`passerelle closure` closes and opens bays in a real registry, by hand, from a file and over real HTTP."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud_api.closure_commands import closure
from cloud_api.registry import Closure, Position, Space, Zone
from tests.orders import ban, export, order, validity
from tests.registries import registry_at
from tests.web_operator import operator

NEAR = Position(lat=47.21375, lon=-1.5552)
NOW = datetime.now(UTC)
TO_DAY = validity(start=(NOW - timedelta(days=1)).isoformat(), end=(NOW + timedelta(days=5)).isoformat())
ELSEWHERE = order(ban(TO_DAY, place='{"type":"Point","coordinates":[2.35,48.85]}'), id_="paris")


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A registry with one bay."""
    file = tmp_path / "registry.db"
    with closing(registry_at(file)) as store:
        store.add(Zone(id="haute", name="Rue Haute", position=NEAR), by="test", at=NOW)
        store.add(Space(id="h1", zone="haute", position=NEAR), by="test", at=NOW)
    return file


def test_a_dry_run_closes_and_opens_nothing(town: Path) -> None:
    told = by_hand(town, "add", "h1", "--reason", "travaux", "--dry-run")
    assert "dry run, nothing is done: 1 added" in told.output
    assert known(town) == []

    by_hand(town, "add", "h1", "--reason", "travaux")
    (closed,) = known(town)
    assert "dry run, nothing is done: 1 changed" in by_hand(town, "end", closed.id, "--dry-run").output
    assert known(town) == [closed]


def run(export_: str, town: Path, *options: str) -> Result:
    return CliRunner().invoke(closure, ["import", export_, "--registry", str(town), *options])


def written(folder: Path, *orders: str) -> str:
    (file := folder / "dialog.xml").write_bytes(export(*orders).getvalue())
    return str(file)


def known(town: Path) -> list[Closure]:
    with closing(registry_at(town)) as store:
        return list(store.snapshot().closures)


def by_hand(town: Path, *words: str) -> Result:
    return CliRunner().invoke(closure, [*words, "--registry", str(town)])


def test_a_closure_by_hand_is_in_force_until_it_is_ended_and_both_are_in_the_trail(town: Path) -> None:
    added = by_hand(town, "add", "h1", "--reason", "travaux de voirie")
    (only,) = known(town)
    listed = by_hand(town, "list", "--place", "haute")
    ended = by_hand(town, "end", only.id)

    assert added.exit_code == 0, added.output
    assert "h1 is closed from" in added.output
    assert "until further notice: travaux de voirie" in added.output
    assert only.in_force_at(datetime.now(UTC))
    assert only.id in listed.output
    assert "in force" in listed.output
    assert ended.exit_code == 0, ended.output
    assert not known(town)[0].in_force_at(datetime.now(UTC))
    assert "0 closures" in by_hand(town, "list").output
    assert "over" in by_hand(town, "list", "--past").output
    with closing(registry_at(town)) as store:
        assert [line.who.split(" (")[0] for line in store.trail(key=only.id)] == ["closure end", "closure add"]


def test_times_are_told_by_the_towns_clock_and_a_closure_told_twice_is_one(town: Path) -> None:
    words = ("add", "h1", "haute", "--reason", "fête", "--from", "2026-07-14", "--to", "2026-07-15T02:00")

    for _ in range(2):
        assert by_hand(town, *words).exit_code == 0

    assert {(each.place, each.start, each.end) for each in known(town)} == {
        (place, datetime(2026, 7, 13, 22, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)) for place in ("h1", "haute")
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add", "nowhere", "--reason", "x"], "no counter, space or car park nowhere"),
        (["add", "h1", "--reason", "x", "--to", "tomorrow"], "--to 'tomorrow': a date or a time"),
        (["add", "h1", "--reason", "x", "--from", "2026-12-02", "--to", "2026-12-01"], "a time not before `from`"),
        (["add", "h1", "--reason", ""], "reason"),
        (["end", "nothing"], "closure nothing: not there"),
    ],
)
def test_a_closure_that_cannot_be_is_refused_in_words(town: Path, words: list[str], message: str) -> None:
    result = by_hand(town, *words)

    assert result.exit_code == 2
    assert message in result.output
    assert known(town) == []


@pytest.mark.parametrize("command", ["add", "list", "end", "import"])
def test_the_help_shows_examples(command: str) -> None:
    assert f"passerelle closure {command}" in CliRunner().invoke(closure, [command, "--help"]).output


def test_a_rehearsal_tells_what_would_be_closed_and_closes_nothing(town: Path) -> None:
    result = run(written(town.parent, order(ban(TO_DAY))), town, "--dry-run")

    assert result.exit_code == 0, result.output
    assert "closed     h1 from" in result.output
    assert "1 closures would be added" in result.output
    assert known(town) == []


def test_an_order_closes_its_bay_and_its_withdrawal_opens_it_with_both_in_the_audit_trail(town: Path) -> None:
    run(written(town.parent, order(ban(TO_DAY)), ELSEWHERE), town)
    again = run(written(town.parent, order(ban(TO_DAY)), ELSEWHERE), town)
    gone = run(written(town.parent, ELSEWHERE), town)

    assert "0 closures added, 0 changed or ended, 1 as they were" in again.output
    assert "ended      h1" in gone.output
    (only,) = known(town)
    assert only.end is not None
    assert only.end < datetime.now(UTC)
    with closing(registry_at(town)) as store:
        trail = store.trail(key=only.id)
    assert [(line.who, line.before is None) for line in trail] == [
        ("closure import (dialog)", False),
        ("closure import (dialog)", True),
    ]


def test_half_an_export_opens_nothing(town: Path) -> None:
    whole = written(town.parent, order(ban(TO_DAY)), ELSEWHERE)
    run(whole, town)
    before = known(town)
    Path(whole).write_bytes(export(ELSEWHERE).getvalue()[:-30])

    result = run(whole, town)

    assert (result.exit_code, known(town)) == (1, before)
    assert "XML" in result.output


def test_an_export_is_read_from_its_address(town: Path) -> None:
    with operator() as dialog:
        dialog.body = export(order(ban(TO_DAY))).getvalue()
        result = run(dialog.address, town)
        dialog.status = 500
        failed = run(dialog.address, town)

    assert result.exit_code == 0, result.output
    assert [each.place for each in known(town)] == ["h1"]
    assert failed.exit_code == 1
    assert "status 500" in failed.output


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--time-zone", "Paris"], "Europe/Paris expected"), (["--registry", "ftp://x"], "expected")],
)
def test_a_mistake_is_one_line_that_says_what_was_expected(town: Path, options: list[str], message: str) -> None:
    result = run("nowhere.xml", town, *options)

    assert result.exit_code == 2
    assert message in result.output
