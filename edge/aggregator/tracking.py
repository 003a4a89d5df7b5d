"""Radar targets become tracks, and tracks that cross the counting line become passages, in numpy.

Idea: every frame (ten a second) the tracks are moved on by their velocity and matched to the targets, nearest pair
first, within a gate; slots are ignored, since the radar renumbers them when somebody leaves. Noise is smoothed (an
alpha-beta filter). A track counts when it has gone from clearly on one side of the line to clearly on the other, and
far enough between its farthest points that no ghost, which stays where it is, can do so by noise. Limits: two people
side by side may be one target; who stops on the line is counted when leaving it on the other side, and not at all when
turning back; who is first seen on the line is not counted; three at once is all it sees.
"""

from dataclasses import dataclass, field
from math import hypot
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
TRAVEL_MM = 900.0
"""A passage leads at least so far from one side to the other."""
TRUST, STEER = 0.5, 0.2
"""Weights of the newest target against the prediction: in the position, and in the velocity."""
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
        along_x, along_y = self.x2 - self.x1, self.y2 - self.y1
        length = hypot(along_x, along_y)
        distances: Floats = (along_x * (points[:, 1] - self.y1) - along_y * (points[:, 0] - self.x1)) / length
        return distances

    def within(self, points: Floats) -> NDArray[np.bool_]:
        """Whether the points' feet lie between the two ends, half a metre beyond included."""
        along_x, along_y = self.x2 - self.x1, self.y2 - self.y1
        length = hypot(along_x, along_y)
        position = (along_x * (points[:, 0] - self.x1) + along_y * (points[:, 1] - self.y1)) / length
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
    reaches: Floats = field(default_factory=lambda: np.empty(0))
    """float64[n], mm: how far from the line it was on that side."""

    def __len__(self) -> int:
        return len(self.seen_ms)


def follow(tracks: Tracks, targets: Floats, now_ms: int, line: Line = STRAIGHT_AHEAD) -> tuple[Tracks, list[Direction]]:
    """The tracks after one radar frame with targets float64[m, 2] (mm), and the passages that it completed."""
    tracks = _alive(tracks, now_ms)
    if not len(targets):
        return tracks, []
    predicted = _predict(tracks, now_ms)
    pairs = _match(predicted, targets)
    moved = _move(tracks, predicted, targets, pairs, now_ms)
    counted, passages = _cross(moved, line)
    taken = {target for _, target in pairs}
    newcomers = [index for index in range(len(targets)) if index not in taken]
    return (_begin(counted, targets[newcomers], now_ms, line) if newcomers else counted), passages


def _alive(tracks: Tracks, now_ms: int) -> Tracks:
    alive = now_ms - tracks.seen_ms <= MEMORY_MS
    if alive.all():
        return tracks
    return Tracks(
        tracks.positions[alive],
        tracks.velocities[alive],
        tracks.seen_ms[alive],
        tracks.sides[alive],
        tracks.reaches[alive],
    )


def _predict(tracks: Tracks, now_ms: int) -> Floats:
    return tracks.positions + tracks.velocities * (now_ms - tracks.seen_ms)[:, None]


def _match(predicted: Floats, targets: Floats) -> list[tuple[int, int]]:
    """Pairs (track, target), nearest first, each used once, none further apart than the gate."""
    offsets = predicted[:, None, :] - targets[None, :, :]
    distances = np.hypot(offsets[:, :, 0], offsets[:, :, 1])
    near = np.argwhere(distances <= GATE_MM).tolist()
    pairs: list[tuple[int, int]] = []
    for track, target in sorted(near, key=lambda pair: float(distances[pair[0], pair[1]])):
        if all(track != used and target != taken for used, taken in pairs):
            pairs.append((track, target))
    return pairs


def _move(tracks: Tracks, predicted: Floats, targets: Floats, pairs: list[tuple[int, int]], now_ms: int) -> Tracks:
    if not pairs:
        return tracks
    matched, found = (list(column) for column in zip(*pairs, strict=True))
    positions, velocities, seen = tracks.positions.copy(), tracks.velocities.copy(), tracks.seen_ms.copy()
    elapsed = np.maximum(now_ms - seen[matched], 1)[:, None]
    surprise = targets[found] - predicted[matched]
    positions[matched] = predicted[matched] + TRUST * surprise
    steered = velocities[matched] + STEER * surprise / elapsed
    velocities[matched] = np.minimum(np.maximum(steered, -FASTEST_MM_PER_MS), FASTEST_MM_PER_MS)
    seen[matched] = now_ms
    return Tracks(positions, velocities, seen, tracks.sides, tracks.reaches)


def _cross(tracks: Tracks, line: Line) -> tuple[Tracks, list[Direction]]:
    distances = line.distances(tracks.positions)
    sides, depths = _sides(distances), np.abs(distances)
    crossing = (sides * tracks.sides == -1) & (tracks.reaches + depths >= TRAVEL_MM)
    held = np.where(crossing | (tracks.sides == 0), sides, tracks.sides)
    deeper = np.where(sides == held, np.maximum(depths, tracks.reaches), tracks.reaches)
    reaches = np.where(crossing, depths, deeper)
    moved = Tracks(tracks.positions, tracks.velocities, tracks.seen_ms, held, reaches)
    if not crossing.any():
        return moved, []
    crossed = sides[crossing & line.within(tracks.positions)].tolist()
    return moved, ["in" if side == -1 else "out" for side in crossed]


def _begin(tracks: Tracks, newcomers: Floats, now_ms: int, line: Line) -> Tracks:
    distances = line.distances(newcomers)
    return Tracks(
        np.vstack((tracks.positions, newcomers)),
        np.vstack((tracks.velocities, np.zeros_like(newcomers))),
        np.concatenate((tracks.seen_ms, np.full(len(newcomers), now_ms, dtype=np.int64))),
        np.concatenate((tracks.sides, _sides(distances))),
        np.concatenate((tracks.reaches, np.abs(distances))),
    )


def _sides(distances: Floats) -> NDArray[np.int64]:
    sides: NDArray[np.int64] = (distances >= CLEAR_MM).astype(np.int64) - (distances <= -CLEAR_MM)
    return sides
