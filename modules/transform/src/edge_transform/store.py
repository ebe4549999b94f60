"""The tensor store with its residents: batches wait for room, and leave when they have served."""

import asyncio
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from edge_common.clock import Clock
from edge_common.contract import Input
from edge_common.errors import TensorStoreError
from edge_common.messages import Part, Receipt
from edge_common.tensors import HEADER_BYTES, TensorWriter
from edge_common.timing import wait_for_event
from edge_transform.residents import Residents
from edge_transform.rows import Rows

RETRY_S: Final = 1.0
"""Room that this module did not make itself (another user of the file system) is noticed this late."""

SWEEP_S: Final = 1.0


class BatchStore:
    """Puts batches into the tensor store and takes them out again.

    Args:
        writer: The tensor store; what it holds stays for ``orphan_seconds``.
        clock: Times are its monotonic seconds.
    """

    def __init__(self, writer: TensorWriter, clock: Clock) -> None:
        self.grace_seconds = 0.0
        self._writer = writer
        self._clock = clock
        self._residents = Residents()
        self._turn = asyncio.Lock()
        self._room = asyncio.Event()
        self._left = asyncio.Event()
        self._closing = False
        self._thread = ThreadPoolExecutor(1, "store")  # one thread, since the writer is not made for more

    def adopt(self, seconds: float) -> None:
        """Give what an earlier run left in the store so long to be read."""
        for batch in self._writer.batches:
            self._residents.add(batch, (), self._clock.monotonic() + seconds)

    @property
    def used(self) -> int:
        """Bytes that the batches take now."""
        return self._writer.used

    def set_budget(self, budget: int) -> None:
        """Set what all batches may take together, in bytes."""
        self._writer.budget = budget
        self._room.set()

    def rows_that_fit(self, wanted: Input) -> int:
        """How many samples one batch can have; 0 if one alone is over the budget."""
        sample = math.prod(wanted.sample_shape) * np.dtype(wanted.sample_dtype).itemsize
        return (self._writer.budget - HEADER_BYTES) // sample

    async def put(self, batch: str, rows: Rows, parts: Iterable[Part], until: float) -> bool:
        """Store a batch as soon as there is room; the first to wait is the first to be served.

        Args:
            batch: Its name.
            rows: Its content.
            parts: What receipts to wait for.
            until: When the last of its leases ends; it is given up then, or stays for the grace period after it.

        Returns:
            Whether it is stored; it is not once its time has ended, or the store is closing.
        """
        async with self._turn:
            while self._clock.monotonic() < until:
                self._room.clear()
                if await self._written(batch, rows):
                    self._residents.add(batch, parts, until + self.grace_seconds)
                    return True
                if self._closing:
                    break
                await wait_for_event(self._room, RETRY_S, self._clock)
        return False

    async def few(self, item: str, most: int, until: float) -> None:
        """Wait until fewer than so many batches hold parts of an item, or that time has come."""
        while self._clock.monotonic() < until:
            self._left.clear()
            if self._residents.count(item) < most or self._closing:
                break
            await wait_for_event(self._left, RETRY_S, self._clock)

    async def offer(self, batch: str, rows: Rows, until: float) -> bool:
        """Store a batch on trial if half of the budget stays free for those that count; nothing waits for room.

        Args:
            batch: Its name.
            rows: Its content.
            until: When it leaves.

        Returns:
            Whether it is stored.
        """
        if 2 * (self.used + rows.nbytes + HEADER_BYTES) > self._writer.budget or not await self._written(batch, rows):
            return False
        self._residents.add(batch, (), until)
        return True

    async def settle(self, receipts: Iterable[Receipt]) -> None:
        """Remove the batches that have served."""
        await self._remove([batch for receipt in receipts for batch in self._residents.settle(receipt)])

    async def sweep(self) -> None:
        """Remove the batches whose time has ended, for ever."""
        while True:
            await self._clock.sleep(SWEEP_S)
            await self._remove(self._residents.expire(self._clock.monotonic()))

    def stop_waiting(self) -> None:
        """Let batches in only if there is room at once: no receipt will make any."""
        self._closing = True
        self._room.set()
        self._left.set()

    def close(self) -> None:
        """End the store's thread; what it holds stays for its readers."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _written(self, batch: str, rows: Rows) -> bool:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.write, batch, rows)
        except TensorStoreError:
            return False
        return True

    async def _remove(self, batches: Iterable[str]) -> None:
        for batch in batches:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.remove, batch)
            self._room.set()
            self._left.set()
