"""The step between two totals of a counter that rolls over, or the finding that it was reset.

In come two values and the time between, out comes how many passages lie between them: never negative, never guessed.
"""

from enum import Enum

FASTEST_PER_SECOND = 5
"""More passages a second than one counting line in a street can carry: a faster step is no step."""
SLACK = 10
"""Passages that may have been counted within one second of clock error."""
NARROW_BITS = 8
"""Counters this narrow roll over between reports as a matter of course; a step back of theirs is always a rollover."""


class StepBack(Enum):
    """A step back that is no plausible rollover."""

    RESET = "reset"


def step(old: int, new: int, bits: int, elapsed_s: int) -> int | StepBack:
    """Passages counted from `old` to `new` on a counter that rolls over at 2**bits, `elapsed_s` seconds apart.

    A forward step is believed. A step back is a rollover when the passages it implies fit into the time and into half
    of the counter's range, otherwise a reset: 65530 to 10 in ten minutes is 16 passages, 1000 to 5 is a reset.
    """
    if new >= old:
        return new - old
    wrapped = (new - old) % (1 << bits)
    if bits <= NARROW_BITS:
        return wrapped
    possible = min((1 << bits) // 2, FASTEST_PER_SECOND * max(elapsed_s, 0) + SLACK)
    return wrapped if wrapped <= possible else StepBack.RESET
