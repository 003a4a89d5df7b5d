"""Which gateways are held off the broker for a while, because they send far more than any gateway may. Pure.

In come ingest's counts of what it let go of, by gateway, and the time; out comes who is held off then.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from edge.messages import MOST_UNCONFIRMED

WITHIN: Final = timedelta(minutes=1)


class FloodLimits(Struct, frozen=True, kw_only=True):
    """What a gateway may send before it is let go of, then held off."""

    share: int = MOST_UNCONFIRMED
    """Messages of one gateway that wait to be committed; what is beyond is let go."""
    most_let_go: int = 20_000
    """Messages of one gateway within `WITHIN`. One that means well has at most 20 out on a new connection before one is
    confirmed, an older one 200, and waits for a second between two connections: 12,000."""
    held_off_for: timedelta = timedelta(minutes=10)


class Floods:
    """Guards that nobody is held off for longer than the limits say without flooding again."""

    def __init__(self, limits: FloodLimits) -> None:
        self.limits = limits
        self._begin: datetime | None = None
        self._before: Mapping[str, int] = {}
        self._until: dict[str, datetime] = {}

    def held_off(self, let_go: Mapping[str, int], now: datetime) -> dict[str, datetime]:
        """Gateways to hold off now, and until when; later for one that floods again, though it is held off.

        `let_go` are counts since the start. To be asked every few seconds.
        """
        if self._begin is None or now - self._begin >= WITHIN:
            self._begin, self._before = now, let_go
        most = self.limits.most_let_go
        loud = [name for name, count in let_go.items() if count - self._before.get(name, 0) > most]
        self._until = {name: end for name, end in self._until.items() if now < end}
        self._until |= dict.fromkeys(loud, self._begin + self.limits.held_off_for)
        return dict(self._until)
