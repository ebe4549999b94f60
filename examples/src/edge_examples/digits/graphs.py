"""Trained weights as ONNX graphs.

Input ``image`` of shape ``(batch, 1, side, side)``, output ``probabilities`` of shape ``(batch, 10)``.
"""

from collections.abc import Mapping, Sequence

import onnx
from onnx import helper

from edge_examples.graphs import Weights, model


def perceptron(side: int, layers: Sequence[tuple[Weights, Weights]]) -> bytes:
    """A multilayer perceptron with rectified hidden layers.

    Args:
        side: Pixels of the input's side.
        layers: Weights ``(in, out)`` and bias ``(out,)`` of each layer, first to last.
    """
    nodes = [helper.make_node("Flatten", ["image"], ["x0"])]
    weights: dict[str, Weights] = {}
    for index, (weight, bias) in enumerate(layers):
        weights |= {f"w{index}": weight, f"b{index}": bias}
        nodes.append(helper.make_node("Gemm", [f"x{index}", f"w{index}", f"b{index}"], [f"y{index}"]))
        if index < len(layers) - 1:
            nodes.append(helper.make_node("Relu", [f"y{index}"], [f"x{index + 1}"]))
    nodes.append(helper.make_node("Softmax", [f"y{len(layers) - 1}"], ["probabilities"], axis=1))
    return _model("digits-perceptron", side, nodes, weights)


def convolution(side: int, filters: Weights, filter_bias: Weights, pool: int, weight: Weights, bias: Weights) -> bytes:
    """One convolution, rectified, sum-pooled over a grid, and a linear classifier on top.

    Args:
        side: Pixels of the input's side.
        filters: Shape ``(filters, 1, k, k)``.
        filter_bias: Shape ``(filters,)``.
        pool: Side of the pooled windows, which do not overlap.
        weight: Of the classifier, ``(features, 10)``.
        bias: Of the classifier, ``(10,)``.
    """
    nodes = [
        helper.make_node("Conv", ["image", "filters", "filter_bias"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("AveragePool", ["r"], ["p"], kernel_shape=[pool, pool], strides=[pool, pool]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "weight", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    weights = {"filters": filters, "filter_bias": filter_bias, "weight": weight, "bias": bias}
    return _model("digits-convolution", side, nodes, weights)


def _model(name: str, side: int, nodes: Sequence[onnx.NodeProto], weights: Mapping[str, Weights]) -> bytes:
    return model(name, ("image", (1, side, side)), ("probabilities", (10,)), nodes, weights)
