"""Models of known shapes, whose weights are drawn by a seed."""

from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from edge_common.contract import ClassificationOutput, Contract, ImageInput
from edge_examples.graphs import IR_VERSION, model

LIGHT: Final = Path(onnx.__file__).parent / "backend/test/data/light"
"""Graphs of well-known networks that the package ``onnx`` brings, with a constant in each weight's place."""

CLASSES: Final = 1000
SIDE: Final = 224
FULL: Final = 32
"""A batch of as many samples as ingest sends together: fewest messages, and most memory."""

SCORES: Final = "scores"
_MEAN: Final = (123.7, 116.3, 103.5)
_SCALE: Final = (0.0171, 0.0175, 0.0174)
_BRANCH: Final = 0.25
"""What each block of a residual network adds, or its values would outgrow FP16 after sixteen."""


def network(name: str, seed: int = 1, batch: int = 16) -> tuple[bytes, Contract]:
    """A network of the package ``onnx`` for batches of any size, and its contract.

    Constant weights would not do: equal values run up to 1.3 times too fast. So they are normal with the deviation
    ``sqrt(2 / fan in)`` (He et al. 2015), which keeps what flows through the layers from vanishing.

    Args:
        name: ``shufflenet``, ``squeezenet`` or ``resnet50``.
        seed: Of the weights.
        batch: The most samples that the contract takes together.
    """
    made = onnx.load(LIGHT / f"light_{name}.onnx")
    graph, random = made.graph, np.random.default_rng(seed)
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    drawn = [node for node in graph.node if node.op_type == "ConstantOfShape"]
    weights = {node.output[0]: _weights(random, node.output[0], constants[node.input[0]]) for node in drawn}
    shapes = {node.input[1]: _any_batch(constants[node.input[1]]) for node in graph.node if node.op_type == "Reshape"}
    replaced = {node.input[0] for node in drawn}
    given = {name: value for name, value in constants.items() if name not in replaced} | weights | shapes
    taken = next(port for port in graph.input if port.name not in constants)
    nodes = [node for node in graph.node if node.op_type != "ConstantOfShape"]
    nodes.append(helper.make_node("Flatten", [graph.output[0].name], [SCORES]))
    read = {name for node in nodes for name in node.input}
    free = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(taken.name, onnx.TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(SCORES, onnx.TensorProto.FLOAT, ["batch", CLASSES])],
        [numpy_helper.from_array(value, key) for key, value in given.items() if key in read],
    )
    whole = helper.make_model(free, opset_imports=made.opset_import, ir_version=IR_VERSION)
    contract = Contract(
        input=_pictures(taken.name, batch),
        output=ClassificationOutput(name=SCORES, labels=tuple(map(str, range(CLASSES)))),
    )
    return bytes(whole.SerializeToString()), contract


def tiny(seed: int = 1) -> tuple[bytes, Contract]:
    """One layer for glyphs: next to nothing to run."""
    random = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], [SCORES]),
    ]
    graph = model("tiny", ("image", (1, 28, 28)), (SCORES, (10,)), nodes, {"weights": random.normal(0, 0.1, (784, 10))})
    contract = Contract(
        input=ImageInput(name="image", width=28, height=28, channels="L", mean=(0.0,), scale=(1 / 255,), batch=32),
        output=ClassificationOutput(name=SCORES, labels=tuple("0123456789"), activation="softmax"),
    )
    return graph, contract


def averages() -> tuple[bytes, Contract]:
    """A large input, of which each channel's mean is a score."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["means"]),
        helper.make_node("Flatten", ["means"], [SCORES]),
    ]
    graph = model("averages", ("image", (3, SIDE, SIDE)), (SCORES, (3,)), nodes, {})
    contract = Contract(
        input=ImageInput(name="image", width=SIDE, height=SIDE, mean=(0.0,) * 3, scale=(1 / 255,) * 3, batch=16),
        output=ClassificationOutput(name=SCORES, labels=("red", "green", "blue")),
    )
    return graph, contract


def _pictures(name: str, batch: int) -> ImageInput:
    return ImageInput(
        name=name, width=SIDE, height=SIDE, resize="crop", decode="fast", mean=_MEAN, scale=_SCALE, batch=batch
    )


def _weights(random: np.random.Generator, name: str, shape: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if len(shape) > 1:
        return random.normal(0, np.sqrt(2 / prod(shape[1:])), shape).astype(np.float32)
    if name.endswith("_branch2c_bn_s_0"):
        return np.full(shape, _BRANCH, np.float32)
    is_factor = name.endswith(("_bn_s_0", "_bn_riv_0"))  # a batch normalisation's scale and variance
    return np.full(shape, 1.0 if is_factor else 0.0, np.float32)


def _any_batch(shape: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A Reshape's constant whose first dimension is what it was (0), not 1."""
    return np.concatenate([[0], shape[1:]])
