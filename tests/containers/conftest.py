"""What the tests in containers share: the engine, the suite's images, and a registry that has them."""

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from support.containers import BASE, LOGIN, MODULES, Pushed, container_engine, image, layers, remove_volumes
from support.registry import htpasswd, running_registry


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    with container_engine() as client:
        yield client


@pytest.fixture(scope="session")
def images(client: docker.DockerClient) -> dict[str, str]:
    """The names of the images that have been built, by module."""
    return {module: image(client, module) for module in MODULES}


@pytest.fixture(scope="session")
def base(client: docker.DockerClient) -> str:
    """The small base's first layer; skips the test where there is no such base."""
    try:
        return layers(client, BASE)[0]
    except ImageNotFound:
        pytest.skip(f"needs {BASE}: make base-image")


@pytest.fixture(scope="session")
def pushed(
    client: docker.DockerClient, images: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pushed]:
    folder = tmp_path_factory.mktemp("registry")
    with running_registry(folder, htpasswd(folder)) as registry:
        yield Pushed(registry.host, {name: _push(client, registry.host, name, images[name]) for name in images})


def _push(client: docker.DockerClient, host: str, module: str, name: str) -> str:
    """Push an image, forget that it is there, and return its name by digest."""
    repository = f"{host}/edge-ml/{module}"
    client.images.get(name).tag(repository, "test")
    answers = client.images.push(repository, "test", auth_config=LOGIN, stream=True, decode=True)
    digests = [answer["aux"]["Digest"] for answer in answers if "aux" in answer]
    client.images.remove(f"{repository}:test")
    return f"{repository}@{digests[0]}"


@pytest.fixture(autouse=True)
def no_volumes_left(client: docker.DockerClient, tmp_path: Path) -> Iterator[None]:
    yield
    remove_volumes(client, tmp_path)
