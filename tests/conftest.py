from collections.abc import Iterator

import pytest

from support.registry import RegistryServer, running_registry


@pytest.fixture(scope="session")
def registry_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """A registry that lets everybody in, for all tests together."""
    with running_registry(tmp_path_factory.mktemp("registry")) as server:
        yield server
