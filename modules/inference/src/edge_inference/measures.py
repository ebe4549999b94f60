"""What the inference module counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from edge_common.messages import ModelIdentity
from edge_inference.model import LoadedModel


class Measures:
    """The module's metrics.

    Args:
        registry: Where they are kept.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.run_seconds = Histogram(
            "edge_inference_run_seconds",
            "From reading a batch to its predictions.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
            registry=registry,
        )
        self.batches = Counter("edge_inference_batches", "Batches answered.", registry=registry)
        self.items = Counter(
            "edge_inference_items",
            "Parts of items by outcome: predicted, or the code of their reject.",
            ["outcome"],
            registry=registry,
        )
        self.swaps = Counter(
            "edge_inference_swaps", "Swaps by result: succeeded, or the code.", ["result"], registry=registry
        )
        self.active = Gauge(
            "edge_inference_active_model_info", "The active model.", ["name", "version", "digest"], registry=registry
        )
        self.gpu = Gauge(
            "edge_inference_gpu_active", "Whether the active model really runs on a GPU.", registry=registry
        )

    def serving(self, model: LoadedModel) -> None:
        """Tell of the model that is active now."""
        identity: ModelIdentity = model.identity
        self.active.clear()
        self.active.labels(identity.name, identity.version, identity.digest).set(1)
        self.gpu.set(model.on_gpu)
