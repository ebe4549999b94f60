"""Numbers as predictions have them."""

from typing import Any

import numpy as np

from edge_inference.errors import ContractMismatchError
from edge_inference.outputs.kind import Shape
from edge_inference.session import Array


def short(values: Array) -> Any:
    """An array of one or more dimensions as nested lists of float, without the digits that float32 does not have."""
    flat = np.array([float(f"{value:.6g}") for value in np.ravel(values).tolist()])
    return flat.reshape(np.shape(values)).tolist()


def column_of(values: Array) -> list[float]:
    """One number a row, of shape ``(rows,)`` or ``(rows, 1)``."""
    return [float(f"{value:.6g}") for value in np.ravel(values).tolist()]


def check_width(name: str, shape: Shape, width: int) -> None:
    """See that an output has so many numbers a row; one may go without a dimension of its own.

    Raises:
        ContractMismatchError: It has not.
    """
    fits = len(shape) == 2 and (shape[1] == width or not isinstance(shape[1], int))  # noqa: PLR2004
    if not fits and not (width == 1 and len(shape) == 1):
        raise ContractMismatchError(f"an output of shape (batch, {width}) is wanted of {name!r}, not {(*shape,)}")
