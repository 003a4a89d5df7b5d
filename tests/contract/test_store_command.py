"""`passerelle store`: history trimmed and copied by a person, told in lines."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud_api.retention import Policy, months_before, parse_months, parse_policy
from cloud_api.settings import ConfigError
from cloud_api.store_commands import store as commands
from cloud_api.stores import open_store
from tests.history import CHANNEL, DAY, day, summed
from tests.stores import influx as influx
from tests.stores import url as url

LONG_AGO = datetime(2020, 5, 1, tzinfo=UTC)


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, words)


def test_a_store_is_made_ready_once_and_stays_as_it_is(url: str) -> None:
    first = run("init", url)
    with closing(open_store(url)) as store:
        store.write(day())
    again = run("init", url)

    assert [(told.exit_code, told.stdout) for told in (first, again)] == [(0, "The store is ready\n")] * 2
    with closing(open_store(url)) as store:
        assert store.channels() == [CHANNEL]


def test_trimming_says_first_what_would_go(url: str) -> None:
    with closing(open_store(url)) as store:
        store.write(day(start=LONG_AGO))

    told = run("trim", "--store", url, "--dry-run")

    assert (told.exit_code, told.stdout.startswith("288 counts before ")) == (0, True)
    with closing(open_store(url)) as store:
        assert store.trimmable(LONG_AGO + DAY) == 288
        assert store.horizon() is None


def test_trimming_lets_counts_go_and_keeps_hours(url: str) -> None:
    with closing(open_store(url)) as store:
        store.write(day(start=LONG_AGO))

    told = run("trim", "--store", url)

    assert told.exit_code == 0, told.output
    assert ("288 are announced first" in told.stdout) is url.startswith("influx")
    assert ("288 counts before" in told.stdout) is url.startswith("sqlite")
    with closing(open_store(url)) as store:
        assert store.hours([CHANNEL], LONG_AGO, LONG_AGO + DAY) == summed(day(start=LONG_AGO))


def test_mistakes_are_named(tmp_path: Path) -> None:
    nowhere = run("trim", "--store", f"sqlite:///{tmp_path}/nowhere.db")
    short = run("trim", "--store", f"sqlite:///{tmp_path}/nowhere.db", "--keep-raw", "1")

    assert (nowhere.exit_code, "there is no store" in nowhere.stderr) == (2, True)
    assert short.exit_code == 2
    assert not (tmp_path / "nowhere.db").exists()
    with pytest.raises(ConfigError, match="2 to 1200 months, or 'ever'"):
        parse_months("--keep-raw", "soon")
    assert parse_policy("13", "ever") == Policy(raw=13)
    with pytest.raises(ConfigError, match="at least as long"):
        parse_policy("ever", "24")


@pytest.mark.parametrize(
    ("now", "months", "then"),
    [
        ("2026-11-27T10:00Z", 13, "2025-10-27"),
        ("2026-01-31T00:00Z", 2, "2025-11-30"),
        ("2026-03-31T23:59Z", 13, "2025-02-28"),
        ("2026-12-15T12:00Z", 12, "2025-12-15"),
        ("2026-12-15T12:00Z", 24, "2024-12-15"),
    ],
)
def test_months_are_those_of_the_calendar(now: str, months: int, then: str) -> None:
    assert months_before(datetime.fromisoformat(now), months) == datetime.fromisoformat(f"{then}T00:00Z")
