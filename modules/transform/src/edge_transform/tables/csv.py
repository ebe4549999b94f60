"""CSV, UTF-8, with a head line (RFC 4180, with any delimiter)."""

from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
from pyarrow import csv

from edge_common.contract import TabularInput
from edge_transform.tables import columns

BLOCK_BYTES: Final = 1 << 20
"""Read at once; a longer line is malformed."""


def read(file: BinaryIO, wanted: TabularInput) -> Iterator[npt.NDArray[np.float32]]:
    """A table's samples; see :func:`edge_transform.tables.samples`."""
    file.seek(0)
    names = csv.open_csv(file, _reading(), _parsing(wanted)).schema.names
    columns.check(names, wanted)
    file.seek(0)
    kinds = columns.types(wanted)
    converting = csv.ConvertOptions(column_types=kinds, include_columns=list(kinds), strings_can_be_null=True)
    yield from columns.samples(csv.open_csv(file, _reading(), _parsing(wanted), converting), wanted)


def _reading() -> csv.ReadOptions:
    return csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES)


def _parsing(wanted: TabularInput) -> csv.ParseOptions:
    return csv.ParseOptions(delimiter=wanted.delimiter)
