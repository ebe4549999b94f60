"""Numbers."""

from collections.abc import Mapping, Sequence

import numpy as np

from edge_common.contract import Quantity, RegressionOutput
from edge_common.messages import Frame
from edge_inference.outputs.kind import Row, Shapes, Values
from edge_inference.outputs.numbers import check_width, short
from edge_inference.session import Array


class Regression:
    """A column for each quantity, and where one has bounds, whether any is beyond its own.

    Two models agree in the share of quantities that they give alike. Drift shows in each of them.

    Args:
        output: The contract's output half.
    """

    columns: Mapping[str, str] = {}

    def __init__(self, output: RegressionOutput) -> None:
        self._output = output
        self._quantities = output.quantities
        self._alerts = any(quantity.bounded for quantity in output.quantities)
        self.names = (output.name,)
        self.features = {quantity.name: 0 for quantity in output.quantities}

    def check(self, shapes: Shapes) -> None:
        check_width(self._output.name, shapes[self._output.name], len(self._quantities))

    def interpret(self, values: Values, _: Sequence[Frame | None]) -> list[Row]:
        numbers = values[self._output.name]
        return [self._row(row) for row in short(numbers.reshape(len(numbers), -1))]

    def agree(self, row: Row, other: Row) -> float:
        return float(np.mean([abs(row[each.name] - other[each.name]) <= each.tolerance for each in self._quantities]))

    def measure(self, rows: Sequence[Row]) -> Array:
        return np.array([[row[name] for name in self.features] for row in rows]).reshape(-1, len(self.features))

    def _row(self, numbers: Sequence[float]) -> Row:
        row = dict(zip(self.features, numbers, strict=True))
        if not self._alerts:
            return row
        return row | {"alert": any(_beyond(quantity, row[quantity.name]) for quantity in self._quantities)}


def _beyond(quantity: Quantity, number: float) -> bool:
    too_low = quantity.low is not None and number < quantity.low
    return too_low or (quantity.high is not None and number > quantity.high)
