"""What the broker delivered and ingest has not committed yet: a line of its own for each gateway.

In come deliveries in the broker's order, out come batches for which the gateways take turns. What a gateway has out
beyond the contract is not let in; nobody else waits for it.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from threading import Condition
from typing import Final

from cloud_api.mqtt import Delivery
from edge.messages import MOST_UNCONFIRMED, gateway_of

LONGEST_GATHER_S: Final = 0.05
"""How long a batch may be put off for more messages to join it."""
QUIET_S: Final = 0.005
"""When nothing came for so long, nothing more is waited for."""


class Inbox:
    """Guards that no gateway has more than its share here, and that all is of one connection: the rest comes again."""

    def __init__(self, most_of_one: int = MOST_UNCONFIRMED) -> None:
        self._most_of_one = most_of_one
        self._lines: dict[str, deque[Delivery]] = {}
        """None of them empty; whose turn is next stands first."""
        self._count = 0
        self._connection = 0
        self._more = Condition()

    def put(self, delivery: Delivery) -> bool:
        """Let a delivery in, and forget those of an earlier connection; False when its gateway has its share here."""
        with self._more:
            if delivery.connection != self._connection:
                self._connection = delivery.connection
                self._lines.clear()
                self._count = 0
            line = self._lines.setdefault(gateway_of(delivery.topic), deque())
            if len(line) >= self._most_of_one:
                return False
            line.append(delivery)
            self._count += 1
            self._more.notify()
            return True

    def gather(self, most: int, *, patience_s: float) -> list[Delivery]:
        """What came, after waiting for the first at most `patience_s`, then while more come in quick succession."""
        with self._more:
            self._wait(lambda: self._count > 0, patience_s)
            self._wait_while_growing(most)
            return [self._next() for _ in range(min(most, self._count))]

    def _next(self) -> Delivery:
        gateway = next(iter(self._lines))
        line = self._lines.pop(gateway)
        delivery = line.popleft()
        if line:
            self._lines[gateway] = line
        self._count -= 1
        return delivery

    def _wait_while_growing(self, most: int) -> None:
        for _ in range(int(LONGEST_GATHER_S / QUIET_S)):
            count = self._count
            if not 0 < count < most or not self._wait(partial(self._holds_more_than, count), QUIET_S):
                return

    def _holds_more_than(self, count: int) -> bool:
        return self._count > count

    def _wait(self, condition: Callable[[], bool], patience_s: float) -> bool:
        return self._more.wait_for(condition, patience_s)
