"""What Prometheus reads of what gateways dropped at their outboxes' limits, ever."""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.messages import Dropped


class DroppedMetrics(Collector):
    """The sum of all that was told; told anew as a whole."""

    def __init__(self) -> None:
        self._families: tuple[Metric, ...] = ()

    def tell(self, dropped: Iterable[Dropped]) -> None:
        """All that gateways ever told of it."""
        fewer: Tally[tuple[str, str, str]] = Tally()
        lost: Tally[tuple[str, str]] = Tally()
        for each in dropped:
            fewer[each.gateway, each.what, each.why] += each.messages
            lost.update({(each.gateway, "in"): each.in_, (each.gateway, "out"): each.out})
        messages = CounterMetricFamily(
            "passerelle_gateway_dropped_messages",
            "Messages that a gateway let go of at its outbox's limit, ever; merged ones lost no count",
            labels=["gateway", "what", "why"],
        )
        passages = CounterMetricFamily(
            "passerelle_gateway_dropped_passages",
            "Passages lost because a gateway's outbox had reached its limit, ever",
            labels=["gateway", "direction"],
        )
        for labels, count in fewer.items():
            messages.add_metric(labels, count)
        for direction, count in lost.items():
            passages.add_metric(direction, count)
        self._families = (messages, passages)

    def describe(self) -> list[Metric]:
        """Nothing: what is told depends on the gateways there are."""
        return []

    def collect(self) -> Iterator[Metric]:
        """As of the last telling."""
        yield from self._families
