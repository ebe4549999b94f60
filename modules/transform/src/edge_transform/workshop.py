"""Prepares items on all cores: from files on the share to the rows of a batch."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from prometheus_client import Histogram

from edge_common.contract import ImageInput
from edge_common.errors import ItemError
from edge_common.messages import Item
from edge_transform.prepare import prepare_into
from edge_transform.reader import read_item

CORES: Final = len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Limits:
    """What is not even tried.

    Attributes:
        max_file_bytes: Larger files.
        max_pixels: Larger pictures.
    """

    max_file_bytes: int
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch, and what did not make it.

    Attributes:
        items: Whose rows they are, in order.
        rows: Shape ``(len(items), channels, height, width)``.
        failures: Items, and why.
    """

    items: Sequence[Item]
    rows: npt.NDArray[np.float32]
    failures: Sequence[tuple[Item, ItemError]]


class Workshop:
    """Threads that prepare; Pillow, hashing and NumPy let go of the interpreter's lock.

    Args:
        share: The share's root, resolved.
        seconds: Observes the time of each item.
        pool: The threads; closed with the workshop.
    """

    def __init__(self, share: Path, seconds: Histogram, pool: ThreadPoolExecutor) -> None:
        self._share = share
        self._seconds = seconds
        self._pool = pool

    async def prepare(self, items: Sequence[Item], wanted: ImageInput, limits: Limits) -> Prepared:
        """Prepare items into a batch; one that fails harms no other."""
        rows = np.empty((len(items), *wanted.sample_shape), np.float32)
        readers = [partial(read_item, self._share, item, limits.max_file_bytes) for item in items]
        outcomes = await asyncio.gather(
            *(self._try(read, wanted, limits, row) for read, row in zip(readers, rows, strict=True))
        )
        failures = [(item, error) for item, error in zip(items, outcomes, strict=True) if error]
        good = [number for number, error in enumerate(outcomes) if error is None]
        return Prepared([items[number] for number in good], rows[good] if failures else rows, failures)

    async def prepare_content(self, content: bytes, wanted: ImageInput, limits: Limits) -> npt.NDArray[np.float32]:
        """Prepare what is no file on the share into a batch of one.

        Raises:
            ItemError: It cannot be prepared.
        """
        rows = np.empty((1, *wanted.sample_shape), np.float32)
        if error := await self._try(lambda: content, wanted, limits, rows[0]):
            raise error
        return rows

    def close(self) -> None:
        """End the threads once they have finished what they are at."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _try(
        self, read: Callable[[], bytes], wanted: ImageInput, limits: Limits, row: npt.NDArray[np.float32]
    ) -> ItemError | None:
        work = asyncio.get_running_loop().run_in_executor
        return await work(self._pool, self._fill, read, wanted, limits, row)

    def _fill(
        self, read: Callable[[], bytes], wanted: ImageInput, limits: Limits, row: npt.NDArray[np.float32]
    ) -> ItemError | None:
        with self._seconds.time():
            try:
                prepare_into(read(), wanted, limits.max_pixels, row)
            except ItemError as error:
                return error
            except MemoryError:
                return ItemError("NO_MEMORY", "there is not enough memory to prepare this now", can_retry=True)
        return None
