"""What ingest shows at ``/metrics``."""

from prometheus_client import Counter, Gauge, Histogram

from edge_common.metrics import Metrics
from edge_ingest.ledger.summary import Summary


class Meters:
    """Ingest's metrics.

    Args:
        metrics: The module's registry.
    """

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self.items = Gauge("edge_ingest_items", "Items in the ledger, by state.", ["state"], registry=registry)
        self.sent = Counter("edge_ingest_sent_items", "Items sent, each time counted.", registry=registry)
        self.lost = Counter("edge_ingest_lost_leases", "Leases that ended without an answer.", registry=registry)
        self.quarantined = Counter(
            "edge_ingest_quarantined_items", "Items quarantined, by code.", ["code"], registry=registry
        )
        self.accepted = Histogram(
            "edge_ingest_accepted_seconds",
            "Seconds from a file's first sight to its acceptance.",
            buckets=(0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600, 86_400),
            registry=registry,
        )

        self.left_alone = Gauge(
            "edge_ingest_left_alone",
            "Pipes, sockets and devices on the share, which are left alone.",
            registry=registry,
        )
        self.paused = Gauge("edge_ingest_paused", "Whether sending is paused (1) or not (0).", registry=registry)

    def show(self, summary: Summary, *, paused: bool) -> None:
        """Set the gauges."""
        self.paused.set(paused)
        for state, items in summary.items.items():
            self.items.labels(state).set(items)
