"""docs/durability.md, as `make chaos` writes it: how every scenario ends now comes first, and nothing is hidden."""

from dataclasses import replace
from pathlib import Path

from tests.chaos import page
from tests.chaos.page import GOOD, Mended, Row
from tests.chaos.scenarios import SCENARIOS

FAILED = "quai in: 9 sent, 8 stored"
RUN = Row(
    scenario="lines",
    faults={"line cut": 3, "line slowed": 1},
    frames=1_200,
    sent=24_000,
    stored=24_000,
    missing=0,
    twice=0,
    swallowed=0,
    flagged_hours=7,
    verdict=GOOD,
    measured="",
    seed="e634bbda",
    seconds=200,
    code="80acc96",
    date="2026-11-27",
)


def test_a_row_is_read_as_it_was_written(tmp_path: Path) -> None:
    measured = replace(RUN, scenario="store away", faults={}, measured="ingest grew by 30 MB", code="")
    for row in (RUN, measured):
        page.add(row, tmp_path / "page.md")
    assert page.rows_of(tmp_path / "page.md") == [RUN, measured]


def test_the_latest_run_of_a_scenario_stands_first_and_earlier_ones_stay() -> None:
    now, _, log = page.written([replace(RUN, verdict=FAILED), RUN], ()).partition(page.ALL_RUNS)
    assert (FAILED in now, GOOD in now, FAILED in log, GOOD in log) == (False, True, True, True)


def test_a_run_that_failed_says_what_mended_it_or_that_nothing_has() -> None:
    failed = replace(RUN, verdict=FAILED)
    mended = Mended(runs=("lines e634bbda",), commit="9752e41", cause="Too early.")
    assert page.written([failed], ()).endswith("| open |\n")
    told = page.written([failed, RUN], (mended,))
    assert "- lines e634bbda: Too early. Mended in 9752e41. Good since, with the same seed: lines e634bbda." in told
    assert "2026-11-27 | 9752e41 |" in told


def test_every_scenario_was_run_and_ended_with_all_and_none_twice() -> None:
    latest = {row.scenario: row.verdict for row in page.rows_of(page.PAGE)}
    assert {name: latest.get(name) for name in SCENARIOS} == dict.fromkeys(SCENARIOS, GOOD)


def test_the_page_is_what_the_rig_writes() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.written(page.rows_of(page.PAGE), page.causes())
