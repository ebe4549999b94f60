"""What is counted of requests."""

from prometheus_client import CollectorRegistry, Counter, Histogram

_OK = 200


class WebMeasures:
    """The server's metrics.

    Args:
        registry: Where they are kept.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "edge_inference_http_requests",
            "Requests by route and status; 0 where none was answered.",
            ["route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "edge_inference_http_seconds",
            "From the head of a request to the end of its answer, where it was answered.",
            ["route"],
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
            registry=registry,
        )

    def count(self, route: str, status: int, seconds: float) -> None:
        """A request has ended so."""
        self._requests.labels(route, status).inc()
        if status == _OK:
            self._seconds.labels(route).observe(seconds)
