"""JSON Lines: an object a line."""

from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import json

from edge_common.contract import TabularInput
from edge_transform.tables import columns

BLOCK_BYTES: Final = 1 << 20
"""Read at once; a longer line is malformed."""


def read(file: BinaryIO, wanted: TabularInput) -> Iterator[npt.NDArray[np.float32]]:
    """A table's samples; see :func:`edge_transform.tables.samples`."""
    file.seek(0)
    reading = json.ReadOptions(use_threads=False, block_size=BLOCK_BYTES)
    parsing = json.ParseOptions(
        explicit_schema=pa.schema(columns.types(wanted).items()), unexpected_field_behavior="ignore"
    )
    yield from columns.samples(json.open_json(file, reading, parsing), wanted)
