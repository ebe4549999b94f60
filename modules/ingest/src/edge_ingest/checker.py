"""Checks in the background whether the ledger is whole, and has one replaced that is not."""

import asyncio
from pathlib import Path
from threading import Event
from typing import Final

from edge_common.background import background
from edge_common.clock import Clock
from edge_ingest.ledger.integrity import fault
from edge_ingest.ledger.journal import Journal

REST_S: Final = 86_400.0
"""Between two checks; the first is at the start."""


class Checker:
    """The checks.

    Args:
        path: The ledger's file.
        journal: The ledger.
        clock: Time.
    """

    def __init__(self, path: Path, journal: Journal, clock: Clock) -> None:
        self._path = path
        self._journal = journal
        self._clock = clock
        self._thread = background("check")
        self._stopped = Event()

    async def run(self) -> None:
        """Check from time to time, for ever."""
        while True:
            life = self._journal.life
            if found := await self._fault():
                self._journal.doubt(found, life)
            await self._clock.sleep(REST_S)

    def stop(self) -> None:
        """Check no longer."""
        self._stopped.set()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _fault(self) -> str | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, fault, self._path, self._stopped.is_set)
