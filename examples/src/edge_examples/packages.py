"""Trains the example's models, packs them into an OCI image layout and signs them, unless that was done before."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from edge_common.contract import Contract
from edge_examples.digits import training
from edge_examples.digits.data import Split
from edge_examples.trust import signer
from edge_inference.images import describe_manifest
from edge_inference.layout import attach, pack
from edge_inference.sources import LayoutSource

LAYOUT: Final = "layout"
"""The layout's folder under the model share."""


@dataclass(frozen=True)
class Packed:
    """A model package in the layout.

    Attributes:
        name: Of the model.
        version: Of the model.
        ref: The reference that the inference module's twin takes, pinned by digest.
        accuracy: On the held-out digits.
    """

    name: str
    version: str
    ref: str
    accuracy: float

    def desired(self) -> dict[str, object]:
        """The desired property ``model`` that asks for it."""
        return {"schema": 1, "name": self.name, "version": self.version, "ref": self.ref, "requestId": self.version}


def prepare(models: Path, trust: Path, splits: tuple[Split, Split]) -> Sequence[Packed]:
    """The packages, oldest version first.

    Args:
        models: The model share.
        trust: Where the signer's key and certificates are.
        splits: The digits to train on, and those held out.
    """
    summary = models / "packages.json"
    if summary.exists() and trust.exists():
        return [Packed(**entry) for entry in json.loads(summary.read_text())]
    packed = [_publish(model, models, trust) for model in training.train(*splits)]
    summary.write_text(json.dumps([asdict(entry) for entry in packed]))
    return packed


def publish(
    graph: bytes,
    contract: Contract,
    models: Path,
    trust: Path,
    name: str,
    version: str,
    further: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Pack a model and sign it.

    Args:
        graph: The ONNX file.
        contract: Its contract.
        models: The model share.
        trust: Where the signer's key and certificates are.
        name: The package's.
        version: The package's.
        further: Files of the package beside these, by name.

    Returns:
        Its reference, pinned by digest.
    """
    layout = models / LAYOUT
    layout.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "model.onnx").write_bytes(graph)
        (folder / "contract.json").write_text(contract.model_dump_json(by_alias=True, indent=2))
        for file, text in further.items():
            (folder / file).write_text(text)
        ref = pack(folder, layout, name, version)
    digest = ref.partition("@")[2]
    manifest = describe_manifest(LayoutSource(layout, digest).manifest(), digest)
    attach(layout, signer(trust).sign(manifest, datetime.now(UTC)))
    return ref


def _publish(model: training.TrainedModel, models: Path, trust: Path) -> Packed:
    further = {"drift.json": model.reference.model_dump_json(indent=2)}
    ref = publish(model.graph, model.contract, models, trust, training.NAME, model.version, further)
    return Packed(training.NAME, model.version, ref, model.accuracy)
