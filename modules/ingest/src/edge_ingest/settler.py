"""Deals with the files of items whose end is known: quarantine, and retention once they are uploaded."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from datetime import datetime
from functools import partial
from sqlite3 import Connection
from typing import Any, Final, ParamSpec, TypeVar

from edge_common.clock import Clock
from edge_ingest import recall
from edge_ingest.backoff import Backoff
from edge_ingest.bell import Bell
from edge_ingest.ledger import endings
from edge_ingest.ledger.deliveries import LOST_CODE
from edge_ingest.ledger.endings import Settling
from edge_ingest.ledger.journal import Journal
from edge_ingest.ledger.schema import State
from edge_ingest.meters import Meters
from edge_ingest.settings import IngestSettings, Retention
from edge_ingest.share import Share
from edge_ingest.sight import BAD_NAME, text_path
from edge_ingest.vault import QUARANTINE, Vault

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

BATCH: Final = 100


class Settler:
    """From a known end to the file's last place.

    Args:
        share: Where the files are.
        journal: The ledger.
        clock: Time.
        pool: Threads that move files.
        meters: Counted into.
        settings: What is in force.
    """

    def __init__(
        self, share: Share, journal: Journal, clock: Clock, pool: Executor, meters: Meters, settings: IngestSettings
    ) -> None:
        self._share = share
        self._vault = Vault(share)
        self._journal = journal
        self._clock = clock
        self._pool = pool
        self._meters = meters
        self._settings = settings
        self._backoff = Backoff()
        self.bell = Bell(clock)

    def configure(self, settings: IngestSettings) -> None:
        """Put settings in force."""
        self._settings = settings

    async def run(self) -> None:
        """Deal with what is settled, for ever; what the share refuses is tried again."""
        await self._until_done(self._reopen_leftovers)
        while True:
            await self._until_done(self._pass)
            await self.bell.wait()

    async def _until_done(self, work: Callable[[], Awaitable[OSError | None]]) -> None:
        failures = 0
        while error := await work():
            failures += 1
            delay = self._backoff.delay(failures)
            if failures == 1:
                log.warning("a settled file cannot be moved, which is tried again until it can: %s", error)
            await self._clock.sleep(delay)

    async def _reopen_leftovers(self) -> OSError | None:
        """Files that an earlier life moved out of the way must not stay there."""
        try:
            left = await self._in_pool(self._vault.leftovers)
        except OSError as error:
            return error
        known = await self._journal.do(endings.reopen, left)
        for name in set(left) - known:
            log.warning("the private folder holds a file that the ledger does not know, and leaves it there: %r", name)
        return None

    async def _pass(self) -> OSError | None:
        """Deal with each item once.

        Returns:
            The last failure.
        """
        failure = None
        batch = await self._journal.do(endings.settling, "", BATCH)
        while batch:
            ended, error = await self._in_pool(self._deal_with_all, batch)
            batch = await self._journal.do(_end, ended, self._clock.now().timestamp(), batch[-1].id)
            self._count(ended)
            failure = error or failure
        return failure

    def _deal_with_all(self, batch: list[Settling]) -> tuple[list[Settling], OSError | None]:
        """Blocks; called in the pool."""
        ended: list[Settling] = []
        failure = None
        for item in batch:
            try:
                self._deal_with(item, self._settings.retention)
            except OSError as error:
                failure = error
            else:
                ended.append(item)
        return ended, failure

    def _deal_with(self, item: Settling, retention: Retention) -> None:
        if item.state is State.UPLOADED and item.code == LOST_CODE:
            self._recall(item)
        if item.state is State.REFUSED:
            path = text_path(item.path) if item.code == BAD_NAME else item.path
            self._vault.quarantine(item.id, path, item.signature, _note(item, self._clock.now()))
        elif retention == "keep":
            self._vault.release(item.id, item.path)
        else:
            self._vault.retire(item.id, item.path, item.sha256, item.date, retention)

    def _recall(self, item: Settling) -> None:
        """Bring back what may be in quarantine, as it was given up before upload was heard of."""
        if place := recall.kept(self._share, QUARANTINE, item.id, item.path, item.signature):
            recall.put_back(self._share, place, item.path)

    def _count(self, ended: list[Settling]) -> None:
        for item in ended:
            if item.state is State.REFUSED:
                self._meters.quarantined.labels(item.code).inc()

    async def _in_pool(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *args, **kwargs))


def _end(db: Connection, ended: list[Settling], now: float, after: str) -> list[Settling]:
    """Write down that files have been dealt with, and take those that follow."""
    endings.end(db, ended, now)
    return endings.settling(db, after, BATCH)


def _note(item: Settling, now: datetime) -> dict[str, Any]:
    """What a person finds beside a quarantined file."""
    return {
        "id": item.id,
        "path": item.path,
        "code": item.code,
        "reason": item.reason,
        "stage": item.stage,
        "attempts": item.attempt,
        "at": now.isoformat(timespec="milliseconds"),
    }
