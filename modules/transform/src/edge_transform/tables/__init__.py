"""Files of many samples: from a file to blocks of rows, in bounded memory, by what the contract wants.

A further format is a further file here with one function, and a line in the table below. pyarrow and libsndfile are
imported when the first table or sound comes: devices that see only pictures never load them.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from edge_common.contract import AudioInput, TabularInput, TensorInput
from edge_common.errors import ItemError
from edge_transform.decoders.sniff import sniff
from edge_transform.errors import judging
from edge_transform.tables.cutting import cut

Block = npt.NDArray[np.float32]
RowsInput = TabularInput | TensorInput | AudioInput
Reader = Callable[[BinaryIO, RowsInput], Iterator[Block]]
"""Takes an open file and what is wanted of it; yields samples, some at a time."""

MODULES: Final[Mapping[str, Mapping[str, str]]] = {
    "tabular": {
        "text/plain": "csv",
        "application/json": "jsonlines",
        "application/vnd.apache.parquet": "parquet",
    },
    "tensor": {"application/x-npy": "npy"},
    "audio": {"audio/wav": "sound", "audio/flac": "sound"},
}
"""By the contract's kind of input and the file's content type: the module here whose ``read`` reads it."""


def samples(file: BinaryIO, head: bytes, wanted: RowsInput) -> Iterator[Block]:
    """A file's samples, in blocks of the batch that suits the model; only the last may be smaller.

    Args:
        file: Open, at its beginning; can seek.
        head: How it begins.
        wanted: The contract's input half.

    Yields:
        Shape ``(rows, *wanted.sample_shape)``.

    Raises:
        ItemError: ``EMPTY``, ``UNSUPPORTED``, ``DECODE_FAILED``, ``WRONG_COLUMNS``, ``WRONG_SHAPE`` or
            ``MISSING_VALUE``.
        MemoryError: There is not enough for it now.
    """
    read, some = reader_of(head, wanted), False
    with judging():
        for block in cut(read(file, wanted), wanted.batch):
            some = True
            yield block
    if not some:
        raise ItemError("EMPTY", "there is no sample in it")


def reader_of(head: bytes, wanted: RowsInput) -> Reader:
    """What reads a file that begins so.

    Raises:
        ItemError: ``EMPTY`` or ``UNSUPPORTED``.
    """
    if not head:
        raise ItemError("EMPTY", "the file is empty")
    found, readers = sniff(head), MODULES[wanted.kind]
    if found not in readers:
        raise ItemError("UNSUPPORTED", f"this is {found}; the model takes {wanted.kind}: {', '.join(sorted(readers))}")
    reader: Reader = import_module(f"{__name__}.{readers[found]}").read
    return reader
