"""Trust is a pure function of what is known: each name, its cause, and the borders between them."""

from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.trust import Cause, Evidence, Trust, Verdict, judge, judge_zone

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
FRESH = Verdict(Trust.FRESH)
SILENT = Verdict(Trust.STALE, Cause("sans nouvelles", "no news"))
CLOSED = Verdict(Trust.CLOSED, Cause("travaux", "works"))


def heard(seconds_ago: float, *, period_s: int | None = 600, away_since: datetime | None = None) -> Evidence:
    return Evidence(heard_at=NOW - timedelta(seconds=seconds_ago), period_s=period_s, gateway_away_since=away_since)


def test_a_sensor_is_fresh_until_two_and_a_half_periods_have_passed() -> None:
    assert judge(heard(1500), NOW) == FRESH
    assert judge(heard(1501), NOW).trust is Trust.STALE


def test_a_stale_sensor_says_for_how_long_in_both_languages() -> None:
    assert judge(heard(3 * 3600), NOW).cause == Cause("sans nouvelles depuis 3 h", "no news for 3 h")

    assert judge(heard(40, period_s=10), NOW).cause == Cause("sans nouvelles depuis 40 s", "no news for 40 s")


def test_a_device_of_unknown_period_is_expected_every_hour() -> None:
    assert judge(heard(2.5 * 3600, period_s=None), NOW) == FRESH
    assert judge(heard(2.5 * 3600 + 1, period_s=None), NOW).trust is Trust.STALE


@pytest.mark.parametrize(
    ("evidence", "trust", "words"),
    [
        (Evidence(), Trust.UNKNOWN, "not spoken"),
        (Evidence(installed=False), Trust.UNKNOWN, "no sensor"),
        (Evidence(heard_at=NOW, fault="magnetometer stuck"), Trust.FAULTY, "magnetometer stuck"),
        (Evidence(heard_at=NOW, closed=Cause("marché", "market")), Trust.CLOSED, "market"),
        (Evidence(heard_at=NOW + timedelta(minutes=11)), Trust.UNKNOWN, "future"),
        (heard(60, period_s=86_400, away_since=NOW - timedelta(minutes=3)), Trust.STALE, "gateway"),
    ],
)
def test_what_cannot_be_believed_says_why(evidence: Evidence, trust: Trust, words: str) -> None:
    verdict = judge(evidence, NOW)

    assert verdict.trust is trust
    assert verdict.cause is not None
    assert words in verdict.cause.en
    assert verdict.cause.fr


def test_a_gateway_that_reconnects_at_once_raises_no_doubt() -> None:
    assert judge(heard(60, away_since=NOW - timedelta(seconds=90)), NOW) == FRESH


def test_a_zone_with_few_silent_spaces_is_fresh_and_tells_how_many_are_silent() -> None:
    verdict = judge_zone([FRESH, FRESH, SILENT, CLOSED])

    assert verdict.trust is Trust.FRESH
    assert verdict.cause == Cause("1 place sur 3 sans nouvelles sûres", "1 of 3 spaces without sure news")


def test_a_zone_whose_spaces_are_mostly_silent_is_stale() -> None:
    assert judge_zone([FRESH, SILENT, SILENT]) == SILENT


def test_a_zone_is_closed_when_every_space_is() -> None:
    assert judge_zone([CLOSED, CLOSED]) == CLOSED


def test_a_zone_without_spaces_is_unknown() -> None:
    assert judge_zone([]).trust is Trust.UNKNOWN


def test_a_fault_is_told_in_a_line_however_much_is_written_of_it() -> None:
    verdict = judge(Evidence(fault="x" * 200_000), NOW)

    assert verdict == Verdict(Trust.FAULTY, Cause(f"défaut du capteur : {'x' * 80}…", f"sensor fault: {'x' * 80}…"))
