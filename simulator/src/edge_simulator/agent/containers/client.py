"""The container engine's API, and its errors as sentences."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import requests
from docker import APIClient
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env

from edge_simulator.errors import ContainerError

# Each container that runs holds a connection, and requests come on top.
_CONNECTIONS: Final = 64


def connect() -> APIClient:
    """Return a client of the engine that the environment names (`DOCKER_HOST` and so on), or of this machine's.

    Raises:
        ContainerError: none answers.
    """
    try:
        return APIClient(version="auto", max_pool_size=_CONNECTIONS, **kwargs_from_env())
    except DockerException as error:
        raise ContainerError(
            "no container engine answers: start dockerd, or give this user access to it, or run with --engine process"
        ) from error


@contextmanager
def explained(subject: str) -> Iterator[None]:
    """Say what the engine objects to.

    Raises:
        ContainerError: the engine refuses, or does not answer any more.
    """
    try:
        yield
    except APIError as error:
        raise ContainerError(f"{subject}: the container engine says: {error.explanation or error}") from error
    except (DockerException, requests.RequestException) as error:
        raise ContainerError(f"{subject}: the container engine does not answer: {error}") from error
