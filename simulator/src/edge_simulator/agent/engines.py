"""The engines that there are, by name."""

from contextlib import AbstractContextManager
from typing import Literal, TypeAlias

from edge_simulator.agent.engine import MakeEngine
from edge_simulator.agent.process import process_engines
from edge_simulator.errors import ContainerError

EngineName: TypeAlias = Literal["process", "docker"]


def engines(name: EngineName) -> AbstractContextManager[MakeEngine]:
    """Return the engines of this name; nothing that they have started outlives their block.

    Raises:
        ContainerError: the Docker SDK is not installed.
    """
    return process_engines() if name == "process" else _container_engines()


def _container_engines() -> AbstractContextManager[MakeEngine]:
    try:
        from edge_simulator.agent.containers.engine import container_engines  # noqa: PLC0415 (an optional extra)
    except ModuleNotFoundError as error:
        if error.name != "docker":
            raise
        raise ContainerError("--engine docker takes the Docker SDK: pip install 'edge-simulator[docker]'") from error
    return container_engines()
