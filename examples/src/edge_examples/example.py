"""What makes an example: a model in two versions, and files to feed it with. The catalogue lists them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime

from edge_common.contract import Contract
from edge_examples.drops import Drop
from edge_inference.drift.reference import Reference, reference
from edge_inference.outputs import KINDS

Samples = npt.NDArray[np.float32]


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
    """

    name: str
    takes: str
    files: int
    train: Callable[[], Sequence[TrainedModel]]
    drops: Callable[[int], Sequence[Drop]]


def trained(
    version: str, graph: bytes, contract: Contract, training: Samples, held_out: Samples, truth: Sequence[str]
) -> TrainedModel:
    """Check a model on what was held out, and describe what it was trained on.

    Args:
        version: Of its package.
        graph: The ONNX model.
        contract: Its contract.
        training: Prepared under it: shape ``(n, *contract.input.sample_shape)``.
        held_out: Likewise.
        truth: What the model should say of each sample held out.
    """
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])

    def run(samples: Samples) -> Samples:
        return np.asarray(session.run([contract.output.name], {contract.input.name: samples})[0])

    said = KINDS[contract.output.kind](contract.output).interpret(run(held_out))
    right = [row["label"] == label for row, label in zip(said, truth, strict=True)]
    return TrainedModel(
        version, graph, contract, reference(contract, [(training, run(training))]), float(np.mean(right))
    )
