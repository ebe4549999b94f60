"""Runs work on the ledger in one thread, and all that waits together in one transaction, which costs one fsync."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from edge_common.clock import Clock
from edge_common.databases import is_corrupt
from edge_ingest.backoff import Backoff
from edge_ingest.ledger.history import follow
from edge_ingest.ledger.salvage import replace

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

Work = Callable[[sqlite3.Connection], Any]


class SpoiltError(Exception):
    """The ledger is no longer whole; the next try replaces it."""


class Journal:
    """The one writer of the ledger.

    Args:
        db: The ledger, open.
        path: Its file. Where it turns out to be no longer whole, a new one takes its place.
        clock: Waits where the disk refuses.

    Attributes:
        life: Counts the ledgers that took each other's place.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, clock: Clock) -> None:
        self._path = path
        self._spoilt = ""
        self._doubt: tuple[str, int] | None = None
        self.life = 1
        self._clock = clock
        self._moment = 0.0
        self._db = self._followed(db)
        self._backoff = Backoff()
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._work = asyncio.Event()

    async def do(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function on the ledger; what it wrote is durable when this returns.

        Args:
            work: Called in the ledger's thread, within a transaction that others share; it may be called again where
                the transaction failed, so it must touch nothing else.
            args: Its further arguments.
            kwargs: Its further keyword arguments.
        """
        future = self.soon(lambda db: work(db, *args, **kwargs))
        self._work.set()
        return await future

    def soon(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Run a function on the ledger, like ``do``, as the first of what the next call of ``do`` brings about.

        Args:
            work: Like that of ``do``.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        return future

    def doubt(self, reason: str, life: int) -> None:
        """Have the ledger replaced, as somebody has found out that it is no longer whole.

        Args:
            reason: Why.
            life: Of the ledger that was looked at; if it was replaced meanwhile, nothing happens.
        """
        self._doubt = reason, life
        self._work.set()

    async def run(self) -> None:
        """Do what is asked, for ever.

        Raises:
            Exception: Some work is broken; the transaction is undone.
        """
        while True:
            await self._work.wait()
            self._work.clear()
            if self._doubt and self._doubt[1] == self.life:
                self._spoilt = self._doubt[0]
            self._doubt = None
            batch, self._waiting = self._waiting, []
            results = await self._persist([work for work, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)

    async def close(self) -> None:
        """Close the ledger, after the transaction that may be under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._db.close)
        self._thread.shutdown()

    async def _persist(self, batch: list[Work]) -> list[Any]:
        """Commit, however long the disk refuses: nothing can be said to others before."""
        failures = 0
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, batch)
            except (sqlite3.OperationalError, OSError, SpoiltError) as error:
                failures += 1
                delay = self._backoff.delay(failures)
                log.error("the ledger cannot be written (%s); trying again in %.1f s", error, delay)
                await self._clock.sleep(delay)

    def _commit(self, batch: list[Work]) -> list[Any]:
        if self._spoilt:
            self._db.close()
            self._db = self._followed(replace(self._path, self._spoilt))
            self._spoilt = ""
            self.life += 1
        try:
            return self._transact(batch)
        except sqlite3.DatabaseError as error:
            if not is_corrupt(error):
                raise
            self._spoilt = str(error)
            raise SpoiltError(str(error)) from error

    def _followed(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """A ledger just opened, whose history is written down from now on; a new one if it turns out to be spoilt."""
        try:
            follow(db, lambda: self._moment)
        except sqlite3.DatabaseError as error:
            if not is_corrupt(error):
                raise
            db.close()
            return self._followed(replace(self._path, str(error)))
        return db

    def _transact(self, batch: list[Work]) -> list[Any]:
        self._moment = self._clock.now().timestamp()  # of all that happens in the transaction
        self._db.execute("BEGIN IMMEDIATE")
        try:
            results = [work(self._db) for work in batch]
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return results
