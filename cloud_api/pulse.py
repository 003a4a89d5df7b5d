"""What one worker of ingest did lately: when it committed last, how much, and whose flood it let go.

In come commits and floods from ingest's threads, out comes one value for whoever asks. It remembers minutes alone.
"""

from collections import Counter as Tally
from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import Final

from msgspec import Struct

LOOKED_BACK_MIN: Final = 5
LOOKED_BACK_S: Final = 60 * LOOKED_BACK_MIN
FLOOD_PER_S: Final = 20
"""Messages of one gateway let go unread; as many as the alert `PasserelleGatewayFloods` takes for a flood."""


class IngestGlance(Struct, frozen=True, kw_only=True):
    """How one worker of ingest does: that of the process that was asked."""

    worker: str
    """What tells it apart (`--worker`)."""
    last_commit_at: datetime | None
    """When it last committed facts to the store, UTC; null when it did not since it started."""
    facts_per_minute: float
    """Over the last 5 whole minutes."""
    refused_messages: dict[str, int]
    """Messages since it started that were not what the contract says, by the name of the error."""
    refused_facts: int
    """Facts since it started that the store will never take."""
    flooding: tuple[str, ...] = ()
    """Gateways that had more messages let go unread in the last 5 minutes than a slip explains, by name."""


class Pulse:
    """Guards that what is told of the last minutes costs no more for a busy town. For several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: datetime | None = None
        self._facts = _Minutes()
        self._let_go: dict[str, _Minutes] = {}

    def beat(self, facts: int, at: datetime) -> None:
        """So many facts were committed."""
        if not facts:
            return
        with self._lock:
            self._last = at
            self._facts.add(facts, at)

    def let_go(self, gateway: str, at: datetime) -> None:
        """A message of a gateway was let go unread."""
        with self._lock:
            self._let_go.setdefault(gateway, _Minutes()).add(1, at)

    def glance(
        self, now: datetime, *, worker: str, refused_messages: Mapping[str, int], refused_facts: int
    ) -> IngestGlance:
        """How it does now."""
        with self._lock:
            facts, last = self._facts.before(now), self._last
            flooded = {gateway: minutes.before(now) for gateway, minutes in self._let_go.items()}
        return IngestGlance(
            worker=worker,
            last_commit_at=last,
            facts_per_minute=facts / LOOKED_BACK_MIN,
            refused_messages=dict(refused_messages),
            refused_facts=refused_facts,
            flooding=tuple(sorted(name for name, count in flooded.items() if count > FLOOD_PER_S * LOOKED_BACK_S)),
        )


class _Minutes:
    """Counts of the last minutes."""

    def __init__(self) -> None:
        self._counts: Tally[int] = Tally()

    def add(self, count: int, at: datetime) -> None:
        minute = _minute(at)
        if minute not in self._counts:
            for each in [each for each in self._counts if each < minute - LOOKED_BACK_MIN]:
                del self._counts[each]
        self._counts[minute] += count

    def before(self, now: datetime) -> int:
        """In the last whole minutes."""
        this = _minute(now)
        return sum(self._counts[each] for each in range(this - LOOKED_BACK_MIN, this))


def _minute(at: datetime) -> int:
    return int(at.timestamp() // 60)
