"""The record and its file: what was rejected, and what takes the process down, is known after a restart too."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edge_inference.errors import NoSpaceError
from edge_inference.record import Record, read_record
from edge_inference.swap import Rejection

log = logging.getLogger(__name__)


class Ledger:
    """Keeps the record and its file alike.

    Args:
        path: The file.

    Attributes:
        record: What stands in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "ledger")  # one: a save that is waited for no more ends before the next
        self.record = read_record(path)

    async def keep(self, record: Record) -> None:
        """Write a record. Not to be cancelled: file and record would differ.

        Raises:
            NoSpaceError: The disk refuses; the record is as it was.
        """
        await self._save(record)
        self.record = record

    async def begin(self, digest: str) -> None:
        """A model is about to be tried, which may take the process down: that is noted first.

        Raises:
            CrashLoopError: That took the process down too often.
        """
        await self._write(self.record.begun(digest))

    async def end(self, digest: str) -> None:
        """The attempt has ended, well or not."""
        if digest in self.record.attempts:
            await self._write(self.record.ended(digest))

    async def reject(self, entry: Rejection) -> None:
        """A package is not tried again under its request."""
        await self._write(self.record.rejecting(entry))

    async def _write(self, record: Record) -> None:
        """A full disk keeps no model from serving."""
        self.record = record
        try:
            await self._save(record)
        except NoSpaceError as error:
            log.error("%s", error)

    async def _save(self, record: Record) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, record.save, self._path)
