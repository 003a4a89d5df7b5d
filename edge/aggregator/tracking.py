"""Radar targets become tracks, and tracks that cross the counting line become passages, in numpy.

Idea: every frame (ten a second) the tracks are moved on by their velocity and matched to the targets, nearest pair
first, within a gate; slots are ignored, since the radar renumbers them when somebody leaves. A track counts when it
passes from clearly on one side of the line to clearly on the other. Limits: two people side by side may be one target;
who stops on the line is counted when leaving it on the other side, and not at all when turning back; three at once is
all it sees.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Direction = Literal["in", "out"]
Floats = NDArray[np.float64]

GATE_MM = 900.0
"""A target further than this from where a track should be is somebody else."""
MEMORY_MS = 1_000
"""A track that is not seen for so long is over: the radar loses standing people and finds them again."""
CLEAR_MM = 150.0
"""Distance from the line at which a side is certain; less is noise."""
END_MM = 500.0
"""A line reaches this far beyond its ends."""
BLEND = 0.5
"""Weight of the newest displacement in the velocity."""
FASTEST_MM_PER_MS = 4.0
"""Nobody in a street is faster: 4 m/s is a run. Guards the velocity against a wrong match."""


@dataclass(frozen=True, slots=True)
class Line:
    """A counting line from (x1, y1) to (x2, y2), mm, in the radar's coordinates (x to the side, y straight ahead).

    Crossing it from its left to its right, looking from its first point to its second, is `in`.
    """

    x1: float
    y1: float
    x2: float
    y2: float

    def distances(self, points: Floats) -> Floats:
        """Signed distance in mm of points float64[n, 2]: positive left of the line."""
        along = np.array((self.x2 - self.x1, self.y2 - self.y1))
        offset = points - (self.x1, self.y1)
        distances: Floats = (along[0] * offset[:, 1] - along[1] * offset[:, 0]) / np.hypot(*along)
        return distances

    def within(self, points: Floats) -> NDArray[np.bool_]:
        """Whether the points' feet lie between the two ends, half a metre beyond included."""
        along = np.array((self.x2 - self.x1, self.y2 - self.y1))
        length = np.hypot(*along)
        position = (points - (self.x1, self.y1)) @ along / length
        within: NDArray[np.bool_] = (position >= -END_MM) & (position <= length + END_MM)
        return within


STRAIGHT_AHEAD = Line(0, 0, 0, 6_000)
"""The line of a radar that looks across the way: people pass from its left (x < 0) to its right, which is `in`."""


def _no_points() -> Floats:
    return np.empty((0, 2))


def _nothing(dtype: type) -> NDArray[np.int64]:
    return np.empty(0, dtype=dtype)


@dataclass(frozen=True, slots=True)
class Tracks:
    """The people in view, one row each. Arrays are never changed in place."""

    positions: Floats = field(default_factory=_no_points)
    """float64[n, 2], mm."""
    velocities: Floats = field(default_factory=_no_points)
    """float64[n, 2], mm per ms."""
    seen_ms: NDArray[np.int64] = field(default_factory=lambda: _nothing(np.int64))
    """int64[n], monotonic ms of the last matching target."""
    sides: NDArray[np.int64] = field(default_factory=lambda: _nothing(np.int64))
    """int64[n]: the side last clearly held, 1 left, -1 right, 0 not yet known."""

    def __len__(self) -> int:
        return len(self.seen_ms)


def follow(tracks: Tracks, targets: Floats, now_ms: int, line: Line = STRAIGHT_AHEAD) -> tuple[Tracks, list[Direction]]:
    """The tracks after one radar frame with targets float64[m, 2] (mm), and the passages that it completed."""
    tracks = _alive(tracks, now_ms)
    if not len(tracks) and not len(targets):
        return tracks, []
    pairs = _match(_predict(tracks, now_ms), targets)
    moved = _move(tracks, targets, pairs, now_ms)
    counted, passages = _cross(moved, line)
    return _begin(counted, np.delete(targets, [target for _, target in pairs], axis=0), now_ms, line), passages


def _alive(tracks: Tracks, now_ms: int) -> Tracks:
    alive = now_ms - tracks.seen_ms <= MEMORY_MS
    if alive.all():
        return tracks
    return Tracks(tracks.positions[alive], tracks.velocities[alive], tracks.seen_ms[alive], tracks.sides[alive])


def _predict(tracks: Tracks, now_ms: int) -> Floats:
    return tracks.positions + tracks.velocities * (now_ms - tracks.seen_ms)[:, None]


def _match(predicted: Floats, targets: Floats) -> list[tuple[int, int]]:
    """Pairs (track, target), nearest first, each used once, none further apart than the gate."""
    distances = np.linalg.norm(predicted[:, None, :] - targets[None, :, :], axis=2)
    pairs: list[tuple[int, int]] = []
    for flat in np.argsort(distances, axis=None):
        track, target = divmod(int(flat), distances.shape[1])
        if distances[track, target] > GATE_MM:
            break
        if all(track != used and target != taken for used, taken in pairs):
            pairs.append((track, target))
    return pairs


def _move(tracks: Tracks, targets: Floats, pairs: list[tuple[int, int]], now_ms: int) -> Tracks:
    positions, velocities, seen = tracks.positions.copy(), tracks.velocities.copy(), tracks.seen_ms.copy()
    for track, target in pairs:
        elapsed = max(now_ms - int(seen[track]), 1)
        newest = (targets[target] - positions[track]) / elapsed
        blended = BLEND * newest + (1 - BLEND) * velocities[track]
        velocities[track] = np.clip(blended, -FASTEST_MM_PER_MS, FASTEST_MM_PER_MS)
        positions[track] = targets[target]
        seen[track] = now_ms
    return Tracks(positions, velocities, seen, tracks.sides)


def _cross(tracks: Tracks, line: Line) -> tuple[Tracks, list[Direction]]:
    sides = _sides(tracks.positions, line)
    crossed = (sides * tracks.sides == -1) & line.within(tracks.positions)
    passages: list[Direction] = ["in" if side == -1 else "out" for side in sides[crossed]]
    held = np.where(sides == 0, tracks.sides, sides)
    return Tracks(tracks.positions, tracks.velocities, tracks.seen_ms, held), passages


def _begin(tracks: Tracks, newcomers: Floats, now_ms: int, line: Line) -> Tracks:
    if not len(newcomers):
        return tracks
    return Tracks(
        np.vstack((tracks.positions, newcomers)),
        np.vstack((tracks.velocities, np.zeros_like(newcomers))),
        np.concatenate((tracks.seen_ms, np.full(len(newcomers), now_ms, dtype=np.int64))),
        np.concatenate((tracks.sides, _sides(newcomers, line))),
    )


def _sides(points: Floats, line: Line) -> NDArray[np.int64]:
    distances = line.distances(points)
    return np.where(np.abs(distances) < CLEAR_MM, 0, np.sign(distances)).astype(np.int64)
