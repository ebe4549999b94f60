"""What a model's numbers mean: one file a kind of output, registered in ``KINDS``."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from edge_inference.outputs.classification import Classification
from edge_inference.session import Array

Row = Mapping[str, Any]
"""One prediction: column to value, ready for JSON."""


class Interpreter(Protocol):
    """Reads one kind of output."""

    def check(self, shape: Sequence[int | str | None]) -> None:
        """See that a graph's output can be read so.

        Raises:
            ContractMismatchError: It cannot.
        """

    def interpret(self, values: Array) -> Sequence[Row]:
        """One prediction a row; the values are finite."""

    def agree(self, row: Row, other: Row) -> bool:
        """Whether two models' predictions of one sample say the same."""


KINDS: Final[Mapping[str, Callable[[Any], Interpreter]]] = {"classification": Classification}
"""Made of the contract's output half, by its ``kind``."""
