"""Which gateways are held off the broker for a while, because they send far more than any gateway may. Pure.

In come ingest's counts of what it let go of, by gateway, and the time; out comes who is held off then.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

MOST_LET_GO: Final = 20_000
"""Messages of one gateway within `WITHIN`. One that means well sends 200 again every 10 s, or at each connection."""
WITHIN: Final = timedelta(minutes=1)
HELD_OFF_FOR: Final = timedelta(minutes=10)


class Floods:
    """Guards that nobody is held off for longer than `HELD_OFF_FOR` without flooding again."""

    def __init__(self) -> None:
        self._begin: datetime | None = None
        self._before: Mapping[str, int] = {}
        self._until: dict[str, datetime] = {}

    def held_off(self, let_go: Mapping[str, int], now: datetime) -> dict[str, datetime]:
        """Gateways to hold off now, and until when; later for one that floods again, though it is held off.

        `let_go` are counts since the start. To be asked every few seconds.
        """
        if self._begin is None or now - self._begin >= WITHIN:
            self._begin, self._before = now, let_go
        loud = [name for name, count in let_go.items() if count - self._before.get(name, 0) > MOST_LET_GO]
        self._until = {name: end for name, end in self._until.items() if now < end}
        self._until |= dict.fromkeys(loud, self._begin + HELD_OFF_FOR)
        return dict(self._until)
