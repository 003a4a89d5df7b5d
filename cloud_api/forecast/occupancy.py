"""How full a series of spaces was, every quarter of an hour: what a forecast learns from.

In come the states that sensors told, or what is seen now; out comes a share of occupied spaces per quarter-hour. A
quarter-hour of which too little is known is NaN, never a guess. Pure: no I/O, no clock.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUARTER: Final = timedelta(minutes=15)
QUARTER_S: Final = 900
ENOUGH: Final = 0.5
"""The share of its spaces that must be known for a quarter-hour to count."""


class Occupancy(Struct, frozen=True, eq=False):
    """The share of occupied spaces at the beginning of each quarter-hour in a row."""

    first: int
    """The first quarter-hour, counted from 1970, UTC."""
    share: Floats
    """float64[quarter], occupied spaces among the known ones, 0 to 1; NaN where too little is known."""

    @property
    def end(self) -> int:
        """The first quarter-hour that is not in it."""
        return self.first + len(self.share)

    def at(self, quarter: int) -> float:
        """The share at a quarter-hour; NaN outside."""
        return float(self.share[quarter - self.first]) if self.first <= quarter < self.end else float("nan")

    def noted(self, quarter: int, share: float, most: int) -> "Occupancy":
        """With one more quarter-hour, which may be any but an earlier one; at most the last `most` are kept."""
        if quarter < self.end:
            return self
        gap = np.full(min(quarter - self.end, most), np.nan)
        kept = np.concatenate((self.share, gap, [share]))[-most:]
        return Occupancy(quarter + 1 - len(kept), kept)


def quarter_of(at: datetime) -> int:
    """The quarter-hour that a moment lies in, counted from 1970."""
    return int(at.timestamp()) // QUARTER_S


def start_of(quarter: int) -> datetime:
    """When a quarter-hour begins, UTC."""
    return datetime.fromtimestamp(quarter * QUARTER_S, UTC)


def told_states(told_s: Ints, occupied: NDArray[np.bool_], quarters: range, hold_s: float) -> Floats:
    """One space at the beginning of each quarter-hour: 1 occupied, 0 free, NaN unknown.

    `told_s`: int64[state], seconds since 1970, ascending; `occupied`: bool[state]. What was told holds until the next
    word, and no longer than `hold_s`.
    """
    instants = np.arange(quarters.start, quarters.stop, dtype=np.int64) * QUARTER_S
    last = np.searchsorted(told_s, instants, side="right") - 1
    known = last >= 0
    known[known] = instants[known] - told_s[last[known]] <= hold_s
    states = np.full(len(instants), np.nan)
    states[known] = occupied[last[known]]
    return states


def together(spaces: Sequence[Floats]) -> Floats:
    """The share of occupied spaces: float64[quarter] out of one float64[quarter] of 1, 0 and NaN a space."""
    states = np.stack(spaces)
    known = np.count_nonzero(~np.isnan(states), axis=0)
    share = np.full(states.shape[1], np.nan)
    enough = known >= max(1.0, ENOUGH * len(spaces))
    share[enough] = np.nansum(states[:, enough], axis=0) / known[enough]
    return share
