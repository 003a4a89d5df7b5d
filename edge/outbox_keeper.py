"""Keeps an outbox within its limits for as long as a gateway runs, and says what that costs.

In come limits and a clock; out go counts and one line for each trimming. Gives the disk as long as it takes.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Protocol, TypeVar

from edge.clock import Clock, to_datetime
from edge.messages import Dropped
from edge.outbox import Outbox
from edge.trimming import Limits

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_EVERY_S = 1.0
WORDS = {
    "trimmed_health": "reports of health dropped: {}",
    "trimmed_merged": "messages with counts merged into hours: {}",
    "trimmed_space": "superseded states of spaces dropped: {}",
    "trimmed_flow": "messages with counts dropped: {}",
    "passages_lost": "passages lost: {}",
}
"""What is counted, by its name in the status, and how it is said."""


class Persist(Protocol):
    """What works on the outbox for however long the disk refuses."""

    async def __call__(self, operate: Callable[[], T], /) -> T:
        """What `operate` gives."""


class OutboxKeeper:
    """Counts what gave way since the gateway started."""

    def __init__(self, outbox: Outbox, clock: Clock, limits: Limits) -> None:
        self._outbox = outbox
        self._clock = clock
        self._limits = limits
        self._today: date | None = None
        self._lately: Counter[str] = Counter()
        self._trimmed: Counter[str] = Counter()
        self._has_warned = False

    @property
    def counters(self) -> Counter[str]:
        """`trimmed_health`, `trimmed_merged`, `trimmed_space`, `trimmed_flow`, `passages_lost`, `waiting_dropped`."""
        return self._trimmed + Counter(waiting_dropped=self._outbox.waiting_dropped)

    async def run(self, persist: Persist, on_told: Callable[[], None]) -> None:
        """Look every second until cancelled; `on_told` is called when there is news of it in the outbox."""
        while True:
            await self._begin_day(persist)
            while (relief := await persist(partial(self._outbox.trim, self._limits))) is not None:
                self._count(relief.told)
            if self._lately:
                self._say()
                on_told()
            self._warn_of_waiting()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _begin_day(self, persist: Persist) -> None:
        now_ms = self._clock.utc_ms(self._clock.monotonic_ms())
        today = None if now_ms is None else to_datetime(now_ms).date()
        if today is not None and today != self._today:
            await persist(partial(self._outbox.begin_day, today))
            self._today = today

    def _count(self, told: Dropped | None) -> None:
        if told is not None:
            self._lately += Counter({f"trimmed_{told.what}": told.messages, "passages_lost": told.in_ + told.out})

    def _say(self) -> None:
        says = ", ".join(text.format(self._lately[name]) for name, text in WORDS.items() if self._lately[name])
        log.warning("the outbox had reached its limit: %s", says)
        self._trimmed += self._lately
        self._lately = Counter()

    def _warn_of_waiting(self) -> None:
        dropped = self._outbox.waiting_dropped
        if dropped and not self._has_warned:
            log.warning("too many observations wait for the time: the oldest are dropped, %d so far", dropped)
            self._has_warned = True
