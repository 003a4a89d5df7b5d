"""Between a sensor and its network server: frames get lost, come twice, late, and in another order.

In come uplinks beat by beat, out come those that arrive now. What is lost is written down: nobody acknowledged it. The
same seed gives each frame the same fate, however the rest of the run goes.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from tests.chaos.sensors import Uplink

LONGEST_DELAY = 4
"""Beats that a frame may come late."""


class Fate(StrEnum):
    """What becomes of a frame on its way."""

    ARRIVES = "arrives"
    LOST = "uplink lost"
    TWICE = "uplink twice"
    LATE = "uplink late"
    AGAIN_LATE = "uplink repeated late"


WEIGHTS = {Fate.ARRIVES: 82, Fate.LOST: 3, Fate.TWICE: 4, Fate.LATE: 8, Fate.AGAIN_LATE: 3}


@dataclass(slots=True)
class Air:
    """All frames under way."""

    seed: str
    rough: bool
    """Without, every frame arrives once and at once."""
    beat: int = 0
    fates: dict[Fate, int] = field(default_factory=lambda: defaultdict(int))
    swallowed: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Frame counters that nobody ever heard, by address."""
    _late: dict[int, list[Uplink]] = field(default_factory=lambda: defaultdict(list))

    def carry(self, uplinks: list[Uplink]) -> list[Uplink]:
        """One beat: what arrives now, of these and of those that were late."""
        self.beat += 1
        arriving = self._late.pop(self.beat, [])
        for uplink in uplinks:
            arriving.extend(self._now(uplink))
        return arriving

    def clear(self) -> list[Uplink]:
        """The air is good from now on; all that was late arrives."""
        self.rough = False
        late = [uplink for beat in sorted(self._late) for uplink in self._late[beat]]
        self._late.clear()
        return late

    def _now(self, uplink: Uplink) -> list[Uplink]:
        """How often the frame arrives now. The first of a sensor always does: what was before it nobody knows."""
        draws = Random(f"{self.seed}/{uplink.address}/{uplink.counter}")
        fate = draws.choices(list(WEIGHTS), list(WEIGHTS.values()))[0] if self._rough_for(uplink) else Fate.ARRIVES
        self.fates[fate] += 1
        if fate is Fate.LOST:
            self.swallowed[uplink.address].add(uplink.counter)
        if fate in {Fate.LATE, Fate.AGAIN_LATE}:
            self._late[self.beat + draws.randint(1, LONGEST_DELAY)].append(uplink)
        return [uplink] * {Fate.LOST: 0, Fate.LATE: 0, Fate.TWICE: 2}.get(fate, 1)

    def _rough_for(self, uplink: Uplink) -> bool:
        return self.rough and uplink.counter > 1
