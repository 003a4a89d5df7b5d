"""One link under supervision: restarted alone, with back-off, when it ends, crashes or hangs; closed within seconds.

In comes a link, out go its arrivals and how it does. A link that will not close is left behind, logged and counted; it
stops neither its own restart nor a change of the configuration nor the gateway's end.
"""

import asyncio
import logging
from collections import Counter

from edge.drivers.links.base import Arrival, Inbox, Link, LinkError, Refused
from edge.messages import LinkHealth

log = logging.getLogger(__name__)

UP = "up"
"""The state of a link that is open."""
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 60.0
CLOSE_WITHIN_S = 1.5
"""So long a link may take to close; then it is left behind."""


class Refusals:
    """Counts what was refused by name; the same fault a thousand times is three lines in the log, not a thousand."""

    def __init__(self) -> None:
        self.by_name: Counter[str] = Counter()

    def note(self, link: str, refused: Refused) -> None:
        """Count it, log it at powers of ten, and always with its bytes at debug level."""
        self.by_name[refused.name] += 1
        count = self.by_name[refused.name]
        if str(count).strip("0") == "1":
            log.warning(
                "refused link=%s error=%s count=%d device=%s: %s",
                *(link, refused.name, count, refused.device or "-", refused.reason),
            )
        log.debug("refused bytes link=%s error=%s bytes=%s", link, refused.name, refused.data.hex())


class LinkRunner:
    """Supervises one link: its state in words, its counts, its restarts."""

    def __init__(self, link: Link, counters: Counter[str]) -> None:
        """`counters` are the gateway's: `link_hung` and `link_not_closed` outlive the link."""
        self.link = link
        self._counters = counters
        self._trouble = ""
        self._handing_over = False
        self.frames = 0
        self.restarts = 0
        self.refusals = Refusals()

    async def run(self, inbox: Inbox) -> None:
        """Run the link for ever: whatever ends it but cancellation restarts it, later each time."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            frames = self.frames
            self._trouble = await self._live(inbox)
            self.link.opened.clear()
            backoff_s = FIRST_BACKOFF_S if self.frames > frames else min(2 * backoff_s, LONGEST_BACKOFF_S)
            self.restarts += 1
            log.warning("link=%s %s; again in %.0f s", self.link.name, self.state, backoff_s)
            await asyncio.sleep(backoff_s)

    @property
    def state(self) -> str:
        """`up`, `starting`, or `down: ` and why."""
        if self.link.opened.is_set():
            return UP
        return f"down: {self._trouble}" if self._trouble else "starting"

    def health(self) -> LinkHealth:
        """How it does, for the status message."""
        return LinkHealth(
            name=self.link.name,
            kind=self.link.kind,
            state=self.state,
            frames=self.frames,
            restarts=self.restarts,
            refused=dict(self.refusals.by_name),
        )

    async def _live(self, inbox: Inbox) -> str:
        """One life of the link: why it ended, in words. Cancelled, it closes the link."""

        async def hand_over(arrival: Arrival) -> None:
            self._handing_over = True
            try:
                await inbox(arrival)
            finally:
                self._handing_over = False
                self.link.alive()

        life = asyncio.create_task(self.link.run(hand_over))
        try:
            await self._watch(life)
            return self._why_ended(life)
        finally:
            await self._close(life)

    async def _watch(self, life: asyncio.Task[None]) -> None:
        """Return when the link ended, or gave no sign of life for as long as it said. Waiting for us is no hanging."""
        seen = None
        while not life.done() and (self._handing_over or seen != self.link.signs_of_life):
            seen = self.link.signs_of_life
            await asyncio.wait({life}, timeout=self.link.silence_s)

    def _why_ended(self, life: asyncio.Task[None]) -> str:
        if not life.done():
            self._counters["link_hung"] += 1
            return f"it hangs: no sign of life for {self.link.silence_s:g} s"
        error = asyncio.CancelledError() if life.cancelled() else life.exception()
        match error:
            case None:
                return "it ended by itself"
            case LinkError():
                return f"{error.reason}; {error.advice}"
            case _:
                log.error("link crashed link=%s", self.link.name, exc_info=error)
                return f"{type(error).__name__}: {error}"

    async def _close(self, life: asyncio.Task[None]) -> None:
        life.cancel()
        _, open_still = await asyncio.wait({life}, timeout=CLOSE_WITHIN_S)
        if open_still:
            self._counters["link_not_closed"] += 1
            log.error("link=%s does not close within %g s; it is left behind", self.link.name, CLOSE_WITHIN_S)
