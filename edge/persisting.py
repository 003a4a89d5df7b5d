"""What is asked of the outbox, tried for as long as the disk refuses: a full card must not end a gateway.

In comes what blocks on the disk, out comes what it gave. Whoever waits for it acknowledges nothing meanwhile.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from edge.link_runner import FIRST_BACKOFF_S, LONGEST_BACKOFF_S
from edge.outbox import OutboxError

log = logging.getLogger(__name__)

T = TypeVar("T")


class Persisting:
    """Counts how often the disk refused (`refusals`): who waits for it makes progress, and does not hang."""

    def __init__(self) -> None:
        self.refusals = 0

    async def __call__(self, operate: Callable[[], T]) -> T:
        """What `operate` gives, in a thread; one line says when the outbox works again."""
        backoff_s, attempts = FIRST_BACKOFF_S, 1
        while True:
            try:
                result = await asyncio.to_thread(operate)
                break
            except OutboxError as error:
                self.refusals += 1
                log.critical("cannot use the outbox: %s; again in %.0f s", error, backoff_s)
                await asyncio.sleep(backoff_s)
                backoff_s, attempts = min(2 * backoff_s, LONGEST_BACKOFF_S), attempts + 1
        if attempts > 1:
            log.warning("the outbox works again after %d attempts", attempts)
        return result
