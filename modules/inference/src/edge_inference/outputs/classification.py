"""One score a class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edge_common.contract import ClassificationOutput
from edge_inference.errors import ContractMismatchError
from edge_inference.session import Array


class Classification:
    """Names the best classes of each row.

    Args:
        output: The contract's output half.
    """

    def __init__(self, output: ClassificationOutput) -> None:
        self._output = output
        self._most = min(output.top_k, len(output.labels))

    def check(self, shape: Sequence[int | str | None]) -> None:
        labels = len(self._output.labels)
        rank = 2
        if len(shape) != rank or (isinstance(shape[1], int) and shape[1] != labels):
            raise ContractMismatchError(f"{labels} labels need an output of shape (batch, {labels}), not {(*shape,)}")

    def interpret(self, values: Array) -> list[Mapping[str, Any]]:
        scores = values.astype(np.float32, copy=False)
        if self._output.activation == "softmax":
            scores = softmax(scores)
        order = np.argsort(-scores, axis=1, kind="stable")[:, : self._most]
        best = np.take_along_axis(scores, order, axis=1)
        return [self._row(classes, row) for classes, row in zip(order.tolist(), best.tolist(), strict=True)]

    def agree(self, row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        return bool(row["label"] == other["label"])

    def _row(self, classes: Sequence[int], scores: Sequence[float]) -> Mapping[str, Any]:
        labels = [self._output.labels[index] for index in classes]
        short = [float(f"{score:.6g}") for score in scores]  # float32 has no more digits
        return {"label": labels[0], "score": short[0], "labels": labels, "scores": short}


def softmax(logits: Array) -> Array:
    """Row by row, in float32, without overflow: the largest logit is subtracted first."""
    with np.errstate(over="ignore"):  # a difference too large for float32 is -inf, whose power is 0, as it should be
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
