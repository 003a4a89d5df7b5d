"""The past: what the town's sensors would have sent in the days before now.

In come the town and a number of days, out come uplinks in order of time, with how much of the time is told so far. The
radar speaks only while somebody walks by, and every ten seconds: ten empty frames a second would tell no more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from firmware_sim.sensors import Span, Uplink, latest, uplinks
from firmware_sim.town import Town

RADAR_IDLE_MS = 10_000


@dataclass(frozen=True, slots=True)
class History:
    """What was sent at `start` <= t < `end`, and before that each sensor's last word, from which its counts go on."""

    town: Town
    start: datetime
    end: datetime

    @property
    def total_s(self) -> int:
        """Length in seconds: the whole of a progress bar."""
        return int((self.end - self.start).total_seconds())

    def told_s(self, uplink: Uplink) -> int:
        """Seconds of history told when this uplink has been: the bar's position."""
        return max(0, int((uplink.at - self.start).total_seconds()))

    def __iter__(self) -> Iterator[Uplink]:
        """Every uplink, in order of time."""
        yield from latest(self.town, self.start)
        yield from uplinks(Span(self.town, self.start, self.end, RADAR_IDLE_MS))


def last_days(town: Town, days: int, now: datetime) -> History:
    """The `days` before `now`, from a full hour on; no further back than the town's opening."""
    start = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    return History(town, max(start, town.opened), now)
