"""The broker's messages into the present, as they come: retained ones first, then what happens.

In come statuses, space states, health and flows over a plain subscription; out go touches to the feed. State is
touched on the event loop only. A message is acknowledged when it is handed over: what an end of this process loses,
the next one gets from the broker and the store.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import datetime
from queue import Queue
from typing import Final

from cloud_api.feed import COALESCE_S, ZoneFeed
from cloud_api.ledger import Ledger
from cloud_api.live import Live
from cloud_api.metrics import Metrics
from cloud_api.mqtt import Connection, Delivery, Subscription
from cloud_api.settings import Broker
from cloud_api.stores.base import Store, StoreError
from edge import messages
from edge.messages import MessageError

log = logging.getLogger(__name__)

WINDOW: Final = 500
"""Messages handed to the event loop and not worked off; the network waits when there are more."""
FLOOD: Final = 20
"""More messages than this between two looks are a flood (we have just come, and the broker tells all it retained)."""
FLOOD_PAUSE_S: Final = 0.25
"""During a flood the zones are looked at no more often than this: looking at them all the time would hold it up."""
RETRY_S: Final = (0.5, 30.0)
"""First and longest pause before the store is asked again for the last states."""
BYTES_LOGGED: Final = 600
TOPICS: Final = (
    messages.topic("+", "status"),
    messages.topic("+", "space", "+"),
    messages.topic("+", "health", "+"),
    messages.topic("+", "flow"),
)


class Follower:
    """Keeps a `Live` up to date and its feed looking; made and run on the event loop that owns them."""

    def __init__(
        self,
        broker: Broker,
        *,
        worker: str,
        live: Live,
        feed: ZoneFeed,
        metrics: Metrics,
        clock: Callable[[], datetime],
    ) -> None:
        """Raises `ConfigError` when the broker's credentials cannot be read."""
        self._live = live
        self._feed = feed
        self._metrics = metrics
        self._clock = clock
        self._recalled = False
        self._inbox: Queue[Delivery] = Queue(WINDOW)
        self._drain_due = False
        self._taken = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        subscription = Subscription(
            client_id=f"passerelle-live-{worker}-{secrets.token_hex(4)}", topics=TOPICS, window=WINDOW
        )
        self._connection = Connection(broker, subscription, self._hand_over)

    @property
    def problem(self) -> str | None:
        """Why the present may be missing news; None while all is well."""
        return self._connection.problem or (None if self._recalled else "the last states are not recalled yet")

    async def run(self) -> None:
        """Follow until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._connection.start()
        try:
            while True:
                await self._feed.changed()
                self._feed.look(self._clock())
                flooded, self._taken = self._taken > FLOOD, 0
                await asyncio.sleep(FLOOD_PAUSE_S if flooded else COALESCE_S)
        finally:
            await asyncio.to_thread(self._connection.stop)

    async def recall(self, store: Store, ledger: Ledger) -> None:
        """Take in the last states and health that were kept; asks again for as long as the store does not answer."""
        pause_s, longest_s = RETRY_S
        while True:
            try:
                spaces = await asyncio.to_thread(store.last_states)
                health = await asyncio.to_thread(ledger.health)
            except StoreError as error:
                log.warning("the last states are not there yet, next attempt in %g s: %s", pause_s, error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, longest_s)
                continue
            now = self._clock()
            self._feed.touch(self._live.remember_health(health, now) | self._live.remember(spaces, now))
            self._recalled = True
            return

    async def recall_newcomers(self, store: Store, ledger: Ledger) -> None:
        """Take in the last words once more, for devices that the registry did not know when they came."""
        self._connection.ask_again()
        await self.recall(store, ledger)

    def _hand_over(self, delivery: Delivery) -> None:
        """Called on the network's thread, which waits here while the event loop is behind."""
        self._inbox.put(delivery)
        if self._loop is not None and not self._drain_due:
            self._drain_due = True
            self._loop.call_soon_threadsafe(self._drain)
        self._connection.acknowledge(delivery)

    def _drain(self) -> None:
        self._drain_due = False  # first: what comes while we empty the inbox must ask again
        for _ in range(self._inbox.qsize()):
            self._take(self._inbox.get_nowait())

    def _take(self, delivery: Delivery) -> None:
        self._taken += 1
        try:
            message = messages.decode(delivery.topic, delivery.body)
        except MessageError as error:
            self._metrics.message_errors.labels("live", error.name).inc()
            log.debug("%s; bytes %r", error, delivery.body[:BYTES_LOGGED])
        else:
            self._feed.touch(self._live.take(message, self._clock(), retained=delivery.retained))
