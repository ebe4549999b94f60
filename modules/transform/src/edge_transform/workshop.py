"""Prepares items on all cores: from files on the share to the rows of batches."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final, TypeVar, cast

import numpy as np
from prometheus_client import Histogram

from edge_common.contract import ImageInput, Input
from edge_common.errors import ItemError
from edge_common.messages import Frame, Item, Part
from edge_transform.apart import COMMAND, Apart
from edge_transform.backlog import Waiting
from edge_transform.box import Preparer, Reader, RowsTask, Task
from edge_transform.decoders import decoder_of
from edge_transform.decoders.sniff import HEAD_BYTES
from edge_transform.errors import SEVERAL
from edge_transform.hands import Piece, work_off
from edge_transform.prepare import prepare_into
from edge_transform.prepare.samples import Samples, samples
from edge_transform.reader import read_item, read_samples
from edge_transform.room import Room
from edge_transform.rows import Row, Rows
from edge_transform.stopwatch import Stopwatch

T = TypeVar("T")

CORES: Final = len(os.sched_getaffinity(0))

REST_S: Final = 10.0
"""How long processes for suspects wait for others."""

HANDS: Final = max(2, CORES)
"""Threads at a batch, and in all: where one hangs, another goes on."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How files are decoded.

    Attributes:
        here: A picture, in a thread of this process.
        read: A file of many samples, likewise.
        apart: The command of a process for suspects.
    """

    here: Preparer = prepare_into
    read: Reader = read_samples
    apart: Sequence[str] = COMMAND


DECODING: Final = Decoding()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch, and what did not make it.

    Attributes:
        items: Whose rows they are, in order.
        rows: Shape ``(len(items), channels, height, width)``.
        frames: Where each lies in its picture.
        failures: Items, and why.
        several: Those that hold several pictures, and are to be taken one by one.
    """

    items: Sequence[Item]
    rows: Rows
    frames: Sequence[Frame]
    failures: Sequence[tuple[Item, ItemError]]
    several: Sequence[Waiting]

    @property
    def parts(self) -> Sequence[Part]:
        """One for each row."""
        pairs = zip(self.items, self.frames, strict=True)
        return [Part(item=item, first=row, rows=1, frames=(frame,)) for row, (item, frame) in enumerate(pairs)]


class Workshop:
    """Threads that prepare; Pillow, hashing and NumPy let go of the interpreter's lock.

    Args:
        share: The share's root, resolved.
        seconds: Observes the time of each item.
        decoding: What does the work.
        pool: The threads; closed with the workshop.
        streams: Those for files of many samples, one for each that is in hand at once, since such a file keeps its room
            between two blocks, and whoever waits for that must not keep it from going on.
    """

    def __init__(
        self,
        share: Path,
        seconds: Histogram,
        decoding: Decoding,
        pool: ThreadPoolExecutor,
        streams: ThreadPoolExecutor,
    ) -> None:
        self._share = share
        self._seconds = seconds
        self._decoding = decoding
        self._apart = Apart(decoding.apart)
        self._resting: asyncio.TimerHandle | None = None
        self._pool = pool
        self._streams = streams
        self._bytes = Room(0)
        self._pixels = Room(0)

    def set_limits(self, max_file_bytes: int, max_pixels: int) -> None:
        """Set what a file, and its picture, may have; and all that are in hand at once together."""
        self._bytes.most = max_file_bytes
        self._pixels.most = max_pixels

    async def prepare(self, batch: Sequence[Waiting], wanted: ImageInput, seconds: int) -> Prepared:
        """Prepare items into a batch; one that fails harms no other.

        Args:
            batch: The items.
            wanted: What to prepare them for.
            seconds: The CPU time after which an item is given up.
        """
        rows = np.empty((len(batch), *wanted.sample_shape), wanted.sample_dtype)
        task = Task(wanted=wanted, max_pixels=self._pixels.most, seconds=seconds)
        pieces = [
            Piece(partial(self._prepare_file, waiting, task, row)) for waiting, row in zip(batch, rows, strict=True)
        ]
        await work_off(pieces, HANDS, self._pool, seconds)
        outcomes = [piece.outcome for piece in pieces]
        if any(waiting.suspect for waiting in batch):
            self._rest_later()
        pairs = [*zip(batch, outcomes, strict=True)]
        errors = [(waiting, outcome) for waiting, outcome in pairs if isinstance(outcome, ItemError)]
        good = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Frame)]
        return Prepared(
            items=[batch[number].item for number in good],
            rows=rows if len(good) == len(batch) else rows[good],
            frames=[outcome for outcome in outcomes if isinstance(outcome, Frame)],
            failures=[(waiting.item, error) for waiting, error in errors if error.code != SEVERAL],
            several=[waiting for waiting, error in errors if error.code == SEVERAL],
        )

    async def prepare_content(self, content: bytes, wanted: Input, seconds: int) -> tuple[Samples, bool]:
        """The first samples, at most a batch, of what is no file on the share; and whether it holds more.

        Raises:
            ItemError: It cannot be prepared.
        """

        def work(stopwatch: Stopwatch) -> tuple[Samples, bool]:
            stopwatch.start()
            with closing(samples(BytesIO(content), content[:HEAD_BYTES], wanted, self._pixels)) as blocks:
                return next(blocks), next(blocks, None) is not None

        with self._seconds.time():
            return await self._done(work, seconds, self._pool)

    async def samples(
        self, waiting: Waiting, wanted: Input, seconds: int
    ) -> AsyncGenerator[tuple[Samples, bool], None]:
        """The samples of a file that holds many, and with each block whether it is the last.

        Args:
            waiting: The item.
            wanted: What to prepare them for.
            seconds: The CPU time after which it is given up, for each block.

        Raises:
            ItemError: It cannot be read on; its code says why.
        """
        blocks = self._blocks(waiting, wanted, seconds)

        def step(stopwatch: Stopwatch) -> tuple[Samples, bool] | None:
            stopwatch.start()
            return next(blocks, None)

        while block := await self._done(step, seconds, self._streams):
            yield block

    def close(self) -> None:
        """End the threads once they have finished what they are at."""
        for pool in (self._pool, self._streams):
            pool.shutdown(wait=False, cancel_futures=True)
        self._apart.rest()

    def _rest_later(self) -> None:
        """Suspects come one after the other, and then for a long time none."""
        if self._resting:
            self._resting.cancel()
        self._resting = asyncio.get_running_loop().call_later(REST_S, self._apart.rest)

    async def _done(self, work: Callable[[Stopwatch], T], seconds: int, pool: ThreadPoolExecutor) -> T:
        """Work in a thread.

        Raises:
            ItemError: What came of it; an OverdueError if it took more CPU time.
        """
        piece = Piece(work)
        await work_off([piece], 1, pool, seconds)
        if isinstance(piece.outcome, ItemError):
            raise piece.outcome
        return cast("T", piece.outcome)

    def _blocks(self, waiting: Waiting, wanted: Input, seconds: int) -> Iterator[tuple[Samples, bool]]:
        if waiting.suspect:
            most = self._pixels.most
            task = RowsTask(wanted=wanted, share=self._share, item=waiting.item, max_pixels=most, seconds=seconds)
            return self._apart.samples(task)
        return self._decoding.read(self._share, waiting.item, wanted, self._pixels)

    def _prepare_file(self, waiting: Waiting, task: Task, row: Row, stopwatch: Stopwatch) -> Frame:
        with self._seconds.time(), self._bytes.taken(waiting.item.size):
            content = read_item(self._share, waiting.item, self._bytes.most, partial(decoder_of, wanted=task.wanted))
            if waiting.suspect:
                return self._apart.prepare(content, task, row)
            stopwatch.start()
            return self._decoding.here(content, task.wanted, self._pixels, row)
