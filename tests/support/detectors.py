"""A detector that sees the same in every picture."""

from typing import Any

import onnx
from onnx import TensorProto, helper

from edge_common.contract import BoxColumns, Contract, DetectionOutput
from support.models import contract


def detector(**output: Any) -> Contract:
    """Of discs and bars, in samples of 4 by 4 pixels."""
    out = {"name": "output"}
    described = DetectionOutput(
        kind="detection",
        labels=("disc", "bar"),
        boxes=BoxColumns(**out),
        scores=BoxColumns(first=4, **out),
        format="center",
        **output,
    )
    return Contract(input=contract().input, output=described)


def scene_graph() -> onnx.ModelProto:
    """A bar in the middle of each sample, twice; columns are a box's centre and size, and the two scores."""
    scene = [2.0, 2, 2, 2, 0.1, 0.9, 2, 2, 2, 1.9, 0, 0.7]
    nodes = [
        helper.make_node("ReduceMean", ["input", "all"], ["mean"], keepdims=1),
        helper.make_node("Squeeze", ["mean", "last"], ["each"]),
        helper.make_node("Mul", ["each", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "scene"], ["output"]),
    ]
    constants = [
        helper.make_tensor("all", TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("last", TensorProto.INT64, [1], [3]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("scene", TensorProto.FLOAT, [1, 2, 6], scene),
    ]
    taken = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 1, 4, 4])
    given = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 2, 6])
    graph = helper.make_graph(nodes, "scene", [taken], [given], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
