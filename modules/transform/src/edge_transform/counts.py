"""What transform counts, for ``/metrics``."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


@dataclass(frozen=True)
class Counts:
    """Transform's metrics.

    Attributes:
        items: Items by outcome: ``ok``, ``expired``, ``overflow``, or a reject's code.
        seconds: To read, decode and prepare one item.
        trial_seconds: The same on trial, where it gives way to everything else.
        rows: Rows in a batch.
    """

    items: Counter
    seconds: Histogram
    trial_seconds: Histogram
    rows: Histogram

    @classmethod
    def of(cls, registry: CollectorRegistry, store_bytes: Callable[[], int]) -> "Counts":
        """Register them.

        Args:
            registry: The module's.
            store_bytes: What the batches in the tensor store take.
        """
        Gauge("edge_transform_store_bytes", "Bytes in the tensor store.", registry=registry).set_function(store_bytes)
        return cls(
            Counter("edge_transform_items", "Items by outcome.", ["outcome"], registry=registry),
            Histogram("edge_transform_item_seconds", "To read, decode and prepare one item.", registry=registry),
            Histogram("edge_transform_trial_seconds", "To prepare one sample on trial.", registry=registry),
            Histogram(
                "edge_transform_batch_rows",
                "Rows in a batch.",
                buckets=[2**power for power in range(11)],
                registry=registry,
            ),
        )
