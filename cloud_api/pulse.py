"""What one worker of ingest committed lately: when last, and how much in the last minutes.

In come commits from ingest's thread, out comes one value for whoever asks. It remembers minutes, not commits.
"""

from collections import Counter as Tally
from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import Final

from msgspec import Struct

LOOKED_BACK_MIN: Final = 5


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


class Pulse:
    """Guards that what is told of the last minutes costs no more for a busy town. For several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: datetime | None = None
        self._minutes: Tally[int] = Tally()

    def beat(self, facts: int, at: datetime) -> None:
        """So many facts were committed."""
        if not facts:
            return
        minute = _minute(at)
        with self._lock:
            self._last = at
            self._minutes[minute] += facts
            for each in [each for each in self._minutes if each < minute - LOOKED_BACK_MIN]:
                del self._minutes[each]

    def glance(
        self, now: datetime, *, worker: str, refused_messages: Mapping[str, int], refused_facts: int
    ) -> IngestGlance:
        """How it does now."""
        this = _minute(now)
        with self._lock:
            facts = sum(self._minutes[each] for each in range(this - LOOKED_BACK_MIN, this))
            last = self._last
        return IngestGlance(
            worker=worker,
            last_commit_at=last,
            facts_per_minute=facts / LOOKED_BACK_MIN,
            refused_messages=dict(refused_messages),
            refused_facts=refused_facts,
        )


def _minute(at: datetime) -> int:
    return int(at.timestamp() // 60)
