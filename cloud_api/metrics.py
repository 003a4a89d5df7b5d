"""What Prometheus reads: counts of what ingest did, and what the gateways say of themselves.

In come increments from ingest and the present at the moment of the scrape; out goes text. Counting never fails and
never waits.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cloud_api.feed import ZoneFeed
from cloud_api.feeds.feed_metrics import FeedMetrics
from cloud_api.live import Live
from cloud_api.registry.current import CurrentRegistry
from cloud_api.zones import SpaceView
from edge.messages import Dropped, Status

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
        self._dropped = Gauge(
            "passerelle_gateway_dropped_messages",
            "Messages that a gateway let go of at its outbox's limit, ever; merged ones lost no count",
            ["gateway", "what", "why"],
            registry=self._registry,
        )
        self._lost = Gauge(
            "passerelle_gateway_dropped_passages",
            "Passages lost because a gateway's outbox had reached its limit, ever",
            ["gateway", "direction"],
            registry=self._registry,
        )

        self.feeds = FeedMetrics(self._registry)

    def watch(self, live: Live, registry: CurrentRegistry, feed: ZoneFeed) -> None:
        """Tell the present at every scrape; `text` must then be called from the thread that owns it."""
        self._registry.register(_Present(live, registry, feed))

    def tell_dropped(self, dropped: Iterable[Dropped]) -> None:
        """All that gateways ever told of it."""
        fewer: Tally[tuple[str, str, str]] = Tally()
        lost: Tally[tuple[str, str]] = Tally()
        for each in dropped:
            fewer[each.gateway, each.what, each.why] += each.messages
            lost.update({(each.gateway, "in"): each.in_, (each.gateway, "out"): each.out})
        for labels, count in fewer.items():
            self._dropped.labels(*labels).set(count)
        for direction, count in lost.items():
            self._lost.labels(*direction).set(count)

    def text(self) -> bytes:
        """All figures in Prometheus's text format."""
        return generate_latest(self._registry)


class _Present(Collector):
    def __init__(self, live: Live, registry: CurrentRegistry, feed: ZoneFeed) -> None:
        self._live = live
        self._registry = registry
        self._feed = feed

    def describe(self) -> list[Metric]:
        """Nothing: what is told depends on the gateways there are."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The gateways' own words, and the spaces as of the last look."""
        statuses = [news.status for news in self._live.gateways.values()]
        yield from _gateway_metrics(statuses)
        yield from _link_metrics(statuses)
        yield _space_metrics(self._spaces())
        yield GaugeMetricFamily(
            "passerelle_registry_revision",
            "Changes of the registry that are in use here",
            value=self._registry.revision,
        )
        yield GaugeMetricFamily(
            "passerelle_stream_listeners", "Listeners of the parking stream", value=self._feed.stream.listeners
        )

    def _spaces(self) -> Iterator[SpaceView]:
        for zone in self._feed.details().values():
            yield from zone.spaces


def _gateway_metrics(statuses: list[Status]) -> Iterator[Metric]:
    online = GaugeMetricFamily("passerelle_gateway_online", "1 while the gateway is on line", labels=["gateway"])
    queued = GaugeMetricFamily(
        "passerelle_gateway_queued_messages",
        "Messages in its outbox that the store has not confirmed",
        labels=["gateway"],
    )
    events = CounterMetricFamily(
        "passerelle_gateway_events", "What a gateway counted since it started, by name", labels=["gateway", "event"]
    )
    for status in statuses:
        online.add_metric([status.gateway], status.online)
        queued.add_metric([status.gateway], status.queued)
        for name, count in status.counters.items():
            events.add_metric([status.gateway, name], count)
    yield from (online, queued, events)


def _link_metrics(statuses: list[Status]) -> Iterator[Metric]:
    up = GaugeMetricFamily("passerelle_link_up", "1 while the link is up", labels=["gateway", "link"])
    frames = CounterMetricFamily(
        "passerelle_link_frames", "Frames taken in since the gateway started", labels=["gateway", "link"]
    )
    restarts = CounterMetricFamily("passerelle_link_restarts", "Restarts of the link", labels=["gateway", "link"])
    refused = CounterMetricFamily(
        "passerelle_link_refused",
        "What the link refused, by the name of the error",
        labels=["gateway", "link", "reason"],
    )
    for status in statuses:
        for link in status.links:
            labels = [status.gateway, link.name]
            up.add_metric(labels, link.state == "up")
            frames.add_metric(labels, link.frames)
            restarts.add_metric(labels, link.restarts)
            for reason, count in link.refused.items():
                refused.add_metric([*labels, reason], count)
    yield from (up, frames, restarts, refused)


def _space_metrics(spaces: Iterable[SpaceView]) -> Metric:
    tally = Tally((space.status, space.trust) for space in spaces)
    family = GaugeMetricFamily(
        "passerelle_spaces", "Parking spaces by status and by trust in their sensor", labels=["status", "trust"]
    )
    for (status, trust), count in sorted(tally.items()):
        family.add_metric([status, trust], count)
    return family
