"""What came of asking one feed again and again: counted each time, and told in the log now and then."""

import logging
from collections.abc import Callable
from datetime import datetime

from cloud_api.feeds.feed_metrics import FeedMetrics

log = logging.getLogger(__name__)


class Attempts:
    """Guards that a feed's trouble is told when it begins, at the tenth and the hundredth time, and when it is over."""

    def __init__(self, name: str, operator: str, metrics: FeedMetrics, clock: Callable[[], datetime]) -> None:
        self._name = name
        self._operator = operator
        self._metrics = metrics
        self._clock = clock
        self.failures = 0
        """In a row, until now."""

    def succeeded(self, outcome: str) -> None:
        """It answered."""
        if self.failures:
            log.info("feed=%s answers again", self._name)
        self.failures = 0
        self._metrics.reads.labels(self._name, outcome).inc()
        self._metrics.read_at.labels(self._name).set(self._clock().timestamp())

    def failed(self, outcome: str, trouble: str) -> None:
        """It did not, or nothing could be made of it."""
        self.failures += 1
        if str(self.failures).strip("0") == "1":
            log.warning("feed=%s operator=%s failures=%d: %s", self._name, self._operator, self.failures, trouble)
        self._metrics.reads.labels(self._name, outcome).inc()
