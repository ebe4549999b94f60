"""A simulator with two modules that tests run themselves, and the service SDK on its other side."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from azure.iot.device.aio import IoTHubModuleClient

from support.service import ServiceClients, service_clients
from support.simulator import SimulatorProcess, deployment, edge_environment, simulator


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[SimulatorProcess]:
    manifest = deployment(
        routes={"up": "FROM /messages/modules/camera/* INTO $upstream"}, twins={"camera": {"rate": 1}}
    )
    with simulator(tmp_path, manifest, "--module", "camera", "--module", "viewer") as process:
        yield process


@pytest.fixture
def service(edge: SimulatorProcess) -> Iterator[ServiceClients]:
    with service_clients(edge) as clients:
        yield clients


@pytest.fixture
async def camera(edge: SimulatorProcess) -> AsyncIterator[IoTHubModuleClient]:
    async for client in _connected(edge, "camera"):
        yield client


@pytest.fixture
async def viewer(edge: SimulatorProcess) -> AsyncIterator[IoTHubModuleClient]:
    async for client in _connected(edge, "viewer"):
        yield client


async def _connected(edge: SimulatorProcess, module: str) -> AsyncIterator[IoTHubModuleClient]:
    with edge_environment(edge.credentials(module)):
        client = IoTHubModuleClient.create_from_edge_environment()
    await client.connect()
    yield client
    await client.shutdown()
