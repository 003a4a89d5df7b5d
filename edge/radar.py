"""What one radar sees: targets become passages, and now and then a sign of life. Loaded where a radar is adopted."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edge.aggregator.tracking import STRAIGHT_AHEAD, Line, Tracks, follow
from edge.readings import AnyReading, Event, Track
from edge.signals import WATCHING_S, Setting, Told

RADAR_FRAME_MS = 90
"""Frames of a radar are at least so far apart, even when a busy machine hands them over in a burst."""


@dataclass(frozen=True, slots=True)
class Radar:
    """What is in view of one radar. Lost at a restart: who is walking then is counted when she is seen again."""

    tracks: Tracks = field(default_factory=Tracks)
    frame_ms: int = -RADAR_FRAME_MS
    quiet_until_ms: int = 0

    def hear(self, readings: Sequence[AnyReading], heard_ms: int, setting: Setting) -> tuple["Radar", Told | None]:
        """The view after one frame, and what to tell of it: passages at once, else that it watches, now and then."""
        now_ms = max(heard_ms, self.frame_ms + RADAR_FRAME_MS)
        targets = [(reading.x_mm, reading.y_mm) for reading in readings if isinstance(reading, Track)]
        points = np.array(targets, dtype=np.float64).reshape(-1, 2)
        line = STRAIGHT_AHEAD if setting.line_mm is None else Line(*setting.line_mm)
        tracks, passages = follow(self.tracks, points, now_ms, line)
        (channel,) = setting.channels
        told: list[AnyReading] = [reading for reading in readings if not isinstance(reading, Track)]
        told.extend(Event(channel=channel.name, mode=channel.mode, direction=direction) for direction in passages)
        if not told and heard_ms < self.quiet_until_ms:
            return Radar(tracks, now_ms, self.quiet_until_ms), None
        return Radar(tracks, now_ms, heard_ms + WATCHING_S * 1000), Told(tuple(told))
