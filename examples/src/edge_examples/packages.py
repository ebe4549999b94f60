"""Trains the example's models, packs them into an OCI image layout and signs them, unless that was done before."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edge_examples.digits import training
from edge_examples.digits.data import Split
from edge_examples.trust import signer
from edge_inference.images import describe_manifest
from edge_inference.layout import attach, pack
from edge_inference.signing.signer import Signer
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
    models.mkdir(parents=True, exist_ok=True)
    packed = [_pack(model, models) for model in training.train(*splits)]
    for entry in packed:
        _sign(entry, models / LAYOUT, signer(trust))
    summary.write_text(json.dumps([asdict(entry) for entry in packed]))
    return packed


def _sign(packed: Packed, layout: Path, by: Signer) -> None:
    digest = packed.ref.partition("@")[2]
    manifest = describe_manifest(LayoutSource(layout, digest).manifest(), digest)
    attach(layout, by.sign(manifest, datetime.now(UTC)))


def _pack(model: training.TrainedModel, models: Path) -> Packed:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.onnx").write_bytes(model.graph)
        (folder / "contract.json").write_text(model.contract.model_dump_json(by_alias=True, indent=2))
        (folder / "drift.json").write_text(model.reference.model_dump_json(indent=2))
        ref = pack(folder, models / LAYOUT, training.NAME, model.version)
    return Packed(training.NAME, model.version, ref, model.accuracy)
