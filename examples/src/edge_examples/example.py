"""What makes an example: a model in two versions, and files to feed it with. The catalogue lists them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from edge_common.contract import Contract
from edge_common.messages import Frame
from edge_examples.drops import Drop
from edge_inference.drift.reference import Reference, reference
from edge_inference.outputs import interpreter
from edge_inference.outputs.kind import Values

Samples = npt.NDArray[np.float32]
IsRight = Callable[[Mapping[str, Any], Any], bool]
"""Takes a prediction and the truth about its sample."""


def has_label(row: Mapping[str, Any], truth: str) -> bool:
    """Whether a classification is right."""
    return bool(row["label"] == truth)


@dataclass(frozen=True)
class TrainedModel:
    """A model ready to be packed.

    Attributes:
        version: Of the package.
        graph: The ONNX model.
        contract: What it wants, and what it says.
        reference: How the training data look, and what it says of them.
        accuracy: On what was held out, by onnxruntime.
    """

    version: str
    graph: bytes
    contract: Contract
    reference: Reference
    accuracy: float


@dataclass(frozen=True)
class Example:
    """A model and its data, made by seeded code.

    Attributes:
        name: Of the example, and of its model.
        takes: What its files are, as one would say it.
        files: How many good files it drops unless told otherwise, which is the most that there are.
        train: Gives the versions, the oldest first. They differ in their contracts, so that a swap changes both halves.
        drops: Gives so many good files, and bad ones beside them, each with what must become of it.
        is_right: Compares a prediction with the truth.
        columns: Those of a prediction that it looks at.
        upstream: What its route to IoT Hub tests of predictions; without it, all are sent there.
    """

    name: str
    takes: str
    files: int
    train: Callable[[], Sequence[TrainedModel]]
    drops: Callable[[int], Sequence[Drop]]
    is_right: IsRight = has_label
    columns: tuple[str, ...] = ("label",)
    upstream: str = ""


@dataclass(frozen=True)
class HeldOut:
    """What a model is checked on.

    Attributes:
        samples: Prepared under its contract: shape ``(n, *contract.input.sample_shape)``.
        truth: What each of them is.
        frames: Where each lies in its picture, where that matters.
    """

    samples: Samples
    truth: Sequence[Any]
    frames: Sequence[Frame] = ()


def trained(
    version: str,
    graph: bytes,
    contract: Contract,
    training: Samples,
    held_out: HeldOut,
    is_right: IsRight = has_label,
) -> TrainedModel:
    """Check a model on what was held out, and describe what it was trained on.

    Args:
        version: Of its package.
        graph: The ONNX model.
        contract: Its contract.
        training: Prepared under it: shape ``(n, *contract.input.sample_shape)``.
        held_out: What to check it on.
        is_right: Compares a prediction with the truth.
    """
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    reader = interpreter(contract)

    def run(samples: Samples) -> Values:
        return dict(zip(reader.names, session.run(reader.names, {contract.input.name: samples}), strict=True))

    said = reader.interpret(run(held_out.samples), held_out.frames or [None] * len(held_out.samples))
    accuracy = float(np.mean([is_right(row, true) for row, true in zip(said, held_out.truth, strict=True)]))
    return TrainedModel(version, graph, contract, reference(contract, [(training, run(training))]), accuracy)
