"""The detector as an ONNX graph.

Input ``image`` of shape ``(batch, 1, side, side)``; output ``candidates`` of shape ``(batch, 4 + shapes, cells)``: of
each cell across, down, width and height in shares of the sample, and a score for each shape, as YOLO v8 lays them out.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from onnx import NodeProto, helper

from edge_examples.graphs import Weights, model

GRID: Final = 12
"""Cells across, and down."""

CELLS: Final = (np.stack(np.meshgrid(np.arange(GRID), np.arange(GRID)), axis=-1).reshape(-1, 2) + 0.5) / GRID
"""The cells' middles, across and down, in shares of the sample; row by row."""

Layers = Sequence[tuple[Weights, Weights]]
"""A perceptron of one hidden layer: weights ``(in, out)`` and bias of each layer."""


def detector(side: int, what: Layers, where: Layers) -> bytes:
    """Both perceptrons, over all cells.

    Args:
        side: Pixels of the input's side.
        what: From the surroundings of a cell to nothing and the shapes, before softmax.
        where: From there to the shape's place, in cells: across and down from the cell's middle, width and height.
    """
    shapes = len(what[-1][1]) - 1
    weights: dict[str, Weights] = {
        "begin": np.stack([*CELLS.T, np.zeros(len(CELLS)), np.zeros(len(CELLS))])[None],
        "cells": np.array(GRID),
    }
    nodes = [
        *_perceptron("what", what, side // GRID, weights),
        helper.make_node("Softmax", ["what"], ["shares"], axis=1),
        helper.make_node("Split", ["shares", "widths"], ["nothing", "scores"], axis=1),
        *_perceptron("where", where, side // GRID, weights),
        helper.make_node("Div", ["where", "cells"], ["away"]),
        helper.make_node("Add", ["away", "begin"], ["boxes"]),
        helper.make_node("Concat", ["boxes", "scores"], ["candidates"], axis=1),
    ]
    whole = [
        helper.make_node("Constant", [], ["flat"], value_ints=[0, 0, -1]),
        helper.make_node("Constant", [], ["widths"], value_ints=[1, shapes]),
        *nodes,
    ]
    return model("shapes", ("image", (1, side, side)), ("candidates", (4 + shapes, len(CELLS))), whole, weights)


def _perceptron(name: str, layers: Layers, cell: int, weights: dict[str, Weights]) -> list[NodeProto]:
    """Its first layer as a convolution over five cells across and down; gives the shape ``(batch, out, cells)``."""
    (first, first_bias), (second, second_bias) = layers
    weights |= {
        f"{name}_first": first.T.reshape(-1, 1, 5 * cell, 5 * cell),
        f"{name}_first_bias": first_bias,
        f"{name}_second": second.T[:, :, None, None],
        f"{name}_second_bias": second_bias,
    }
    around = {"strides": [cell, cell], "pads": [2 * cell] * 4}
    return [
        helper.make_node("Conv", ["image", f"{name}_first", f"{name}_first_bias"], [f"{name}_sums"], **around),
        helper.make_node("Relu", [f"{name}_sums"], [f"{name}_hidden"]),
        helper.make_node("Conv", [f"{name}_hidden", f"{name}_second", f"{name}_second_bias"], [f"{name}_grid"]),
        helper.make_node("Reshape", [f"{name}_grid", "flat"], [name]),
    ]
