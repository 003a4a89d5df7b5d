"""Log lines that could be written thousands of times: each at once when it comes up, then at most once a minute."""

import math

SELDOM_S = 60.0


class Seldom:
    """One such line. Guards that it is never due twice within `SELDOM_S`."""

    def __init__(self) -> None:
        self._due_again_s = -math.inf
        self._times = 0

    def times(self, now_s: float) -> int:
        """How often it came up since it was last written, this time included; 0 when it is not to be written now."""
        self._times += 1
        if now_s < self._due_again_s:
            return 0
        times, self._times = self._times, 0
        self._due_again_s = now_s + SELDOM_S
        return times
