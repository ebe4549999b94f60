import os
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from support.azurite import Azurite, running_azurite
from support.loops import WatchedLoop
from support.registry import RegistryServer, running_registry

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # for tests that import onnxruntime themselves

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    """The one loop that all tests run in."""
    return {"watched": WatchedLoop}


@pytest.fixture(scope="session")
def registry_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """A registry that lets everybody in, for all tests together."""
    with running_registry(tmp_path_factory.mktemp("registry")) as server:
        yield server


@pytest.fixture(scope="session")
def azurite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A blob store for all tests that leave it running."""
    with running_azurite(tmp_path_factory.mktemp("azurite")) as azurite:
        yield azurite
