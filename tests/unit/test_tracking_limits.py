"""Where tracking turns from one judgement to the other: who is the same person, what is a side, what is a passage."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from edge.aggregator.tracking import STRAIGHT_AHEAD, Direction, Tracks, follow

FRAME_MS = 100


def seen(tracks: Tracks, now_ms: int, *targets: tuple[float, float]) -> Tracks:
    return follow(tracks, np.array(targets, dtype=np.float64).reshape(-1, 2), now_ms)[0]


def passages(xs: Iterable[float], hidden: Sequence[int] = ()) -> list[Direction]:
    """Of one person at these x, one frame each, not seen in the `hidden` frames."""
    tracks, found = Tracks(), list[Direction]()
    for number, x in enumerate(xs):
        targets = np.empty((0, 2)) if number in hidden else np.array([(x, 2_000.0)])
        tracks, more = follow(tracks, targets, number * FRAME_MS)
        found += more
    return found


def test_a_target_up_to_ninety_centimetres_off_is_the_same_person_and_beyond_another() -> None:
    somebody = seen(Tracks(), 0, (-1_000, 2_000))
    assert len(seen(somebody, FRAME_MS, (-100, 2_000))) == 1
    assert len(seen(somebody, FRAME_MS, (-99, 2_000))) == 2


def test_who_is_not_seen_for_more_than_a_second_is_gone_and_the_others_stay() -> None:
    two = seen(seen(Tracks(), 0, (-1_500, 2_000), (1_500, 2_000)), 500, (1_500, 2_000))
    assert len(seen(two, 1_000)) == 2
    left = seen(two, 1_001)
    assert left.positions.tolist() == [[1_500, 2_000]]
    assert (left.sides.tolist(), left.reaches.tolist()) == ([-1], [1_500])


def test_who_runs_is_looked_for_where_she_must_be_by_now() -> None:
    run = np.linspace(-4_000, 4_000, 28)
    assert passages(run, hidden=range(13, 17)) == ["in"]


def test_a_wrong_match_makes_nobody_faster_than_a_run() -> None:
    jumped = seen(seen(Tracks(), 60_000, (0, 2_000)), 60_010, (800, 2_000))
    assert jumped.velocities.tolist() == [[4, 0]]
    jumped = seen(seen(Tracks(), 60_000, (0, 2_000)), 60_010, (-800, 2_000))
    assert jumped.velocities.tolist() == [[-4, 0]]


@pytest.mark.parametrize(("side", "direction"), [(-1, "in"), (1, "out")])
def test_a_side_is_certain_from_fifteen_centimetres_on(side: int, direction: str) -> None:
    away = np.linspace(-side * 100, -side * 1_500, 15).tolist()
    assert passages([side * 150, *away]) == [direction]
    assert passages([side * 149, *away]) == []


@pytest.mark.parametrize("standing", [40, 5])
def test_a_passage_leads_ninety_centimetres_from_side_to_side(standing: int) -> None:
    from_half_a_metre = [-500.0] * standing
    assert passages([*from_half_a_metre, *np.linspace(-500, 420, 10), *[420.0] * 20]) == ["in"]
    assert passages([*from_half_a_metre, *np.linspace(-500, 320, 10), *[320.0] * 20]) == []


def test_how_far_away_somebody_went_before_crossing_counts_for_the_way() -> None:
    there = np.linspace(-200, -900, 10)
    back = np.linspace(-900, 250, 12)
    assert passages([*there, *[-900.0] * 5, *back, *[250.0] * 10]) == ["in"]


def test_the_line_straight_ahead_has_its_left_at_negative_x_and_six_metres() -> None:
    assert STRAIGHT_AHEAD.distances(np.array([(-100.0, 3_000.0), (100.0, 10.0)])).tolist() == [100, -100]
    ends = np.array([(0.0, -501.0), (0.0, -500.0), (0.0, 6_500.0), (0.0, 6_501.0)])
    assert STRAIGHT_AHEAD.within(ends).tolist() == [False, True, True, False]
