"""Clocks that tests turn by hand."""

from datetime import datetime

from edge.clock import to_utc_ms


class ManualClock:
    """A gateway clock that stands still until told to move; it may be untrusted at first, and may step."""

    session = "test"

    def __init__(self, start: datetime, *, trusted: bool = True) -> None:
        self._offset_ms = to_utc_ms(start)
        self._elapsed_ms = 0
        self.trusted = trusted

    def monotonic_ms(self) -> int:
        """Milliseconds since the clock was made."""
        return self._elapsed_ms

    def utc_ms(self, monotonic_ms: int) -> int | None:
        """The UTC time of that moment, by the present offset."""
        return self._offset_ms + monotonic_ms if self.trusted else None

    def advance(self, seconds: float) -> None:
        """Time goes by."""
        self._elapsed_ms += round(seconds * 1000)

    def step(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self._offset_ms += round(seconds * 1000)
