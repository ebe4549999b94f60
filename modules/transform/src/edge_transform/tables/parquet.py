"""Parquet."""

from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from edge_common.contract import TabularInput
from edge_transform.tables import columns

BUFFER_BYTES: Final = 1 << 20
"""Of each column that is read."""

ROWS: Final = 1 << 12


def read(file: BinaryIO, wanted: TabularInput) -> Iterator[npt.NDArray[np.float32]]:
    """A table's samples; see :func:`edge_transform.tables.samples`."""
    file.seek(0)
    table = pq.ParquetFile(file, buffer_size=BUFFER_BYTES, pre_buffer=False)
    columns.check(table.schema_arrow.names, wanted)
    names = [column.name for column in wanted.columns]
    yield from columns.samples(table.iter_batches(ROWS, columns=names, use_threads=False), wanted)
