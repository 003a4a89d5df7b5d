"""How often a caller may ask: a leaky bucket per caller, in one number each (the generic cell rate algorithm).

In come callers and the time, out comes how long to wait. A bucket that has run empty holds nothing to remember, so what
is kept is bounded by who asked within the last seconds.
"""

from typing import Final

from msgspec import Struct

SECOND_NS: Final = 1_000_000_000
MOST_CALLERS: Final = 100_000
OTHERS: Final = ""
"""The bucket that is shared by whoever comes when there are too many."""


class Rate(Struct, frozen=True, kw_only=True):
    """So many requests a second in the long run, and so many at once."""

    per_s: float
    burst: int


class Limits(Struct, frozen=True, kw_only=True):
    """How often one may ask."""

    address: Rate = Rate(per_s=100, burst=1000)
    """An address may be a whole mobile network's: this keeps out floods, not crowds."""
    key: Rate = Rate(per_s=500, burst=5000)
    enrolment: Rate = Rate(per_s=0.2, burst=10)
    """Codes that one address may try: a slip of the hand or two, and no guessing."""


class RateLimiter:
    """Guards that no caller exceeds the rate. Belongs to one thread."""

    def __init__(self, rate: Rate) -> None:
        self._interval_ns = round(SECOND_NS / rate.per_s)
        self._depth_ns = rate.burst * self._interval_ns
        self._empty_at: dict[str, int] = {}
        """When each caller's bucket will have run empty, on the clock of `now`."""

    def wait_ns(self, caller: str, now: int) -> int:
        """Count one request; 0, or after how long to try again. What has to wait is not counted.

        `now`: nanoseconds of a clock that never steps.
        """
        if caller not in self._empty_at and len(self._empty_at) >= MOST_CALLERS:
            caller = self._make_room(caller, now)
        empty_at = max(self._empty_at.get(caller, now), now) + self._interval_ns
        if empty_at - now > self._depth_ns:
            return empty_at - now - self._depth_ns
        self._empty_at[caller] = empty_at
        return 0

    def _make_room(self, caller: str, now: int) -> str:
        self._empty_at = {each: at for each, at in self._empty_at.items() if at > now}
        return caller if len(self._empty_at) < MOST_CALLERS else OTHERS
