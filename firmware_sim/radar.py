"""Walkers as an HLK-LD2450 sees them: ten frames a second of at most three targets, in slots that are no identities.

In come passages, out come (time, targets), with noise and, when asked for, ghosts and people who turn back: the truth
stays known. The radar stands at (0, 0) and looks along y; who walks `in` passes from its left (x < 0) to its right,
and crosses x = 0 at the passage's own time. It must never show a fourth person: who comes while three are in view is
not seen until one of them has left.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import merge
from math import hypot

import numpy as np

from firmware_sim.encoders.hlk_ld2450 import SLOTS, Target
from firmware_sim.walkers import EPOCH, Direction, Passage

FRAME_MS = 100
FRAMES_PER_S = 1000 // FRAME_MS
COMING_MS = 1_500
"""Everybody comes into view so long before crossing the line."""
GOING_MS = (700, 2_500)
"""And leaves it so long after, at least and at most."""
PACE_MM_S = (800, 1_600)
"""Slowest and fastest walk."""
LANES_MM = (1_400, 2_900, 4_400)
"""Where people walk, as distances from the radar; those in view at the same time keep to different ones."""
OFF_LANE_MM = 150
TURNS_BEFORE_MM = 300
"""Somebody who turns back comes so close to the line."""
RESOLUTION_MM = 360


@dataclass(frozen=True, slots=True)
class Ghost:
    """A target that nobody is: a reflection that stays where it is."""

    start: datetime
    end: datetime
    x_mm: int
    y_mm: int


@dataclass(frozen=True, slots=True)
class TurnBack:
    """Somebody who walks up to the line and goes back: no passage."""

    at: datetime
    """When closest to the line."""
    begun: Direction
    """The direction of the walk before it turned."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What makes a radar's life hard. Ghosts in order of `start`, people who turn back in order of `at`."""

    noise_mm: float = 40.0
    """Standard deviation of a coordinate."""
    dropout: float = 0.0
    """Share of targets that a frame misses, 0 to 1."""
    ghosts: tuple[Ghost, ...] = ()
    turning_back: tuple[TurnBack, ...] = ()
    lanes_mm: tuple[int, ...] = LANES_MM
    """Distances from the radar at which people walk; 600 apart, who walk together walk side by side."""
    merge_mm: float = 0.0
    """Two people nearer to each other than this are one target, midway between them."""


CLEAR_AIR = Disturbance()


@dataclass(frozen=True, slots=True)
class _Walk:
    """One person or ghost in view: straight from point to point, at one distance from the radar."""

    times_ms: tuple[int, ...]
    xs_mm: tuple[float, ...]
    y_mm: int | None
    """None until coming into view, when a lane is chosen."""

    @property
    def start_ms(self) -> int:
        return self.times_ms[0]

    def position(self, at_ms: float) -> tuple[float, float]:
        return self._x_mm(at_ms), float(self.y_mm or 0)

    def _x_mm(self, at_ms: float) -> float:
        """On the straight line between the two points around it; at the nearest point before and after the walk."""
        after = bisect_right(self.times_ms, at_ms)
        if not 0 < after < len(self.times_ms):
            return self.xs_mm[0 if after == 0 else -1]
        (begin_ms, end_ms), (begin, end) = self.times_ms[after - 1 : after + 1], self.xs_mm[after - 1 : after + 1]
        return (end - begin) / (end_ms - begin_ms) * (at_ms - begin_ms) + begin


def walk_frames(
    passages: Iterable[Passage],
    start: datetime,
    end: datetime,
    *,
    seed: int,
    disturbance: Disturbance = CLEAR_AIR,
    idle_ms: int = FRAME_MS,
) -> Iterator[tuple[int, list[Target]]]:
    """The frames at `start` <= t < `end`: UTC milliseconds, a multiple of 100, and the targets, at most three.

    `passages` come in order of time and are asked for as they come into view; they should begin 3 s before `start` and
    end 2 s after `end`, so that nobody is cut off. While nobody is in view, a frame without targets comes every
    `idle_ms` (a multiple of 100): 100 as on the wire, more where only passages matter.
    """
    coming = _Coming(_walks(passages, disturbance, seed))
    at_ms, end_ms = (-((EPOCH - moment) // timedelta(milliseconds=FRAME_MS)) * FRAME_MS for moment in (start, end))
    in_view: list[_Walk] = []
    idle_until_ms = at_ms
    while at_ms < end_ms:
        for walk in coming.until(at_ms):
            in_view = _still_in_view(in_view, walk.start_ms)
            in_view.append(_on_a_lane(walk, in_view, disturbance.lanes_mm, seed))
        in_view = _still_in_view(in_view, at_ms)
        if in_view or at_ms >= idle_until_ms:
            yield at_ms, _targets(in_view, at_ms, disturbance, seed)
            idle_until_ms = at_ms + idle_ms
        at_ms = at_ms + FRAME_MS if in_view else min(idle_until_ms, max(coming.next_ms(), at_ms + FRAME_MS))


class _Coming:
    """Who comes into view next. Guards the order: nobody is forgotten, nobody comes early."""

    def __init__(self, walks: Iterator[_Walk]) -> None:
        self._walks = walks
        self._next = next(walks, None)

    def until(self, at_ms: int) -> Iterator[_Walk]:
        while self._next is not None and self._next.start_ms <= at_ms:
            yield self._next
            self._next = next(self._walks, None)

    def next_ms(self) -> int:
        """The frame on which the next one is seen first; far away when nobody comes any more."""
        if self._next is None:
            return 1 << 62
        return -(-self._next.start_ms // FRAME_MS) * FRAME_MS


def _walks(passages: Iterable[Passage], disturbance: Disturbance, seed: int) -> Iterator[_Walk]:
    walkers = (_passing(passage, seed) for passage in passages)
    hesitant = (_turning(turn_back, seed) for turn_back in disturbance.turning_back)
    ghosts = (_standing(ghost) for ghost in disturbance.ghosts)
    return merge(walkers, hesitant, ghosts, key=lambda walk: walk.start_ms)


def _passing(passage: Passage, seed: int) -> _Walk:
    at_ms = _milliseconds(passage.at)
    generator = np.random.default_rng((seed, at_ms))
    pace = generator.uniform(*PACE_MM_S) / 1000
    going_ms = int(generator.integers(*GOING_MS))
    heading = 1 if passage.direction is Direction.IN else -1
    times = (at_ms - COMING_MS, at_ms + going_ms)
    return _Walk(times, (-heading * pace * COMING_MS, heading * pace * going_ms), None)


def _turning(turn_back: TurnBack, seed: int) -> _Walk:
    at_ms = _milliseconds(turn_back.at)
    pace = np.random.default_rng((seed, at_ms)).uniform(*PACE_MM_S) / 1000
    side = -1 if turn_back.begun is Direction.IN else 1
    far = side * (TURNS_BEFORE_MM + pace * COMING_MS)
    return _Walk((at_ms - COMING_MS, at_ms, at_ms + COMING_MS), (far, side * TURNS_BEFORE_MM, far), None)


def _standing(ghost: Ghost) -> _Walk:
    return _Walk((_milliseconds(ghost.start), _milliseconds(ghost.end)), (ghost.x_mm, ghost.x_mm), ghost.y_mm)


def _still_in_view(walks: Sequence[_Walk], at_ms: int) -> list[_Walk]:
    return [walk for walk in walks if walk.times_ms[-1] >= at_ms]


def _on_a_lane(walk: _Walk, in_view: Sequence[_Walk], lanes_mm: tuple[int, ...], seed: int) -> _Walk:
    """The walk at a distance from the radar that keeps clear of everybody in view, as far as there is room."""
    if walk.y_mm is not None:
        return walk
    generator = np.random.default_rng((seed, walk.start_ms, 1))
    others = [other.y_mm or 0 for other in in_view]
    lanes = generator.permutation(lanes_mm).tolist()
    lane = max(lanes, key=lambda lane: min((abs(lane - other) > 2 * OFF_LANE_MM for other in others), default=True))
    return replace(walk, y_mm=lane + int(generator.integers(-OFF_LANE_MM, OFF_LANE_MM)))


def _targets(in_view: Sequence[_Walk], at_ms: int, disturbance: Disturbance, seed: int) -> list[Target]:
    if not in_view:
        return []
    groups = _groups(in_view, at_ms, disturbance.merge_mm)[:SLOTS]
    second, frame = divmod(at_ms // FRAME_MS, FRAMES_PER_S)
    noise, luck = _chances(seed, second)
    return [
        _target(group, at_ms, dx * disturbance.noise_mm, dy * disturbance.noise_mm)
        for group, (dx, dy), fortune in zip(groups, noise[frame], luck[frame], strict=False)
        if fortune >= disturbance.dropout
    ]


@lru_cache(maxsize=64)
def _chances(seed: int, second: int) -> tuple[list[list[list[float]]], list[list[float]]]:
    """Of each frame and slot of a second since 1970: noise (dx, dy) of standard deviation 1, and luck in [0, 1)."""
    generator = np.random.default_rng((seed, second, 2))
    return generator.normal(size=(FRAMES_PER_S, SLOTS, 2)).tolist(), generator.random((FRAMES_PER_S, SLOTS)).tolist()


def _groups(in_view: Sequence[_Walk], at_ms: int, merge_mm: float) -> list[list[_Walk]]:
    """Who is one target: everybody alone, or two who are too near to each other to be told apart."""
    groups: list[list[_Walk]] = []
    for walk in in_view:
        near = (group for group in groups if len(group) == 1 and _apart_mm(group[0], walk, at_ms) < merge_mm)
        group = next(near, None)
        if group is None:
            groups.append([walk])
        else:
            group.append(walk)
    return groups


def _apart_mm(one: _Walk, other: _Walk, at_ms: int) -> float:
    (x, y), (other_x, other_y) = one.position(at_ms), other.position(at_ms)
    return hypot(other_x - x, other_y - y)


def _target(group: Sequence[_Walk], at_ms: int, dx: float, dy: float) -> Target:
    (x, y), (x_before, y_before) = _middle(group, at_ms), _middle(group, at_ms - FRAME_MS)
    away_mm = hypot(x, y) - hypot(x_before, y_before)
    return Target(
        x_mm=round(x + dx),
        y_mm=max(round(y + dy), 0),
        speed_cm_s=round(away_mm / 10 * 1000 / FRAME_MS),
        resolution_mm=RESOLUTION_MM,
    )


def _middle(group: Sequence[_Walk], at_ms: float) -> tuple[float, float]:
    xs, ys = zip(*(walk.position(at_ms) for walk in group), strict=True)
    return sum(xs) / len(xs), sum(ys) / len(ys)


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
