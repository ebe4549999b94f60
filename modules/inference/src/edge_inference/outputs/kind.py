"""What a kind of output offers, and what it is made of."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from edge_common.messages import Frame
from edge_inference.session import Array

Row = Mapping[str, Any]
"""One prediction: column to value, ready for JSON.

Three columns mean the same in every kind that has them, and become properties of messages: ``alert``, a bool;
``label``, a text; and ``score``, a number.
"""

Shape = Sequence[int | str | None]
Shapes = Mapping[str, Shape]
"""Of a graph's outputs, by name."""

Values = Mapping[str, Array]
"""What a graph gives for a batch: by output, an array of a row for each sample."""


class Interpreter(Protocol):
    """Reads one kind of output."""

    @property
    def names(self) -> Sequence[str]:
        """The graph outputs that it reads."""

    @property
    def columns(self) -> Mapping[str, str]:
        """The types (see ``edge_upload.columns``) of those columns whose values may be None or empty."""

    @property
    def features(self) -> Mapping[str, int]:
        """What of a prediction is watched for drift: names, with the number of classes where it is that of a class."""

    def check(self, shapes: Shapes) -> None:
        """See that a graph's outputs can be read so.

        Raises:
            ContractMismatchError: They cannot.
        """

    def interpret(self, values: Values, frames: Sequence[Frame | None]) -> Sequence[Row]:
        """One prediction a row.

        Args:
            values: Finite.
            frames: Where each row's sample lies in its picture; none where that is unknown.
        """

    def agree(self, row: Row, other: Row) -> float:
        """How far two models' predictions of one sample say the same: 1 is wholly, 0 not at all."""

    def measure(self, rows: Sequence[Row]) -> Array:
        """The features of predictions: shape ``(rows, features)``."""
