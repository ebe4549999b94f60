"""From Arrow's columns to numbers, as the contract says."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from edge_common.contract import Column, TabularInput
from edge_common.errors import ItemError
from edge_transform.tables.cutting import windows

Block = npt.NDArray[np.float32]


def types(wanted: TabularInput) -> dict[str, pa.DataType]:
    """The columns' Arrow types, where a format leaves the choice."""
    return {column.name: pa.string() if column.categories else pa.float64() for column in wanted.columns}


def check(found: Iterable[str], wanted: TabularInput) -> None:
    """See that a table has the columns.

    Raises:
        ItemError: ``WRONG_COLUMNS``.
    """
    missing = {column.name for column in wanted.columns} - set(found)
    if missing:
        raise ItemError("WRONG_COLUMNS", f"the table has no column {', '.join(sorted(missing))}")


def samples(batches: Iterable[pa.RecordBatch], wanted: TabularInput) -> Iterator[Block]:
    """Samples of a table.

    Raises:
        ItemError: ``MISSING_VALUE``.
    """
    rows = (_matrix(batch, wanted) for batch in batches)
    return rows if wanted.window == 1 else windows(rows, wanted.window, wanted.step)


def _matrix(batch: pa.RecordBatch, wanted: TabularInput) -> Block:
    return np.stack([_numbers(batch.column(column.name), column) for column in wanted.columns], axis=1)


def _numbers(values: "pa.Array[pa.Scalar[pa.DataType]]", column: Column) -> Block:
    if column.categories:
        values = pc.index_in(values.cast(pa.string()), value_set=pa.array(column.categories))
    with np.errstate(over="ignore"):  # what float32 does not hold is infinite, and so missing
        numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32)
    missing = ~np.isfinite(numbers)
    if missing.any():
        if column.fill is None:
            raise ItemError("MISSING_VALUE", f"column {column.name} lacks values, and the contract has no fill for it")
        numbers[missing] = column.fill
    return numbers
