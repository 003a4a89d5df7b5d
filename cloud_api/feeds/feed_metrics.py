"""What Prometheus reads of others' feeds."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class FeedMetrics:
    """What was asked and what came of it, for each feed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reads = Counter(
            "passerelle_feed_reads",
            "Attempts to read a feed, by what came of them",
            ["feed", "outcome"],
            registry=registry,
        )
        self.refused = Counter(
            "passerelle_feed_refused_lots", "Car parks refused for what was said of them", ["feed"], registry=registry
        )
        self.lots = Gauge("passerelle_feed_lots", "Car parks in the last document", ["feed"], registry=registry)
        self.read_at = Gauge(
            "passerelle_feed_read_timestamp_seconds", "When the feed last answered", ["feed"], registry=registry
        )
