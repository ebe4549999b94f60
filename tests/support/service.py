"""The unmodified service SDK, set up for a simulator as a user does it: by a connection string and a CA bundle."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.iot.hub import IoTHubConfigurationManager, IoTHubRegistryManager

from support.simulator import SimulatorProcess, edge_environment


@dataclass
class ServiceClients:
    """The SDK's managers; their calls block."""

    registry: IoTHubRegistryManager
    configurations: IoTHubConfigurationManager


@contextmanager
def service_clients(simulator: SimulatorProcess, authority: Path | None = None) -> Iterator[ServiceClients]:
    text = simulator.run("connection-string").strip()
    with edge_environment({"REQUESTS_CA_BUNDLE": str((authority or simulator.state / "authority") / "ca.pem")}):
        yield ServiceClients(
            IoTHubRegistryManager.from_connection_string(text), IoTHubConfigurationManager.from_connection_string(text)
        )
