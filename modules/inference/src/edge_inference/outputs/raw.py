"""Tensors whose meaning is known elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from edge_common.contract import RawOutput
from edge_common.messages import Frame
from edge_inference.outputs.kind import Row, Shapes, Values
from edge_inference.outputs.numbers import short
from edge_inference.session import Array

RELATIVE: Final = 1e-3
ABSOLUTE: Final = 1e-4


class Raw:
    """A column for each output. Two models agree in the share of outputs that are alike.

    Drift shows in the mean and the standard deviation of each.

    Args:
        output: The contract's output half.
    """

    columns: Mapping[str, str] = {}

    def __init__(self, output: RawOutput) -> None:
        self.names = output.names
        self.features = {f"{name}_{what}": 0 for name in output.names for what in ("mean", "std")}

    def check(self, shapes: Shapes) -> None:
        pass  # any shape will do

    def interpret(self, values: Values, _: Sequence[Frame | None]) -> list[Row]:
        columns = [short(values[name]) for name in self.names]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*columns, strict=True)]

    def agree(self, row: Row, other: Row) -> float:
        return float(np.mean([_alike(row[name], other[name]) for name in self.names]))

    def measure(self, rows: Sequence[Row]) -> Array:
        values = [[what(row[name]) for name in self.names for what in (np.mean, np.std)] for row in rows]
        return np.array(values).reshape(-1, len(self.features))


def _alike(one: Array, other: Array) -> bool:
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=RELATIVE, atol=ABSOLUTE)
