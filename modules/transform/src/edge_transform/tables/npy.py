"""NumPy's own format, versions 1.0 and 2.0 (NEP 1); never pickled."""

import math
import os
from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from edge_common.contract import TensorInput
from edge_common.errors import ItemError
from edge_transform.tables.finite import finite

BLOCK_BYTES: Final = 1 << 20
NUMBERS: Final = "biuf"
HEADERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read(file: BinaryIO, wanted: TensorInput) -> Iterator[npt.NDArray[np.float32]]:
    """A file's samples; see :func:`edge_transform.tables.samples`."""
    file.seek(0)
    shape, fortran, dtype = HEADERS[npy.read_magic(file)](file)
    if dtype.kind not in NUMBERS:
        raise ItemError("UNSUPPORTED", f"it holds {dtype}, not numbers")
    shape = _rows(shape, wanted)
    begin = file.tell()
    left = file.seek(0, os.SEEK_END) - file.seek(begin)
    if fortran or math.prod(shape) * dtype.itemsize != left:
        raise ItemError("DECODE_FAILED", f"{left} bytes are no array of {dtype} and shape {shape} in C order")
    some = max(1, BLOCK_BYTES // (math.prod(wanted.shape) * dtype.itemsize))
    for start in range(0, shape[0], some):
        rows = min(some, shape[0] - start)
        values = np.frombuffer(file.read(rows * math.prod(wanted.shape) * dtype.itemsize), dtype)
        with np.errstate(over="ignore"):
            yield finite(values.astype(np.float32)).reshape(rows, *wanted.shape)


def _rows(shape: tuple[int, ...], wanted: TensorInput) -> tuple[int, ...]:
    shape = (1, *shape) if shape == wanted.shape else shape
    if shape[1:] != wanted.shape:
        raise ItemError("WRONG_SHAPE", f"its shape is {shape}; the model takes (rows, *{wanted.shape})")
    return shape
