"""What the log says of a broker that goes and comes: one line when it is away, one when it is back and for how long.

In come moments of a monotonic clock, out go lines. A broker that comes and goes all the time gets a pair a minute, with
the number of times; an absence that lasts is always told.
"""

import logging

from edge.seldom import Seldom

log = logging.getLogger(__name__)

LASTS_S = 10.0
"""An absence is told after so long, however lately another was."""


class Absence:
    """Guards that whoever reads the log knows whether the broker is there."""

    def __init__(self) -> None:
        self._seldom = Seldom()
        self._since_s: float | None = None
        self._reason = ""
        self._untold = 0
        """Absences that have no line, the present one included."""

    def begins(self, reason: str, now_s: float) -> None:
        """The broker is away."""
        if self._since_s is not None:
            return
        self._since_s, self._reason = now_s, reason
        self._untold += 1
        if self._seldom.times(now_s):
            self._tell()

    def lasts(self, now_s: float) -> None:
        """It is still away, if it is."""
        if self._since_s is not None and self._untold and now_s - self._since_s >= LASTS_S:
            self._tell()

    def ends(self, host: str, port: int, now_s: float) -> None:
        """The broker is there."""
        since_s, self._since_s = self._since_s, None
        if since_s is None:
            log.info("connected to the broker host=%s port=%d", host, port)
        elif not self._untold:
            log.info("connected to the broker host=%s port=%d after %.0f s without it", host, port, now_s - since_s)

    def _tell(self) -> None:
        log.warning("the broker is away reason=%r; the outbox keeps everything (%d times)", self._reason, self._untold)
        self._untold = 0
