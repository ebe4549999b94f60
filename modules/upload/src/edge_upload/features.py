"""Features: the rows of the tensor store that predictions were made from."""

import numpy as np
import numpy.typing as npt

from edge_common.errors import BatchGoneError, BatchTornError, ItemError
from edge_common.tensors import TensorReader
from edge_upload.records import Arrival, TensorType

Rows = npt.NDArray[np.generic]


class FeatureReader:
    """Reads parts' rows; those of one batch, coming one after the other, from one open file.

    Args:
        store: The tensor store.
    """

    def __init__(self, store: TensorReader) -> None:
        self._store = store
        self._batch = ""
        self._rows: Rows = np.empty(0)

    def read(self, arrival: Arrival) -> Rows:
        """A part's rows, mapped into memory; shape ``(rows, …)``.

        Raises:
            ItemError: The batch is no longer there, not whole, or not of numbers.
        """
        batch = self._open(arrival.batch)
        rows = batch[arrival.first : arrival.first + arrival.record.rows]
        if len(rows) < arrival.record.rows:
            raise ItemError("BATCH_TORN", f"batch {arrival.batch} has only {len(batch)} rows", can_retry=True)
        if rows.dtype.kind not in "iuf":
            raise ItemError("UNSUPPORTED", f"features of type {rows.dtype} cannot be stored")
        return rows

    def forget(self) -> None:
        """Let go of the batch that was read last: as long as it is mapped, its memory is not free."""
        self._batch, self._rows = "", np.empty(0)

    def _open(self, batch: str) -> Rows:
        if batch != self._batch:
            self.forget()
            self._rows = self._read(batch)
            self._batch = batch
        return self._rows

    def _read(self, batch: str) -> Rows:
        try:
            return np.atleast_1d(self._store.map(batch))
        except BatchGoneError as error:
            raise ItemError("BATCH_GONE", str(error), can_retry=True) from error
        except BatchTornError as error:
            raise ItemError("BATCH_TORN", str(error), can_retry=True) from error


def tensor_type(rows: Rows) -> TensorType:
    """What one of the rows is."""
    return TensorType(dtype=rows.dtype.name, shape=rows.shape[1:])


def raw(rows: Rows) -> bytes:
    """Rows as bytes, row by row, in the machine's byte order."""
    return rows.astype(rows.dtype.newbyteorder("="), copy=False).tobytes()
