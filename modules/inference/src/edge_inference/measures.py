"""What the inference module counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from edge_common.messages import ModelIdentity
from edge_inference.model import LoadedModel
from edge_inference.tuning.choice import Tuning


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
        self.shared = Histogram(
            "edge_inference_run_sharers",
            "Batches and requests that shared a run.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )
        self.shed = Counter("edge_inference_shed", "Requests whose turn has not come in time.", registry=registry)
        self.tuning = Gauge(
            "edge_inference_tuning",
            "How the active model turned out to run best: batch, callers, threads, samples a second.",
            ["of"],
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
        self.tuned(model.tuning)

    def tuned(self, tuning: Tuning | None) -> None:
        """Tell how the active model runs best; nothing until that is known."""
        self.tuning.clear()
        if tuning:
            self.tuning.labels("batch").set(tuning.choice.batch)
            self.tuning.labels("callers").set(tuning.choice.callers)
            self.tuning.labels("threads").set(tuning.choice.way.threads)
            self.tuning.labels("samplesPerSecond").set(tuning.rate)
