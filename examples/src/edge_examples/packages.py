"""Trains an example's models, packs them into an OCI image layout and signs them, unless that was done before."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from edge_common.contract import Contract
from edge_examples.example import Example, TrainedModel
from edge_examples.trust import signer
from edge_inference.layout import pack, sign

LAYOUT: Final = "layout"
"""The layout's folder under the model share."""


@dataclass(frozen=True)
class Packed:
    """A model package in the layout.

    Attributes:
        name: Of the model.
        version: Of the model.
        ref: The reference that the inference module's twin takes, pinned by digest.
        accuracy: On what was held out.
    """

    name: str
    version: str
    ref: str
    accuracy: float

    def desired(self) -> dict[str, object]:
        """The desired property ``model`` that asks for it."""
        request = f"{self.name}-{self.version}"
        return {"schema": 1, "name": self.name, "version": self.version, "ref": self.ref, "requestId": request}


def prepare(example: Example, models: Path, trust: Path) -> Sequence[Packed]:
    """The packages, oldest version first.

    Args:
        example: Whose.
        models: The model share.
        trust: Where the signer's key and certificates are.
    """
    summary = models / f"{example.name}.json"
    if summary.exists() and trust.exists():
        return [Packed(**entry) for entry in json.loads(summary.read_text())]
    packed = [_publish(example.name, model, models, trust) for model in example.train()]
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
    sign(layout, ref.partition("@")[2], signer(trust), datetime.now(UTC))
    return ref


def _publish(name: str, model: TrainedModel, models: Path, trust: Path) -> Packed:
    further = {"drift.json": model.reference.model_dump_json(indent=2)}
    ref = publish(model.graph, model.contract, models, trust, name, model.version, further)
    return Packed(name, model.version, ref, model.accuracy)
