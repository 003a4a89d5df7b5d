"""The simulated time, as the gateway asks for it."""

from collections.abc import Callable
from datetime import datetime

from edge.clock import to_utc_ms


class TownClock:
    """The simulated time as the gateway's clock: milliseconds since 1970, so that a second start goes on with it."""

    session = "simulated"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def monotonic_ms(self) -> int:
        """Simulated milliseconds since 1970."""
        return to_utc_ms(self._now())

    def utc_ms(self, monotonic_ms: int) -> int | None:
        """The same: the simulated clock is always trusted."""
        return monotonic_ms
