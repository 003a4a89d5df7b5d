"""The simulated radar: what the LD2450 would see of people whose passages are known."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from edge.aggregator.tracking import Tracks, follow
from firmware_sim.encoders.hlk_ld2450 import Target
from firmware_sim.radar import Disturbance, Ghost, TurnBack, walk_frames
from firmware_sim.saint_aubin import saint_aubin
from firmware_sim.walkers import EPOCH, Direction, Passage

NOON = datetime(2026, 6, 12, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STILL = Disturbance(noise_mm=0)
Frames = list[tuple[int, list[Target]]]


def inwards(*seconds: float) -> list[Passage]:
    return [Passage(NOON + timedelta(seconds=second), Direction.IN) for second in seconds]


def frames(passages: Sequence[Passage], disturbance: Disturbance = STILL, *, idle_ms: int = 100) -> Frames:
    return list(walk_frames(passages, NOON, NOON + MINUTE, seed=1, disturbance=disturbance, idle_ms=idle_ms))


def second(at_ms: int) -> float:
    return at_ms / 1000 - NOON.timestamp()


def counted(seen: Frames) -> list[str]:
    tracks = Tracks()
    passages: list[str] = []
    for at_ms, targets in seen:
        points = np.array([(target.x_mm, target.y_mm) for target in targets], dtype=np.float64).reshape(-1, 2)
        tracks, completed = follow(tracks, points, at_ms)
        passages.extend(completed)
    return passages


def test_ten_frames_come_a_second_whether_or_not_somebody_is_there() -> None:
    times = [at_ms for at_ms, _ in frames(inwards(20))]
    start_ms = int(NOON.timestamp()) * 1000
    assert times == list(range(start_ms, start_ms + 60_000, 100))


def test_somebody_walks_from_left_to_right_and_crosses_at_the_passages_moment() -> None:
    walk = [(second(at_ms), target.x_mm) for at_ms, targets in frames(inwards(20)) for target in targets]
    assert [x for _, x in walk] == sorted(x for _, x in walk)
    assert all((x < 0) == (at < 20) or x == 0 for at, x in walk)
    assert 2 <= walk[-1][0] - walk[0][0] <= 4


def test_the_other_direction_is_the_other_way_round() -> None:
    xs = [target.x_mm for _, targets in frames([Passage(NOON + MINUTE / 3, Direction.OUT)]) for target in targets]
    assert xs == sorted(xs, reverse=True)
    assert xs[0] > 0 > xs[-1]


def test_radial_speed_is_negative_while_coming_nearer() -> None:
    walk = [(second(at_ms), target.speed_cm_s) for at_ms, targets in frames(inwards(20)) for target in targets]
    assert walk[2][1] < 0 < walk[-1][1]


def test_people_in_view_together_keep_to_different_distances() -> None:
    together = [targets for _, targets in frames(inwards(20, 20.4, 20.8)) if len(targets) == 3]
    distances = sorted(target.y_mm for target in together[0])
    assert together
    assert min(np.diff(distances)) > 900


def test_slots_are_renumbered_when_somebody_leaves() -> None:
    seen = frames([*inwards(20), Passage(NOON + timedelta(seconds=22), Direction.OUT)])
    both = next(targets for _, targets in seen if len(targets) == 2)
    last = [targets for _, targets in seen if targets][-1]
    assert last[0].y_mm == both[1].y_mm


def test_a_fourth_person_is_not_seen_until_somebody_has_left() -> None:
    seen = frames(inwards(20, 20.1, 20.2, 20.3))
    assert max(len(targets) for _, targets in seen) == 3


def test_who_turns_back_comes_near_the_line_and_never_crosses_it() -> None:
    hesitant = Disturbance(noise_mm=0, turning_back=(TurnBack(NOON + MINUTE / 2, Direction.IN),))
    xs = [target.x_mm for _, targets in frames([], hesitant) for target in targets]
    assert max(xs) == -300
    assert xs[0] == xs[-1] < -1_000


def test_a_ghost_stays_where_it_is() -> None:
    ghost = Ghost(NOON, NOON + MINUTE, x_mm=800, y_mm=2_000)
    seen = frames([], Disturbance(noise_mm=0, ghosts=(ghost,)))
    assert {(target.x_mm, target.y_mm) for _, targets in seen for target in targets} == {(800, 2_000)}
    assert all(len(targets) == 1 for _, targets in seen)


def test_targets_drop_out_as_often_as_asked() -> None:
    ghost = Ghost(NOON, NOON + MINUTE, x_mm=800, y_mm=2_000)
    seen = frames([], Disturbance(dropout=0.3, ghosts=(ghost,)))
    assert 100 < sum(not targets for _, targets in seen) < 260


def test_idle_frames_can_be_thinned_without_losing_a_walk() -> None:
    dense, thin = frames(inwards(20, 41)), frames(inwards(20, 41), idle_ms=10_000)
    assert [frame for frame in thin if frame[1]] == [frame for frame in dense if frame[1]]
    assert max(later - earlier for (earlier, _), (later, _) in pairwise(thin)) <= 10_000


def test_frames_do_not_depend_on_where_one_begins_to_look() -> None:
    whole = frames(inwards(20, 21, 40), Disturbance())
    later = NOON + timedelta(seconds=30)
    rest = walk_frames(inwards(20, 21, 40), later, NOON + MINUTE, seed=1)
    assert list(rest) == [frame for frame in whole if EPOCH + timedelta(milliseconds=frame[0]) >= later]


def test_the_gateways_tracker_finds_everybody_who_walked_in_a_busy_hour() -> None:
    town = saint_aubin(1)
    counter, end = town.counter("passage-des-tanneurs"), NOON + timedelta(hours=1)
    passages = list(counter.walkers.passages_between(NOON, end))
    found = counted(list(walk_frames(passages, NOON, end, seed=1, idle_ms=10_000)))
    assert (found.count("in"), found.count("out")) == town.truth_hour(counter.id, NOON)
