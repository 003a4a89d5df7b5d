"""What Prometheus reads: counts of what ingest did, and what the gateways say of themselves.

In come increments from ingest and the present at the moment of the scrape; out goes text. Counting never fails and
never waits.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.samples import Sample

from cloud_api.dropped_metrics import DroppedMetrics
from cloud_api.feed import ZoneFeed
from cloud_api.feeds.feed_metrics import FeedMetrics
from cloud_api.glance import Watch
from cloud_api.kept import Kept
from cloud_api.kept_metrics import KeptMetrics
from cloud_api.present_metrics import PresentMetrics
from cloud_api.pulse import IngestGlance, Pulse
from edge.messages import Dropped

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """All figures of one API process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.messages = Counter(
            "passerelle_ingest_messages", "Messages committed and answered for", ["kind"], registry=self._registry
        )
        self.facts = Counter("passerelle_ingest_facts", "Facts committed to the store", registry=self._registry)
        self.commits = Histogram(
            "passerelle_ingest_commit_seconds", "Time to commit one batch to the store", registry=self._registry
        )
        self.retries = Counter(
            "passerelle_ingest_store_retries", "Commits that failed and were tried again", registry=self._registry
        )
        self.message_errors = Counter(
            "passerelle_message_errors",
            "Messages that were not what the contract says, by the name of the error",
            ["subscription", "name"],
            registry=self._registry,
        )
        self.refused_facts = Counter(
            "passerelle_refused_facts", "Facts that the store will never take", registry=self._registry
        )
        self.quarantined = Gauge("passerelle_quarantine_facts", "Refused facts that are held", registry=self._registry)
        self.unanswered = Counter(
            "passerelle_ingest_unanswered",
            "Messages not answered for, which their gateway keeps: quarantine full, or the answer not sent",
            registry=self._registry,
        )
        self.flood = Counter(
            "passerelle_ingest_flood_messages",
            "Messages let go unread because their gateway had more out unconfirmed than it may; it sends them again",
            ["gateway"],
            registry=self._registry,
        )
        self.pulse = Pulse()
        self._dropped = DroppedMetrics()
        self._registry.register(self._dropped)
        self.feeds = FeedMetrics(self._registry)

    def watch(self, watch: Watch, feed: ZoneFeed, kept: Callable[[], Kept | None]) -> None:
        """Tell the present at every scrape; `text` must then be called from the thread that owns it."""
        self._registry.register(PresentMetrics(watch, feed))
        self._registry.register(KeptMetrics(kept))

    def tell_dropped(self, dropped: Iterable[Dropped]) -> None:
        """All that gateways ever told of it."""
        self._dropped.tell(dropped)

    def ingest(self, worker: str, now: datetime) -> IngestGlance:
        """How ingest does in this process."""
        refused = {
            f"{sample.labels['name']} ({sample.labels['subscription']})": round(sample.value)
            for sample in _samples(self.message_errors)
        }
        (refused_facts,) = (round(sample.value) for sample in _samples(self.refused_facts))
        return self.pulse.glance(now, worker=worker, refused_messages=refused, refused_facts=refused_facts)

    def text(self) -> bytes:
        """All figures in Prometheus's text format."""
        return generate_latest(self._registry)


def _samples(counter: Counter) -> list[Sample]:
    """What a counter counted, without the times at which it began."""
    return [sample for family in counter.collect() for sample in family.samples if sample.name.endswith("_total")]
