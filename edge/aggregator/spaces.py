"""Presence becomes the state of a space: what the sensor said last, and since when it is so, if that is known."""

from datetime import datetime, timedelta

from edge.messages import SpaceState, TimeSource
from edge.readings import Presence

WITHIN = timedelta(seconds=1)
"""Frames are dated to the second: two that came closer together are told apart by `APART`."""
APART = timedelta(milliseconds=1)


def take_presence(
    known: SpaceState | None,
    presence: Presence,
    *,
    device: str,
    at: datetime,
    source: TimeSource,
    inverted: bool,
    longest_silence_s: float,
) -> SpaceState | None:
    """The new state, or None when the sensor dated this one itself and has said something newer already.

    `at` is UTC. A change after a silence longer than `longest_silence_s` came at an unknown moment: `since` is None.
    """
    if known is not None and presence.at is not None and at < known.at:
        return None
    occupied = presence.occupied is not inverted
    if known is not None and occupied is not known.occupied and at <= known.at < at + WITHIN:
        at = known.at + APART
    return SpaceState(
        device=device,
        channel=presence.channel,
        occupied=occupied,
        at=at,
        since=_since(known, occupied, at, longest_silence_s),
        source=source,
    )


def _since(known: SpaceState | None, occupied: bool, at: datetime, longest_silence_s: float) -> datetime | None:
    if known is None:
        return None
    if known.occupied is occupied:
        return known.since
    return at if (at - known.at).total_seconds() <= longest_silence_s else None
