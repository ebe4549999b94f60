"""The tensor store: batches as files in one folder, which is best a tmpfs, written by one module and read by others.

One ``.npy`` file a batch (NumPy's own format, version 1.0; never pickled), which can be mapped into memory.
A file is written beside its place and renamed, so a reader sees all of it or none. Nothing in it is precious: the
ledger would send it again.
"""

import contextlib
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from edge_common.errors import BatchGoneError, BatchTooLargeError, BatchTornError, StoreFullError
from edge_common.files import atomic_writer

HEADER_BYTES = 128
"""What ``.npy`` adds to an array of few dimensions."""


class TensorReader:
    """The store as its readers have it: read-only.

    Args:
        folder: The store's folder; or that above the folders of several writers, of which it may be one itself.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, batch: str) -> npt.NDArray[np.generic]:
        """A batch, in memory; shape ``(rows, …)``.

        Mapping it would cost less, but takes the lock of the process's whole address space, with the interpreter's lock
        in hand: who maps waits for threads that give large memory back.

        Raises:
            BatchGoneError: There is no such batch.
            BatchTornError: Its file is not a whole array.
        """
        array = self._load(batch, None)
        array.flags.writeable = False
        return array

    def map(self, batch: str) -> npt.NDArray[np.generic]:
        """A batch, mapped into memory, for who needs little of it. It stays readable after the file is removed.

        Raises:
            BatchGoneError: There is no such batch.
            BatchTornError: Its file is not a whole array.
        """
        return self._load(batch, "r")

    def _load(self, batch: str, mode: Literal["r"] | None) -> npt.NDArray[np.generic]:
        try:
            array: npt.NDArray[np.generic] = np.load(self._path(f"{batch}.npy"), mmap_mode=mode, allow_pickle=False)
        except FileNotFoundError:
            raise BatchGoneError(f"batch {batch} is not in the tensor store") from None
        except (ValueError, EOFError, OSError) as error:
            raise BatchTornError(f"batch {batch} cannot be read ({error})") from error
        return array

    def _path(self, name: str) -> Path:
        path = self._folder / name
        return path if path.exists() else next(self._folder.glob(f"*/{name}"), path)


class TensorWriter:
    """The store as its one writer has it: keeps the bytes under a budget.

    Args:
        folder: The store's folder; made if it is not there. What it holds is counted.
        budget: Bytes that all batches may take together.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        self._folder = folder
        self.budget = budget
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(".*.tmp"):
            leftover.unlink()
        self._sizes = {path.stem: path.stat().st_size for path in folder.glob("*.npy")}
        self._used = sum(self._sizes.values())

    @property
    def used(self) -> int:
        """Bytes that the batches take now."""
        return self._used

    @property
    def batches(self) -> frozenset[str]:
        """The batches in the store."""
        return frozenset(self._sizes)

    def write(self, batch: str, array: npt.NDArray[np.generic]) -> None:
        """Put a batch in the store.

        Args:
            batch: Its name; letters, digits, ``-`` and ``_``.
            array: Shape ``(rows, …)``, C-contiguous.

        Raises:
            BatchTooLargeError: It alone is over the budget.
            StoreFullError: It does not fit beside the others now, or the file system is full.
        """
        size = array.nbytes + HEADER_BYTES
        if size > self.budget:
            raise BatchTooLargeError(f"a batch of {size} bytes is over the tensor store's budget of {self.budget}")
        if self._used + size > self.budget:
            raise StoreFullError(f"{self._used} of the tensor store's {self.budget} bytes are used")
        try:
            with atomic_writer(self._folder / f"{batch}.npy", durable=False) as file:
                file.truncate(array.nbytes)  # so that a tmpfs with huge pages knows that it may take them
                np.save(file, array, allow_pickle=False)
        except OSError as error:
            raise StoreFullError(f"the tensor store cannot be written ({error})") from error
        self._sizes[batch] = size
        self._used += size

    def remove(self, batch: str) -> None:
        """Take a batch out; one that is not there is no error."""
        self._used -= self._sizes.pop(batch, 0)
        with contextlib.suppress(FileNotFoundError):
            (self._folder / f"{batch}.npy").unlink()
