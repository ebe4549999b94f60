"""What upload counts, for Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from edge_common.messages import Receipt, ReceiptStatus
from edge_upload.answers import Answer
from edge_upload.cargo import Cargo


class UploadMetrics:
    """Upload's metrics.

    Args:
        registry: Where they are served from.

    Attributes:
        given_up_samples: How many samples were given up since the start.
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
        self.sampled = Counter("edge_upload_sampled_items", "Items sampled, by reason.", ["why"], registry=registry)
        self.over_quota = Counter(
            "edge_upload_over_quota_items", "Items worth sampling that a quota forbade.", registry=registry
        )
        self.late_hints = Counter(
            "edge_upload_late_hints", "Hints about items that were unknown or uploaded.", registry=registry
        )
        self.originals = Counter("edge_upload_originals", "Originals that the store took.", registry=registry)
        self.waiting = Gauge("edge_upload_waiting_samples", "Samples that wait.", ["cargo"], registry=registry)
        self.aside = Gauge("edge_upload_aside_parts", "Parts that cannot be stored.", registry=registry)
        self._given_up = Counter(
            "edge_upload_given_up_samples", "Samples given up, by reason.", ["cargo", "why"], registry=registry
        )
        self.given_up_samples = 0

    def give_up(self, cargo: Cargo, why: str) -> None:
        """Count a sample that is given up."""
        self._given_up.labels(cargo, why).inc()
        self.given_up_samples += 1

    def count(self, answers: Iterable[Answer]) -> None:
        """Count what is answered."""
        for answer in answers:
            if not isinstance(answer, Receipt):
                self.rejected.labels(answer.code).inc()
            elif answer.status in self.answers:
                self.answers[answer.status].inc()
