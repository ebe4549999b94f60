"""What is counted of drift."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from edge_inference.drift.comparison import Score


class DriftMeasures:
    """The metrics.

    Args:
        registry: Where they are kept.

    Attributes:
        compared: Rows that came into the window; those that were passed over for them are missing.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.compared = Counter(
            "edge_inference_drift_compared_rows", "Rows that came into the window.", registry=registry
        )
        self._active = Gauge("edge_inference_drift_active", "Whether the input drifts.", registry=registry)
        self._rows = Gauge("edge_inference_drift_rows", "Rows in the window that is compared.", registry=registry)
        self._psi = Gauge(
            "edge_inference_drift_psi", "Population stability index of a feature.", ["feature"], registry=registry
        )
        self._ks = Gauge(
            "edge_inference_drift_ks", "Kolmogorov-Smirnov statistic of a feature.", ["feature"], registry=registry
        )

    def show(self, rows: int, scores: Sequence[Score], *, drifting: bool) -> None:
        """Tell of the window as it is now."""
        self._active.set(drifting)
        self._rows.set(rows)
        for gauge in (self._psi, self._ks):
            gauge.clear()
        for score in scores:
            self._psi.labels(score.name).set(score.psi)
            self._ks.labels(score.name).set(score.ks)
