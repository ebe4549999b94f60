"""How unusual a sample is."""

from collections.abc import Mapping, Sequence

import numpy as np

from edge_common.contract import AnomalyOutput
from edge_common.messages import Frame
from edge_inference.outputs.kind import Row, Shapes, Values
from edge_inference.outputs.numbers import check_width, column_of
from edge_inference.session import Array


class Anomaly:
    """The score, and whether it reaches the threshold, which two models agree on or not. Drift shows in the score.

    Args:
        output: The contract's output half.
    """

    columns: Mapping[str, str] = {}
    features: Mapping[str, int] = {"score": 0}

    def __init__(self, output: AnomalyOutput) -> None:
        self._output = output
        self.names = (output.name,)

    def check(self, shapes: Shapes) -> None:
        check_width(self._output.name, shapes[self._output.name], 1)

    def interpret(self, values: Values, _: Sequence[Frame | None]) -> list[Row]:
        scores = column_of(values[self._output.name])
        return [{"score": score, "alert": score >= self._output.threshold} for score in scores]

    def agree(self, row: Row, other: Row) -> float:
        return float(row["alert"] == other["alert"])

    def measure(self, rows: Sequence[Row]) -> Array:
        return np.array([[row["score"]] for row in rows]).reshape(-1, 1)
