"""Presence becomes the state of a space: what the sensor said last, and since when it is so, if that is known.

With a debounce time a change is told once it has stood for so long, dated at its first sight; one that is taken back
within that time is never told. Limit: a report that comes later than the debounce time takes nothing back.
"""

from datetime import datetime, timedelta

from msgspec import Struct, structs

from edge.messages import SpaceState, TimeSource
from edge.readings import Presence

WITHIN = timedelta(seconds=1)
"""Frames are dated to the second: two that came closer together are told apart by `APART`."""
APART = timedelta(milliseconds=1)


class Change(Struct, frozen=True):
    """What a sensor says of a space that is told otherwise, until it has stood for the debounce time."""

    state: SpaceState
    """As it is told then; `at` is when the sensor last said so."""
    seen: datetime
    """Its first sight, UTC."""

    def has_stood(self, now: datetime, debounce_s: int) -> bool:
        """Whether it is to be told at `now` (UTC)."""
        return now - self.seen >= timedelta(seconds=debounce_s)


def take_presence(
    known: SpaceState | None,
    change: Change | None,
    presence: Presence,
    *,
    device: str,
    at: datetime,
    source: TimeSource,
    inverted: bool,
    longest_silence_s: float,
    debounce_s: int,
) -> tuple[SpaceState, Change | None]:
    """The state to tell and the change that has not stood for `debounce_s` yet, after one presence.

    Both are left as they are when the sensor dated this presence itself and has said something newer already.
    `at` is UTC. A change after a silence longer than `longest_silence_s` came at an unknown moment: `since` is None.
    """
    if known is not None and presence.at is not None and at < (known if change is None else change.state).at:
        return known, change
    if change is not None and change.has_stood(at, debounce_s):
        known, change = change.state, None
    occupied = presence.occupied is not inverted
    if known is not None and occupied is not known.occupied and at <= known.at < at + WITHIN:
        at = known.at + APART
    said = SpaceState(
        device=device,
        channel=presence.channel,
        occupied=occupied,
        at=at,
        since=_since(known, occupied, at, longest_silence_s),
        source=source,
    )
    if known is None or occupied is known.occupied:
        return said, None
    change = _confirmed(change, said)
    return (change.state, None) if change.has_stood(said.at, debounce_s) else (known, change)


def _confirmed(change: Change | None, said: SpaceState) -> Change:
    """The change said again; when the clock stepped back it is as old as that."""
    if change is None:
        return Change(said, said.at)
    return Change(structs.replace(said, since=change.state.since), min(change.seen, said.at))


def _since(known: SpaceState | None, occupied: bool, at: datetime, longest_silence_s: float) -> datetime | None:
    if known is None:
        return None
    if known.occupied is occupied:
        return known.since
    return at if (at - known.at).total_seconds() <= longest_silence_s else None
