"""Bars tell quiet hours from unknown ones, and every hour by its own name, whatever the clocks do."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloud_api.counters import Directions
from cloud_api.flows import FlowTotals, HourlyFlows, LocalHour
from cloud_api.trust import Trust
from cloud_api.web.bars import HourKind, chart, last_day, nice_top
from cloud_api.web.english import ENGLISH
from cloud_api.web.french import FRENCH

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
Counts = Callable[[int], tuple[int | None, int | None, float]]
"""In, out and coverage of the n-th hour."""


def flows(counts: Counts, now: datetime = NOW) -> HourlyFlows:
    period = last_day(now)
    hours = tuple(_hour(start, *counts(index)) for index, start in enumerate(period.hours()))
    known = [hour for hour in hours if hour.covered_s is not None]
    return HourlyFlows(
        counter="rue-haute",
        name="Rue Haute",
        directions=Directions(in_="vers la gare", out="vers la mairie"),
        time_zone=PARIS.key,
        trust=Trust.FRESH,
        cause=None,
        calibrated=False,
        start=period.start,
        end=period.end,
        hours=hours,
        totals=FlowTotals(
            in_=sum(hour.in_ or 0 for hour in known) if known else None,
            out=sum(hour.out or 0 for hour in known) if known else None,
            hours=len(hours),
            hours_known=len(known),
            coverage=1.0,
        ),
    )


def _hour(start: datetime, in_: int | None, out: int | None, coverage: float) -> LocalHour:
    covered = None if in_ is None and out is None else int(3600 * coverage)
    return LocalHour(start=start.astimezone(PARIS), in_=in_, out=out, covered_s=covered, coverage=coverage, flags=())


def test_the_last_day_is_24_hours_and_ends_with_the_one_under_way() -> None:
    period = last_day(NOW)

    assert len(list(period.hours())) == 24
    assert period.start == datetime(2026, 11, 21, 11, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 22, 11, tzinfo=UTC)


def test_an_hour_is_whole_partial_running_or_unknown() -> None:
    def counts(index: int) -> tuple[int | None, int | None, float]:
        return [(None, None, 0.0), (0, 0, 1.0), (3, 4, 0.5)][index] if index < 3 else (5, 5, 1.0)

    bars = chart(flows(counts), FRENCH, NOW).bars

    assert [bar.kind for bar in bars[:4]] == [HourKind.UNKNOWN, HourKind.WHOLE, HourKind.PARTIAL, HourKind.WHOLE]
    assert bars[-1].kind is HourKind.RUNNING
    assert bars[0].text == "12\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}: inconnu"
    assert bars[1].text == "13\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}: 0"
    assert bars[2].text == "14\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}: 7 mesurée à 50\N{NO-BREAK SPACE}%, au moins"


def test_a_day_of_which_nothing_is_known_has_no_number() -> None:
    drawn = chart(flows(lambda _: (None, None, 0.0)), FRENCH, NOW)

    assert (drawn.total, drawn.in_total, drawn.peak) == ("inconnu", "inconnu", "")
    assert drawn.coverage == "0 heure mesurée sur 24"
    assert drawn.text == "Passages par heure à Rue Haute\N{NO-BREAK SPACE}: inconnus pour ces 24 heures."


def test_a_sensor_of_one_direction_leaves_the_other_unknown() -> None:
    one_way = flows(lambda _: (4, None, 1.0))
    rows = chart(one_way, ENGLISH, NOW).rows

    assert (rows[1].in_, rows[1].out, rows[1].total) == ("4", "unknown", "4")


def test_the_sentence_tells_total_and_peak() -> None:
    text = chart(flows(lambda index: (index, index, 1.0)), ENGLISH, NOW).text

    assert text == "Passages per hour at Rue Haute: 552 in 24 hours, from 12:00 to 11:00. Peak at 11:00: 46."


def test_hours_that_happen_twice_are_told_apart_by_their_offset() -> None:
    after_the_change = datetime(2026, 10, 25, 9, 30, tzinfo=UTC)

    hours = [row.hour for row in chart(flows(lambda _: (1, 1, 1.0), after_the_change), FRENCH, after_the_change).rows]

    assert "2\N{NO-BREAK SPACE}h (UTC+2)" in hours
    assert "2\N{NO-BREAK SPACE}h (UTC+1)" in hours
    assert len(set(hours)) == 24


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 100_000)), min_size=24, max_size=24))
@example([(99_999, 1)] * 24)
def test_no_bar_leaves_the_chart(counts: list[tuple[int, int]]) -> None:
    drawn = chart(flows(lambda index: (*counts[index], 1.0)), FRENCH, NOW)

    assert all(bar.height <= 100 for bar in drawn.bars)
    assert all(bar.x >= 0 and bar.x + bar.width <= 100 for bar in drawn.bars)
    assert all((bar.in_height > 0) == (in_ > 0) for bar, (in_, _) in zip(drawn.bars, counts, strict=True))


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 10), (7, 10), (11, 12), (46, 50), (61, 80), (99, 100), (101, 120), (412, 500), (1000, 1000), (1020, 1200)],
)
def test_a_scale_ends_on_a_round_number(most: int, top: int) -> None:
    assert nice_top(most) == top
