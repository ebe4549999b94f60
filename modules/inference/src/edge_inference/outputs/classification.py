"""One score a class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edge_common.contract import ClassificationOutput
from edge_common.messages import Frame
from edge_inference.errors import ContractMismatchError
from edge_inference.outputs.kind import Row, Shapes, Values
from edge_inference.outputs.numbers import short
from edge_inference.session import Array


class Classification:
    """Names the best classes of each row.

    Drift shows in the number of the best class, and in its score.

    Args:
        output: The contract's output half.
    """

    columns: Mapping[str, str] = {}

    def __init__(self, output: ClassificationOutput) -> None:
        self._output = output
        self._most = min(output.top_k, len(output.labels))
        self._numbers = {label: number for number, label in enumerate(output.labels)}
        self.names = (output.name,)
        self.features = {"label": len(output.labels), "score": 0}

    def check(self, shapes: Shapes) -> None:
        shape, labels = shapes[self._output.name], len(self._output.labels)
        rank = 2
        if len(shape) != rank or (isinstance(shape[1], int) and shape[1] != labels):
            raise ContractMismatchError(f"{labels} labels need an output of shape (batch, {labels}), not {(*shape,)}")

    def interpret(self, values: Values, _: Sequence[Frame | None]) -> list[Row]:
        scores = values[self._output.name].astype(np.float32, copy=False)
        if self._output.activation == "softmax":
            scores = softmax(scores)
        order = np.argsort(-scores, axis=1, kind="stable")[:, : self._most]
        best = np.take_along_axis(scores, order, axis=1)
        return [self._row(*row) for row in zip(order.tolist(), short(best), strict=True)]

    def agree(self, row: Row, other: Row) -> float:
        return float(row["label"] == other["label"])

    def measure(self, rows: Sequence[Row]) -> Array:
        return np.array([(self._numbers[row["label"]], row["score"]) for row in rows]).reshape(-1, 2)

    def _row(self, classes: Sequence[int], scores: Sequence[float]) -> Row:
        labels = [self._output.labels[index] for index in classes]
        row: dict[str, Any] = {"label": labels[0], "score": scores[0], "labels": labels, "scores": scores}
        return row | {"alert": labels[0] in self._output.alerts} if self._output.alerts else row


def softmax(logits: Array) -> Array:
    """Row by row, in float32, without overflow: the largest logit is subtracted first."""
    with np.errstate(over="ignore"):  # a difference too large for float32 is -inf, whose power is 0, as it should be
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
