"""Serial sensors moved by hand: what is before them changes when somebody says so, and they speak as they always do.

In comes the time, out come the frames of the model's own rhythm, and what happened in words, with the truth so far. A
scene never happens by itself: what is counted behind it must be what was asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from firmware_sim.encoders import benewake, hlk_ld2450
from firmware_sim.lidar import BAY_MM, CLEAR, ROOF_MM, STRENGTH
from firmware_sim.radar import COMING_MS, FRAME_MS, GOING_MS, walk_frames
from firmware_sim.walkers import NOBODY, Count, Direction, Passage

SEED = 1
MM_IN_CM = 10
APART = timedelta(seconds=1)
"""Two who meet on the line, one going in and one out, no radar could tell from two who turn back."""


class Scene(Protocol):
    """What a sensor has before it."""

    every: timedelta
    """Between two frames."""
    enter: str
    """What Enter does, in words."""

    def happen(self, now: datetime, /) -> str:
        """Let the next thing happen; what it is, and the truth from now on, in words."""

    def frame(self, now: datetime, /) -> bytes:
        """What the sensor says now."""


@dataclass
class Bay:
    """A lidar above a bay, set to centimetres as it comes from its box."""

    every: timedelta = timedelta(milliseconds=100)
    enter: str = "a car comes, or goes"
    taken: bool = False
    noise: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))

    def happen(self, _now: datetime, /) -> str:
        """A car comes, or goes."""
        self.taken = not self.taken
        return "a car has come: occupied" if self.taken else "the car has gone: free"

    def frame(self, _now: datetime, /) -> bytes:
        """The distance to the car's roof, or to the ground."""
        mm = (ROOF_MM if self.taken else BAY_MM) + self.noise.normal(0, CLEAR.noise_mm)
        return benewake.data(round(mm / MM_IN_CM), STRENGTH)


@dataclass
class Passages:
    """A radar beside a path, across which people walk one after the other, in and out by turns."""

    every: timedelta = timedelta(milliseconds=FRAME_MS)
    enter: str = "somebody walks by: in, the next one out, and so on"
    passed: Count = NOBODY
    walking: list[Passage] = field(default_factory=list)
    """All since nobody was in view: who came first decides on which side the next one passes him."""

    def happen(self, now: datetime, /) -> str:
        """Somebody comes into view."""
        inward = self.passed.in_ == self.passed.out
        direction = Direction.IN if inward else Direction.OUT
        soonest = now + timedelta(milliseconds=COMING_MS + FRAME_MS)
        self.walking.append(Passage(max([soonest, *(other.at + APART for other in self.walking)]), direction))
        self.passed += Count(inward, not inward)
        return f"somebody walks {direction}: {self.passed.in_} in, {self.passed.out} out"

    def frame(self, now: datetime, /) -> bytes:
        """Who is in view."""
        gone = now - timedelta(milliseconds=GOING_MS[1])
        if self.walking and self.walking[-1].at <= gone:
            self.walking.clear()
        _, targets = next(walk_frames(self.walking, now, now + self.every, seed=SEED))
        return hlk_ld2450.report(targets)


SCENES: Mapping[str, Callable[[], Scene]] = {
    "benewake-tf-luna": Bay,
    "benewake-tfmini-plus": Bay,
    "benewake-tfmini-s": Bay,
    "hlk-ld2450": Passages,
}
"""What stands before each model that can be moved by hand."""
