"""Radar targets become passages: each person once, in the right direction, whatever the slots do."""

import numpy as np
import pytest

from edge.aggregator.tracking import END_MM, STRAIGHT_AHEAD, Direction, Line, Tracks, follow

FRAME_MS = 100
Point = tuple[float, float]


def walk(start: Point, end: Point, frames: int = 30) -> list[Point]:
    return [(float(x), float(y)) for x, y in np.linspace(start, end, frames)]


def passages(*frames: list[Point], line: Line = STRAIGHT_AHEAD) -> list[Direction]:
    tracks, found = Tracks(), list[Direction]()
    for number, targets in enumerate(frames):
        points = np.array(targets, dtype=np.float64).reshape(-1, 2)
        tracks, more = follow(tracks, points, number * FRAME_MS, line)
        found += more
    return found


def together(*walks: list[Point]) -> list[list[Point]]:
    return [list(points) for points in zip(*walks, strict=True)]


@pytest.mark.parametrize(("start", "end", "expected"), [(-1500, 1500, "in"), (1500, -1500, "out")])
def test_a_person_who_crosses_counts_once_in_her_direction(start: float, end: float, expected: str) -> None:
    assert passages(*together(walk((start, 2000), (end, 2200)))) == [expected]


def test_who_turns_back_on_the_line_does_not_count() -> None:
    there_and_back = walk((-1500, 2000), (80, 2000)) + walk((80, 2000), (-1500, 2000))
    assert passages(*together(there_and_back)) == []


def test_who_comes_back_counts_both_ways() -> None:
    assert passages(*together(walk((-1500, 2000), (1500, 2000)) + walk((1500, 2000), (-1500, 2000)))) == ["in", "out"]


def test_two_side_by_side_are_two() -> None:
    assert passages(*together(walk((-1500, 2000), (1500, 2000)), walk((-1500, 3200), (1500, 3200)))) == ["in", "in"]


def test_two_who_meet_go_on_their_ways() -> None:
    found = passages(*together(walk((-1500, 1800), (1500, 1800)), walk((1500, 3000), (-1500, 3000))))
    assert sorted(found) == ["in", "out"]


def test_slots_that_are_renumbered_lose_nobody() -> None:
    first, second = walk((-1500, 1500), (1500, 1500)), walk((-1500, 3000), (1500, 3000))
    frames = [[a, b] if number % 2 else [b, a] for number, (a, b) in enumerate(zip(first, second, strict=True))]
    assert passages(*frames) == ["in", "in"]


def test_a_target_that_fades_for_half_a_second_is_the_same_person() -> None:
    frames = together(walk((-1500, 2000), (1500, 2000)))
    assert passages(*frames[:12], *([[]] * 5), *frames[17:]) == ["in"]


def test_a_ghost_that_stays_never_counts() -> None:
    wobble = [[(float(np.sin(number) * 120), 2500.0)] for number in range(300)]
    assert passages(*wobble) == []


def test_who_passes_beyond_the_end_of_the_line_is_not_counted() -> None:
    short = Line(0, 0, 0, 1000)
    assert passages(*together(walk((-1500, 4000), (1500, 4000))), line=short) == []


@pytest.mark.parametrize("x1", [0, 700, -700])
def test_the_side_of_a_line_is_the_same_wherever_it_begins(x1: float) -> None:
    line = Line(x1, 1000, x1 + 600, 1800)
    on_the_line = (x1 + 300, 1400)
    left, right = (on_the_line[0] - 80, on_the_line[1] + 60), (on_the_line[0] + 80, on_the_line[1] - 60)
    assert line.distances(np.array([on_the_line, left, right])).tolist() == pytest.approx([0, 100, -100])


@pytest.mark.parametrize(("x1", "y1"), [(0, 0), (-900, 1200)])
def test_a_line_ends_half_a_metre_beyond_its_ends_in_millimetres(x1: float, y1: float) -> None:
    line = Line(x1, y1, x1 + 3000, y1 + 4000)
    along = [-END_MM - 1, -END_MM, 0, 5000, 5000 + END_MM, 5000 + END_MM + 1]
    points = np.array([(x1 + 0.6 * mm - 80, y1 + 0.8 * mm + 60) for mm in along])
    assert line.within(points).tolist() == [False, True, True, True, True, False]


def test_of_two_targets_near_one_track_the_nearest_is_taken_and_each_only_once() -> None:
    tracks, _ = follow(Tracks(), np.array([(-1000.0, 2000.0), (-400.0, 2000.0)]), 0)
    moved, _ = follow(tracks, np.array([(-950.0, 2000.0), (-700.0, 2000.0)]), FRAME_MS)
    assert len(moved) == 2
    assert moved.seen_ms.tolist() == [FRAME_MS, FRAME_MS]
    assert moved.positions[:, 0].tolist() == pytest.approx([-975, -550])


def test_a_target_that_is_alone_moves_one_track_and_leaves_the_other() -> None:
    tracks, _ = follow(Tracks(), np.array([(-1000.0, 2000.0), (-400.0, 2000.0)]), 0)
    moved, _ = follow(tracks, np.array([(-500.0, 2000.0)]), FRAME_MS)
    assert moved.seen_ms.tolist() == [0, FRAME_MS]


def test_a_ghost_on_the_line_never_counts_however_noisy() -> None:
    noise = np.random.default_rng(1).normal((0, 2500), 140, size=(6_000, 2)).tolist()
    assert passages(*([(x, y)] for x, y in noise)) == []


def test_who_passes_a_ghost_is_counted_and_the_ghost_is_not() -> None:
    ghost = [(300.0, 2300.0)] * 30
    assert passages(*together(walk((-1500, 2000), (1500, 2000)), ghost)) == ["in"]


def test_a_step_across_the_line_and_away_again_is_no_passage() -> None:
    assert passages(*together(walk((-300, 2000), (300, 2000)) + walk((300, 2000), (-300, 2000)))) == []
