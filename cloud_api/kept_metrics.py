"""What Prometheus reads of files and databases, as they were last looked at: a scrape waits for none of them."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cloud_api.kept import Kept

NEVER_S = 0.0


class KeptMetrics(Collector):
    """Tells what was last found; nothing of what could not be asked."""

    def __init__(self, kept: Callable[[], Kept | None]) -> None:
        self._kept = kept

    def describe(self) -> list[Metric]:
        """Nothing: what is told depends on who is enrolled."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Whether they answer, the last backup and the certificates of gateways."""
        backup = GaugeMetricFamily(
            "passerelle_backup_timestamp_seconds", "When the last backup of the town began; 0 where none was made"
        )
        ends = GaugeMetricFamily(
            "passerelle_gateway_certificate_end_timestamp_seconds",
            "When the certificate ends that the gateway was given",
            labels=["gateway"],
        )
        store = GaugeMetricFamily("passerelle_store_up", "1 while the store, and the ledger beside it, answer")
        registry = GaugeMetricFamily("passerelle_registry_up", "1 while the registry answers")
        kept = self._kept()
        if kept is not None:
            store.add_metric([], kept.store_problem is None)
            registry.add_metric([], kept.registry_problem is None)
        if kept is not None and kept.registry_problem is None:
            backup.add_metric([], NEVER_S if kept.backup is None else kept.backup.at.timestamp())
            for gateway, at in kept.gateway_certificates.items():
                ends.add_metric([gateway], at.timestamp())
        yield from (store, registry, backup, ends)
