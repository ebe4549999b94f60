from edge_common.health import answers
from edge_common.metrics import Metrics, MetricsServer


def test_a_module_is_well_as_long_as_its_metrics_are_served() -> None:
    server = MetricsServer(Metrics(), "127.0.0.1", 0)
    port = server._server.server_port
    try:
        assert answers("127.0.0.1", port)
    finally:
        server.close()
    assert not answers("127.0.0.1", port)
