"""The container engine, and the suite's images in it."""

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container

from edge_examples.suite import TEMPLATE
from edge_simulator.manifest import load

MODULES = ("ingest", "transform", "inference", "upload")
BASE = "edge-base:bookworm"
"""The small base that `make base-image` makes."""

_STATE = "edge-simulator.state"
LOGIN = {"username": "user", "password": "secret"}


@dataclass(frozen=True)
class Pushed:
    """The images in a registry with a password, by digest; the engine has them under these names no longer."""

    host: str
    images: dict[str, str]


@contextmanager
def container_engine() -> Iterator[docker.DockerClient]:
    """A client of the container engine; skips the test where there is none."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException:
        pytest.skip("needs a container engine: make engine")
    with closing(client):
        yield client


def image(client: docker.DockerClient, module: str) -> str:
    """The name of a module's image; skips the test where it has not been built."""
    name = load(TEMPLATE, os.environ).modules[module].image
    try:
        client.images.get(name)
    except ImageNotFound:
        pytest.skip(f"needs image {name}: make images")
    return name


def layers(client: docker.DockerClient, name: str) -> list[str]:
    """The digests of an image's layers, unpacked, from its base on."""
    return list(client.images.get(name).attrs["RootFS"]["Layers"])


def containers_of(client: docker.DockerClient, state: Path) -> dict[str, Container]:
    """The containers of a simulator, by module; without those that go while they are looked at."""
    label = f"{_STATE}={state.resolve()}"
    found = client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    return {str(container.name).split("-", 2)[2]: container for container in found}


def networks_of(client: docker.DockerClient, state: Path) -> list[Any]:
    """The networks of a simulator."""
    return client.networks.list(filters={"label": f"{_STATE}={state.resolve()}"})


def remove_volumes(client: docker.DockerClient, below: Path) -> None:
    """Remove the volumes of simulators whose state lies below a folder."""
    for volume in client.volumes.list(filters={"label": _STATE}):
        if Path((volume.attrs["Labels"] or {})[_STATE]).is_relative_to(below):
            volume.remove()


def run_in(container: Container, code: str) -> str:
    """Run Python in a container as its module's user, and return what it prints."""
    result = container.exec_run(["python3", "-c", code])
    assert isinstance(result.output, bytes)
    assert result.exit_code == 0, result.output
    return result.output.decode().strip()


def template_with(folder: Path, change: dict[str, Any]) -> Path:
    """Write the suite's template into a folder, with members of its modules' entries changed."""
    for name in ("modules", ".env"):
        (folder / name).symlink_to(TEMPLATE.with_name(name).resolve())
    document = json.loads(TEMPLATE.read_text().replace(": ${REQUIRE_GPU}", ": false"))  # no JSON before expansion
    agent = document["modulesContent"]["$edgeAgent"]["properties.desired"]
    _merge(agent, change)
    manifest = folder / TEMPLATE.name
    manifest.write_text(json.dumps(document))
    return manifest


def _merge(target: dict[str, Any], change: dict[str, Any]) -> None:
    for name, value in change.items():
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target[name] = value
