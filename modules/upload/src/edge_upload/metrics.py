"""What upload counts, for Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from edge_common.messages import Receipt, ReceiptStatus
from edge_upload.spool import Answer


class UploadMetrics:
    """Upload's metrics.

    Args:
        registry: Where they are served from.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = {
            ReceiptStatus.ACCEPTED: Counter(
                "edge_upload_accepted_items", "Items that were told to be durable on this device.", registry=registry
            ),
            ReceiptStatus.DEFERRED: Counter(
                "edge_upload_deferred_parts", "Parts that found the spool full.", registry=registry
            ),
            ReceiptStatus.UPLOADED: Counter(
                "edge_upload_uploaded_items", "Items that were told to be in the store.", registry=registry
            ),
        }
        self.rejected = Counter("edge_upload_rejected_items", "Items rejected.", ["code"], registry=registry)
        self.spool_bytes = Gauge("edge_upload_spool_bytes", "What the spool holds.", registry=registry)
        self.spool_items = Gauge("edge_upload_spool_items", "Items that wait for the store.", registry=registry)
        self.shard_seconds = Histogram(
            "edge_upload_shard_seconds", "A shard's way from the outbox into the store.", registry=registry
        )
        self.put_failures = Counter("edge_upload_put_failures", "Shards that the store refused.", registry=registry)

    def count(self, answers: Iterable[Answer]) -> None:
        """Count what is answered."""
        for answer in answers:
            if not isinstance(answer, Receipt):
                self.rejected.labels(answer.code).inc()
            elif answer.status in self.answers:
                self.answers[answer.status].inc()
