"""The module without IoT Edge, as on Kubernetes: one model, from the environment, and nobody to send anything to."""

import os
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from edge_common.azure_hub import AzureHub
from edge_common.errors import ConfigurationError, StuckError
from edge_common.hub import Handlers, Hub
from edge_inference.settings import InferenceEnvironment, TwinOfEnvironment
from edge_inference.swap import State

_OF_IOT_EDGE: Final = frozenset({"IOTEDGE_WORKLOADURI", "EdgeHubConnectionString"})


class NoModelError(StuckError):
    """The only model that is wanted cannot be put in service."""

    retryable: ClassVar[bool] = True
    hint = "the module ends, to be started again"


class NoHub:
    """A hub for a module without one: its desired properties never change, and what is sent goes nowhere.

    Args:
        twin: The desired properties.
    """

    def __init__(self, twin: TwinOfEnvironment) -> None:
        self._twin = twin
        self.connected = True

    async def start(self, handlers: Handlers) -> None:
        """Deliver the desired properties."""
        handlers.desired({"$version": 1, **self._twin.model_dump(mode="json", by_alias=True, exclude_unset=True)})

    async def send(self, output: str, body: bytes, properties: Mapping[str, str] | None = None) -> None:
        """Nobody is there to take it."""

    async def report(self, patch: Mapping[str, Any]) -> None:
        """Nobody is there to read it, and to do something about a failure: a new process is to try again.

        Raises:
            NoModelError: The wanted model has failed, and none serves.
        """
        model = patch.get("model", {})
        answers_twin = bool(model.get("ackVersion"))  # before that, a model of an earlier start may fail
        if answers_twin and model["state"] == State.FAILED and not model["active"]:
            raise NoModelError(f"no model serves ({model['last']['code']})")

    async def close(self) -> None:
        """Be connected no longer."""
        self.connected = False


def connect(environment: InferenceEnvironment) -> Hub:
    """The hub of IoT Edge; none where there is no IoT Edge, and HTTP is served.

    Raises:
        ConfigurationError: Neither is described.
    """
    if environment.http_port is None or _OF_IOT_EDGE & os.environ.keys():
        return AzureHub.from_edge_environment()
    if environment.twin is None:
        raise ConfigurationError("no IoT Edge environment, and no TWIN that says in its place which model to serve")
    return NoHub(environment.twin)
