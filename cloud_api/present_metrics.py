"""What Prometheus reads of the present: the town at one glance, links, spaces, listeners."""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cloud_api.feed import ZoneFeed
from cloud_api.glance import GatewayGlance, Glance, Watch
from cloud_api.zones import SpaceView
from edge.messages import CLOCK_TRUSTED, Status


class PresentMetrics(Collector):
    """Tells the present at the moment of the scrape, on the thread that owns it."""

    def __init__(self, watch: Watch, feed: ZoneFeed) -> None:
        self._watch = watch
        self._feed = feed

    def describe(self) -> list[Metric]:
        """Nothing: what is told depends on the gateways there are."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The glance, the gateways' own words, and the spaces as of the last look."""
        glance = self._watch.look()
        statuses = [news.status for news in self._watch.live.gateways.values()]
        yield from _gateway_metrics(glance.gateways)
        yield from _machine_metrics(glance.gateways)
        yield _event_metrics(statuses)
        yield from _link_metrics(statuses)
        yield from _platform_metrics(glance)
        yield _sensor_metrics(glance)
        yield _space_metrics(self._spaces())
        yield GaugeMetricFamily(
            "passerelle_registry_revision",
            "Changes of the registry that are in use here",
            value=self._watch.places.revision,
        )
        yield GaugeMetricFamily(
            "passerelle_stream_listeners", "Listeners of the parking stream", value=self._feed.stream.listeners
        )

    def _spaces(self) -> Iterator[SpaceView]:
        for zone in self._feed.details().values():
            yield from zone.spaces


def _gateway_metrics(gateways: Iterable[GatewayGlance]) -> Iterator[Metric]:
    online = GaugeMetricFamily("passerelle_gateway_online", "1 while the gateway is on line", labels=["gateway"])
    told = GaugeMetricFamily(
        "passerelle_gateway_status_timestamp_seconds", "When the gateway last said how it does", labels=["gateway"]
    )
    queued = GaugeMetricFamily(
        "passerelle_gateway_queued_messages",
        "Messages in its outbox that the store has not confirmed",
        labels=["gateway"],
    )
    for each in gateways:
        online.add_metric([each.name], each.online)
        queued.add_metric([each.name], each.queued)
        if each.told_at is not None:
            told.add_metric([each.name], each.told_at.timestamp())
    yield from (online, told, queued)


def _machine_metrics(gateways: Iterable[GatewayGlance]) -> Iterator[Metric]:
    """What gateways say of the machines that they run on; those that never said it are left out."""
    trusted = GaugeMetricFamily(
        "passerelle_gateway_clock_trusted", "1 while the gateway trusts its clock", labels=["gateway"]
    )
    ahead = GaugeMetricFamily(
        "passerelle_gateway_clock_ahead_seconds",
        "So far its clock is ahead of ours, with the way of the message in it",
        labels=["gateway"],
    )
    free = GaugeMetricFamily(
        "passerelle_gateway_disk_free_bytes", "Free space on the disk of its outbox", labels=["gateway"]
    )
    size = GaugeMetricFamily("passerelle_gateway_disk_size_bytes", "Size of that disk", labels=["gateway"])
    for each in gateways:
        told = (
            (trusted, None if each.clock is None else each.clock == CLOCK_TRUSTED),
            (ahead, each.clock_ahead_s),
            (free, each.disk_free_bytes),
            (size, each.disk_size_bytes),
        )
        for family, value in told:
            if value is not None:
                family.add_metric([each.name], value)
    yield from (trusted, ahead, free, size)


def _event_metrics(statuses: Iterable[Status]) -> Metric:
    events = CounterMetricFamily(
        "passerelle_gateway_events", "What a gateway counted since it started, by name", labels=["gateway", "event"]
    )
    for status in statuses:
        for name, count in status.counters.items():
            events.add_metric([status.gateway, name], count)
    return events


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


def _platform_metrics(glance: Glance) -> Iterator[Metric]:
    free = GaugeMetricFamily(
        "passerelle_disk_free_bytes", "Free space on the disk under a file of the platform", labels=["file"]
    )
    size = GaugeMetricFamily("passerelle_disk_size_bytes", "Size of that disk", labels=["file"])
    for disk in glance.disks:
        free.add_metric([disk.file], disk.free_bytes)
        size.add_metric([disk.file], disk.size_bytes)
    connected = GaugeMetricFamily(
        "passerelle_broker_connected", "1 while messages come in by this connection", labels=["connection"]
    )
    for each in glance.connections:
        connected.add_metric([each.name], each.problem is None)
    ends = GaugeMetricFamily(
        "passerelle_certificate_end_timestamp_seconds",
        "When the first certificate of a file that the API was given ends",
        labels=["certificate"],
    )
    for certificate in glance.certificates:
        ends.add_metric([certificate.name], certificate.ends_at.timestamp())
    yield from (free, size, connected, ends)


def _sensor_metrics(glance: Glance) -> Metric:
    family = GaugeMetricFamily(
        "passerelle_sensors", "Installed sensors by what they serve and by trust in them", labels=["kind", "trust"]
    )
    for each in glance.sensors.tallies:
        family.add_metric([each.kind, each.trust], each.sensors)
    return family


def _space_metrics(spaces: Iterable[SpaceView]) -> Metric:
    tally = Tally((space.status, space.trust) for space in spaces)
    family = GaugeMetricFamily(
        "passerelle_spaces", "Parking spaces by status and by trust in their sensor", labels=["status", "trust"]
    )
    for (status, trust), count in sorted(tally.items()):
        family.add_metric([status, trust], count)
    return family
