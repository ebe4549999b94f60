"""The step ``register``: names what was published in the model registry of an Azure Machine Learning workspace.

The OCI registry stays what counts. An entry here leads to it, and is what the workspace's endpoints take a model from.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol

from edge_inference import layout as layouts
from edge_inference.registry.names import RegistryName
from edge_mlops.errors import RunError
from edge_mlops.packages import unpack
from edge_mlops.packaging.lineage import LINEAGE, Lineage

DIGEST = "digest"


class Registration(NamedTuple):
    """An entry of a model registry.

    Attributes:
        name: The model's.
        version: The model's.
        path: Where its layout is, as the workspace knows it.
        tags: Where it is from, and what devices take it by.
    """

    name: str
    version: str
    path: str
    tags: Mapping[str, str]


class Catalog(Protocol):
    """A model registry."""

    def tags(self, name: str, version: str) -> Mapping[str, str] | None:
        """The tags of a version; None where there is no such version."""

    def enter(self, registration: Registration) -> None:
        """Make an entry."""


def register(catalog: Catalog, layout: Path, published: str, path: str) -> str:
    """Enter a published package; nothing happens if it is there.

    Args:
        catalog: The registry.
        layout: Where the package is.
        published: The reference that ``publish`` printed.
        path: The address of the same layout, as the workspace knows it.

    Returns:
        How it is called there, ``<name>:<version>``.

    Raises:
        RunError: The version is there, and is another package.
        ModelError: The layout does not have it, or not its bytes.
        CatalogError: The registry does not answer, or refuses.
    """
    entry = described(layout, published, path)
    there = catalog.tags(entry.name, entry.version)
    if there is None:
        catalog.enter(entry)
    elif there.get(DIGEST) != entry.tags[DIGEST]:
        raise RunError(f"{entry.name}:{entry.version} is registered, with digest {there.get(DIGEST)}")
    return f"{entry.name}:{entry.version}"


def described(layout: Path, published: str, path: str) -> Registration:
    """What is to be entered of a package.

    Raises:
        ModelError: The layout does not have it, or not its bytes.
        RunError: It has no version there, or was not made by ``package``.
    """
    digest = RegistryName.parse(published).digest
    entry, _ = layouts.inspect(layout, digest)
    name, _, version = entry.tag.partition(":")
    if not version:
        raise RunError(f"{digest} has no tag in {layout}, so nobody knows its version")
    lineage = _lineage(layout, digest)
    made_of = lineage.ingredients
    return Registration(
        name=name,
        version=version,
        path=path,
        tags={
            "reference": published,
            DIGEST: digest,
            "run": lineage.run,
            "dataset": made_of.dataset,
            "data": made_of.data,
            "code": made_of.code,
        },
    )


def _lineage(layout: Path, digest: str) -> Lineage:
    with TemporaryDirectory() as made:
        unpack(layout, digest, Path(made))
        file = Path(made) / LINEAGE
        if not file.exists():
            raise RunError(f"{digest} in {layout} was not made by edge-mlops package")
        return Lineage.model_validate_json(file.read_bytes())
