"""The model registry of a workspace, by azure-ai-ml."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from edge_mlops.errors import CatalogError
from edge_mlops.packaging.registering import Registration

try:
    from azure.ai.ml import MLClient
    from azure.ai.ml.constants import AssetTypes
    from azure.ai.ml.entities import Model
    from azure.core.exceptions import AzureError, ResourceNotFoundError
    from azure.identity import DefaultAzureCredential
except ImportError as error:
    raise CatalogError("edge-mlops was installed without its extra azureml") from error


class Workspace(NamedTuple):
    """Which workspace.

    Attributes:
        subscription: Its id.
        group: The resource group.
        name: The workspace's.
    """

    subscription: str
    group: str
    name: str


class WorkspaceCatalog:
    """The model registry of a workspace, opened by the identity that azure-identity finds; to be closed.

    Args:
        workspace: Which one.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._credential = DefaultAzureCredential()
        logging.getLogger("azure").setLevel(logging.WARNING)
        self._models = MLClient(self._credential, *workspace, enable_telemetry=False, show_progress=False).models

    def tags(self, name: str, version: str) -> Mapping[str, str] | None:
        with _failures():
            try:
                return dict(self._models.get(name, version).tags or {})
            except ResourceNotFoundError:
                return None

    def enter(self, registration: Registration) -> None:
        with _failures():
            self._models.create_or_update(
                Model(
                    name=registration.name,
                    version=registration.version,
                    type=AssetTypes.CUSTOM_MODEL,
                    path=registration.path,
                    tags=dict(registration.tags),
                )
            )

    def close(self) -> None:
        """Let go of the identity."""
        self._credential.close()


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except AzureError as error:
        raise CatalogError(str(error).splitlines()[0]) from error
