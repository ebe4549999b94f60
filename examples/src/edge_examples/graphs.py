"""Trained weights as ONNX graphs of one input and one output."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET: Final = 17
IR_VERSION: Final = 8

Weights = npt.NDArray[np.floating[Any]]


def model(
    name: str,
    taken: tuple[str, Sequence[int]],
    given: tuple[str, Sequence[int]],
    nodes: Sequence[onnx.NodeProto],
    weights: Mapping[str, Weights],
) -> bytes:
    """A checked model, float32 in and out.

    Args:
        name: Of the graph.
        taken: The input's name, and the shape of one sample.
        given: The output's name, and the shape of what is said of one sample.
        nodes: From the one to the other.
        weights: The constants that the nodes name.
    """
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(taken[0], TensorProto.FLOAT, ["batch", *taken[1]])],
        [helper.make_tensor_value_info(given[0], TensorProto.FLOAT, ["batch", *given[1]])],
        [numpy_helper.from_array(value.astype(np.float32), key) for key, value in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString())
