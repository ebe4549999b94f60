"""A vector that is near those of similar samples."""

from collections.abc import Mapping, Sequence

import numpy as np

from edge_common.contract import EmbeddingOutput
from edge_common.messages import Frame
from edge_inference.errors import ContractMismatchError
from edge_inference.outputs.kind import Row, Shapes, Values
from edge_inference.outputs.numbers import short
from edge_inference.session import Array


class Embedding:
    """The vector as it is. Two models agree by its cosine, and drift shows in its length.

    Args:
        output: The contract's output half.
    """

    columns: Mapping[str, str] = {}
    features: Mapping[str, int] = {"norm": 0}

    def __init__(self, output: EmbeddingOutput) -> None:
        self._name = output.name
        self.names = (output.name,)

    def check(self, shapes: Shapes) -> None:
        shape, rank = shapes[self._name], 2
        if len(shape) != rank:
            raise ContractMismatchError(f"an embedding is of shape (batch, dimensions), not {(*shape,)}")

    def interpret(self, values: Values, _: Sequence[Frame | None]) -> list[Row]:
        return [{"embedding": vector} for vector in short(values[self._name])]

    def agree(self, row: Row, other: Row) -> float:
        return cosine(row["embedding"], other["embedding"])

    def measure(self, rows: Sequence[Row]) -> Array:
        return np.array([[np.linalg.norm(row["embedding"])] for row in rows]).reshape(-1, 1)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of the angle between two vectors; 0 where it is negative, or where there is none."""
    if len(one) != len(other):
        return 0.0
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return max(0.0, min(1.0, float(np.dot(one, other)) / lengths)) if lengths else 0.0
