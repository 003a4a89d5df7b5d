"""The archive of forecasts: never changed, verified against what was observed, bounded, and there again tomorrow."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cloud_api.forecast.archive import FORECASTS_KEPT, OBSERVATIONS_KEPT, SCHEMA, Archive, Issued, Observed
from cloud_api.forecast.occupancy import quarter_of
from cloud_api.forecast.quality import Method
from cloud_api.forecast.record import judged
from cloud_api.stores.base import StoreError

VERSIONS = sorted((Path(__file__).parents[1] / "fixtures").glob("forecasts-v*.sql"))
QUARTER = quarter_of(datetime(2026, 11, 22, 10, tzinfo=UTC))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with closing(Archive(tmp_path / "forecasts.db")) as opened:
        yield opened


def issued(due: int, *, spaces: int = 10, probability: float = 0.9) -> Issued:
    return Issued(
        zone="halles",
        minutes=15,
        due=due,
        spaces=spaces,
        method=Method.MODEL,
        probability=probability,
        expected=2.5,
        low=1,
        high=4,
        model=probability,
        as_now=3,
        usual=None,
    )


def seen(quarter: int, free: int, spaces: int = 10) -> Observed:
    return Observed(zone="halles", quarter=quarter, spaces=spaces, free=free)


def test_a_forecast_is_verified_when_its_time_has_come(archive: Archive) -> None:
    archive.note(QUARTER, [seen(QUARTER, 3)], [issued(QUARTER + 1)], [15])
    assert len(archive.outcomes("halles", 15, QUARTER + 1).due) == 0

    archive.note(QUARTER + 1, [seen(QUARTER + 1, 4)], [], [15])
    outcomes = archive.outcomes("halles", 15, QUARTER + 2)

    assert outcomes.due.tolist() == [QUARTER + 1]
    assert (outcomes.free_then.tolist(), outcomes.scored.free.tolist()) == ([3], [4])
    assert judged(15, outcomes).covered == 1.0


def test_a_forecast_whose_outcome_nobody_saw_is_counted_and_not_scored(archive: Archive) -> None:
    archive.note(QUARTER, [], [issued(QUARTER + 1)], [15])
    archive.note(QUARTER + 1, [], [], [15])
    quality = judged(15, archive.outcomes("halles", 15, QUARTER + 2))

    assert (quality.scored, quality.unverified, quality.since, quality.covered) == (0, 1, None, None)


def test_an_outcome_is_that_of_as_many_spaces_as_were_forecast(archive: Archive) -> None:
    archive.note(QUARTER, [], [issued(QUARTER + 1, spaces=10), issued(QUARTER + 2, spaces=3)], [15])
    archive.note(QUARTER + 1, [seen(QUARTER + 1, free=2, spaces=5)], [], [15])
    archive.note(QUARTER + 2, [seen(QUARTER + 2, free=1, spaces=10)], [], [15])

    assert archive.outcomes("halles", 15, QUARTER + 3).scored.free.tolist() == [4, 1]


def test_what_is_noted_again_changes_nothing(archive: Archive) -> None:
    archive.note(QUARTER, [], [issued(QUARTER + 1)], [15])
    archive.note(QUARTER + 1, [seen(QUARTER + 1, 4)], [issued(QUARTER + 1, probability=0.1)], [15])
    archive.note(QUARTER + 1, [seen(QUARTER + 1, 0)], [], [15])

    outcomes = archive.outcomes("halles", 15, QUARTER + 2)
    assert (outcomes.scored.model.tolist(), outcomes.scored.free.tolist()) == ([0.9], [4])
    assert archive.series("halles", QUARTER + 1, QUARTER + 2).share == pytest.approx([0.6])


def test_a_restart_finds_what_was_observed_and_forecast(tmp_path: Path) -> None:
    with closing(Archive(tmp_path / "forecasts.db")) as first:
        first.note(QUARTER, [seen(QUARTER, 3)], [issued(QUARTER + 1)], [15])
    with closing(Archive(tmp_path / "forecasts.db")) as again:
        again.note(QUARTER + 1, [seen(QUARTER + 1, 4)], [], [15])

        assert again.outcomes("halles", 15, QUARTER + 2).scored.free.tolist() == [4]
        assert again.series("halles", QUARTER - 1, QUARTER + 2).share == pytest.approx([np.nan, 0.7, 0.6], nan_ok=True)


def test_what_is_too_old_goes(archive: Archive) -> None:
    archive.note(QUARTER, [seen(QUARTER, 3)], [issued(QUARTER + 1)], [15])
    archive.note(QUARTER + 1, [seen(QUARTER + 1, 3)], [], [15])

    archive.note(QUARTER + 2 + FORECASTS_KEPT, [], [], [15])
    assert len(archive.outcomes("halles", 15, QUARTER + 2).due) == 0
    assert archive.series("halles", QUARTER, QUARTER + 2).share == pytest.approx([0.7, 0.7])

    archive.note(QUARTER + 1 + OBSERVATIONS_KEPT, [], [], [15])
    assert archive.series("halles", QUARTER, QUARTER + 2).share == pytest.approx([np.nan, 0.7], nan_ok=True)


def test_every_version_has_a_fixture() -> None:
    assert [path.name for path in VERSIONS] == [f"forecasts-v{number}.sql" for number in range(1, len(SCHEMA) + 1)]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.stem)
def test_a_file_of_an_old_version_opens_with_all_it_held(version: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "forecasts.db")) as database:
        database.executescript(version.read_text())

    with closing(Archive(tmp_path / "forecasts.db")) as archive:
        archive.note(QUARTER + 2, [seen(QUARTER + 2, 5)], [], [15])

        assert archive.outcomes("halles", 15, QUARTER + 3).scored.free.tolist() == [4, 5]
        assert archive.series("halles", QUARTER, QUARTER + 3).share == pytest.approx([0.7, 0.6, 0.5])


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "forecasts.db")) as database:
        database.execute(f"PRAGMA user_version = {len(SCHEMA) + 1}")

    with pytest.raises(StoreError, match=r"forecasts\.db: written by a newer Passerelle .*upgrade this program"):
        Archive(tmp_path / "forecasts.db")


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "forecasts.db").write_text("zone;forecast\n" * 100)

    with pytest.raises(StoreError, match=r"forecasts\.db cannot be opened: file is not a database"):
        Archive(tmp_path / "forecasts.db")
