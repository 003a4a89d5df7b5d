"""The demo's folder: one town, one demo at a time, time that goes on, and words when something is wrong with it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from passerelle_demo.folder import DemoError, Files, Past

NOW = datetime(2026, 11, 27, 5, tzinfo=UTC)


def test_a_second_demo_in_the_folder_is_turned_away_until_the_first_has_ended(tmp_path: Path) -> None:
    files = Files(tmp_path / "town")
    with files.held(), pytest.raises(DemoError, match=r"a demo runs in .* already; .*--data"), files.held():
        pass
    with files.held():
        pass


def test_a_folder_keeps_the_town_it_began_with(tmp_path: Path) -> None:
    files = Files(tmp_path)
    assert files.past(seed=1, days=2, now=NOW) == Past(seed=1, days=2, end=NOW)
    assert files.past(seed=1, days=7, now=NOW + timedelta(days=1)) == Past(seed=1, days=2, end=NOW)
    with pytest.raises(DemoError, match="is the town of --seed 1; name another folder with --data"):
        files.past(seed=2, days=2, now=NOW)


def test_time_goes_on_where_it_was_ahead_of_ours(tmp_path: Path) -> None:
    files = Files(tmp_path)
    assert abs(files.begin() - datetime.now(UTC)) < timedelta(minutes=1)
    ahead = datetime.now(UTC) + timedelta(days=1)
    files.remember_time(ahead)
    assert files.begin() == ahead


def test_what_cannot_be_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(DemoError, match=r"--data .*file cannot be a folder of ours: File exists"),
        Files(tmp_path / "file").held(),
    ):
        pass


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "past.json").write_bytes(b"\xff{")
    with pytest.raises(DemoError, match=r"past\.json is not what a demo wrote .*delete the folder"):
        Files(tmp_path).past(seed=1, days=0, now=NOW)
