"""What a row of the spool's table ``parts`` stands for. Pure: no I/O.

An item is uploaded once none of its rows is left; so its features and its file are rows there, beside its results.
Their numbers lie above those of results, where the release before, which knows results only, never looks for one.
"""

from enum import StrEnum
from typing import Final

FEATURES_FROM: Final = 1 << 31
ORIGINAL_NUMBER: Final = 1 << 32


class Cargo(StrEnum):
    """Kinds of rows."""

    RESULTS = "results"
    """A part's predictions, or its tensors where a device collects without a model."""
    FEATURES = "features"
    """The tensor rows that a part's predictions were made from."""
    ORIGINAL = "original"
    """The item's file, which is on the share until it is uploaded; only a reference takes room."""

    def number(self, part: int) -> int:
        """The number under which what belongs to a part is kept."""
        match self:
            case Cargo.RESULTS:
                return part
            case Cargo.FEATURES:
                return FEATURES_FROM + part
            case Cargo.ORIGINAL:
                return ORIGINAL_NUMBER


def rank(cargo: Cargo, *, hard: bool) -> int:
    """What goes first: results, then hard examples, then the rest."""
    return 0 if cargo is Cargo.RESULTS else 1 if hard else 2
