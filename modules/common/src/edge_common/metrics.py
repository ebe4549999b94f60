"""Metrics in Prometheus' format, where IoT Edge's metrics collector looks for them."""

import logging
from dataclasses import dataclass, field
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, start_http_server

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Metrics:
    """What every module counts; a module adds its own to ``registry``."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    received: Counter = field(init=False)
    malformed: Counter = field(init=False)
    dropped: Counter = field(init=False)

    def __post_init__(self) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(name, text, ["input"], registry=self.registry)

        object.__setattr__(self, "received", counter("edge_messages_received", "Messages that came to an input."))
        object.__setattr__(self, "malformed", counter("edge_messages_malformed", "Messages that could not be read."))
        object.__setattr__(self, "dropped", counter("edge_messages_dropped", "Messages that found the inbox full."))


class MetricsServer:
    """Serves ``/metrics``.

    Args:
        metrics: What to serve.
        address: Where to listen.
        port: TCP port.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, metrics: Metrics, address: str, port: int) -> None:
        served: tuple[WSGIServer, Thread] = start_http_server(port, address, metrics.registry)
        self._server, self._thread = served
        log.info("metrics at http://%s:%s/metrics", address, self._server.server_port)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
