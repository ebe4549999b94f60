"""Finds what is on the share: by scans, and between them by what the watch noted."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from itertools import islice
from typing import Final

from edge_common.clock import Clock
from edge_ingest import marks
from edge_ingest.backoff import Backoff
from edge_ingest.bell import Bell
from edge_ingest.intake import Intake
from edge_ingest.settings import IngestSettings
from edge_ingest.share import Share
from edge_ingest.sight import Sight
from edge_ingest.walk import walk
from edge_ingest.watch import ShareWatch

log = logging.getLogger(__name__)

BATCH: Final = 500
"""Files that a scan hands over together."""

GATHER_S: Final = 0.002
"""How long changes are gathered before they are looked at together."""

REST: Final = 10
"""A scan is followed by a pause of at least so many times its own duration."""


class Scanner:
    """Keeps the intake supplied.

    Args:
        share: What to scan.
        watch: What notes changes between scans.
        intake: What takes the paths.
        clock: Time.
        pool: Threads that walk.
        settings: What is in force.

    Attributes:
        left_alone: Pipes, sockets and devices that the last scan came by.
    """

    def __init__(
        self, share: Share, watch: ShareWatch, intake: Intake, clock: Clock, pool: Executor, settings: IngestSettings
    ) -> None:
        self._share = share
        self._watch = watch
        self._intake = intake
        self._clock = clock
        self._pool = pool
        self._settings = settings
        self._bell = Bell(clock)
        self._backoff = Backoff()
        self.left_alone = 0

    def configure(self, settings: IngestSettings) -> None:
        """Put settings in force: the share is scanned under them at once."""
        self._settings = settings
        self._bell.ring()

    async def run(self) -> None:
        """Scan from time to time, for ever; a share that is away is waited for."""
        failures = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._scan()
            except OSError as error:
                failures += 1
                pause = min(self._settings.scan_seconds, self._backoff.delay(failures))
                if failures == 1:
                    log.warning("the share cannot be scanned, which is tried again until it can: %s", error)
            else:
                if failures:
                    log.info("the share is there again")
                failures = 0
                pause = max(self._settings.scan_seconds, REST * (self._clock.monotonic() - began))
            await self._bell.wait(pause)

    async def listen(self) -> None:
        """Hand over what the watch noted, for ever."""
        while True:
            await self._watch.bell.wait()
            await self._clock.sleep(GATHER_S)
            paths, overflown = self._watch.take()
            if not self._intake.note(paths.items()) or overflown:
                self._bell.ring()

    async def _scan(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._pool, marks.ensure, self._share)
        identity = await loop.run_in_executor(self._pool, self._share.identity)
        if identity:
            # The watch comes first, so that nothing falls between the two.
            await loop.run_in_executor(self._pool, self._watch.ensure, identity, self._settings.watch)
        sights, left_alone = walk(self._share, self._intake.wanted), 0
        while batch := await loop.run_in_executor(self._pool, _batch, sights):
            ordinary = [sight for sight in batch if not sight.special]
            left_alone += len(batch) - len(ordinary)
            await self._intake.admit(ordinary)
        self.left_alone = left_alone


def _batch(sights: Iterator[Sight]) -> list[Sight]:
    return list(islice(sights, BATCH))
