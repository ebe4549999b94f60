"""Takes paths, waits until what is there has settled, and writes it to the ledger with its hash."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from sqlite3 import Connection
from typing import Final, TypeVar

from edge_common.clock import Clock
from edge_ingest.bell import Bell
from edge_ingest.courier import Entry
from edge_ingest.globs import PathFilter
from edge_ingest.ledger import arrivals
from edge_ingest.ledger.journal import Journal
from edge_ingest.marks import mark_of
from edge_ingest.settings import IngestSettings
from edge_ingest.settling import Settling
from edge_ingest.share import Share, ShareAwayError, UnsettledError, digest_at
from edge_ingest.sight import Found, Refusal, Sight, path_text, refusal_of

log = logging.getLogger(__name__)

T = TypeVar("T")

SLICE: Final = 64
"""Paths that are looked at together; they share a transaction, and wait for the largest file among them."""

SLICES: Final = 4
"""Slices at work at a time."""


@dataclass
class _Looks:
    """How paths look: what is there, where nothing is, what is left alone, and where it cannot be told."""

    sights: list[Sight] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    failed: list[tuple[str, OSError]] = field(default_factory=list)


@dataclass
class _Read:
    """What reading some files came to."""

    found: list[Found] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    failed: list[tuple[str, OSError]] = field(default_factory=list)


class Intake:
    """From paths to the ledger.

    Args:
        share: Where the files are.
        journal: The ledger.
        clock: Time.
        pool: Threads that look and hash.
        settings: What is in force.
        enter: Has the ledger written.
    """

    def __init__(
        self,
        share: Share,
        journal: Journal,
        clock: Clock,
        pool: Executor,
        settings: IngestSettings,
        enter: Callable[[Entry], Awaitable[None]],
    ) -> None:
        self._share = share
        self._journal = journal
        self._clock = clock
        self._pool = pool
        self._enter = enter
        self._bell = Bell(clock)
        self._settling = Settling()
        self._room = asyncio.Event()
        self._slices = asyncio.Semaphore(SLICES)
        self.configure(settings)

    def configure(self, settings: IngestSettings) -> None:
        """Put settings in force."""
        self._settings = settings
        self.wanted = PathFilter(settings.include, settings.exclude)
        self._settling.settle_s = settings.settle_seconds

    def note(self, paths: Iterable[tuple[str, bool]]) -> bool:
        """Look at paths that something happened to.

        Args:
            paths: Each with whether it was renamed to there.

        Returns:
            Whether there was room for all of them.
        """
        now = self._clock.monotonic()
        noted = [self._settling.note(path, now, in_place=moved) for path, moved in paths if path in self.wanted]
        self._bell.ring()
        return all(noted)

    async def admit(self, sights: Sequence[Sight]) -> None:
        """Take what a scan saw, as far as the ledger does not know it; waits for room."""
        for sight in await self._unknown(sights):
            while self._settling.full:
                self._room.clear()
                await self._room.wait()
            self._settling.saw(sight.path, sight.signature, self._clock.monotonic())
        self._bell.ring()

    async def run(self) -> None:
        """Look at what is due, for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._bell.wait(self._settling.next_due() - self._clock.monotonic())
                while paths := self._settling.due(self._clock.monotonic(), SLICE):
                    await self._slices.acquire()
                    tasks.create_task(self._work(paths))

    async def _work(self, paths: list[str]) -> None:
        try:
            entry = await self._take(paths)
        finally:
            self._slices.release()
            self._room.set()
        if entry:
            await self._enter(entry)

    async def _take(self, paths: list[str]) -> Entry | None:
        """Look at paths; gives what is to be written of them."""
        looks = await self._in_pool(partial(_look_at, self._share, paths))
        for path in looks.missing + looks.special + [path for path, _ in looks.failed]:
            self._settling.forget(path)
        now = self._clock.monotonic()
        settled = [sight for sight in looks.sights if self._settling.settled(sight.path, sight.signature, now)]
        self._bell.ring()
        new = await self._unknown(settled)
        new_paths = {sight.path for sight in new}
        await self._supplant([sight for sight in settled if sight.path not in new_paths])
        refusals = [refusal for sight in new if (refusal := refusal_of(sight, self._settings.max_bytes))]
        refused = {refusal.sight.path for refusal in refusals}
        read = await self._in_pool(partial(_hash, self._share, [sight for sight in new if sight.path not in refused]))
        self.note((path, False) for path in read.unsettled)
        _complain(looks.failed + read.failed)
        return self._entry(read.found, refusals, looks.missing)

    async def _unknown(self, sights: Sequence[Sight]) -> list[Sight]:
        if not sights:
            return []
        keep = self._settings.retention == "keep"
        return await self._journal.do(arrivals.unknown, sights, keep=keep)

    async def _supplant(self, known: Sequence[Sight]) -> None:
        if known:
            await self._journal.do(arrivals.supplant, known, self._clock.now().timestamp())

    def _entry(self, found: list[Found], refusals: list[Refusal], missing: list[str]) -> Entry | None:
        if not (found or refusals or missing):
            return None
        moment = self._clock.now()
        now, today = moment.timestamp(), moment.date()

        def entry(db: Connection) -> None:
            arrivals.record(db, found, now, today)
            arrivals.refuse(db, refusals, now, today)
            arrivals.missing(db, [path_text(path) for path in missing], now)

        return entry

    async def _in_pool(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _look_at(share: Share, paths: Sequence[str]) -> _Looks:
    looks = _Looks()
    try:
        with share.held() as held:
            _look_at_each(held, paths, looks)
    except OSError as error:
        looks.failed = [(path, error) for path in paths]
    return looks


def _look_at_each(share: Share, paths: Iterable[str], looks: _Looks) -> None:
    mark = mark_of(share)
    for folder, name, path in share.each(paths):
        try:
            if isinstance(folder, OSError):
                raise folder
            sight = Sight.of(path, os.stat(name, dir_fd=folder, follow_symlinks=False), mark)
            if sight.special:
                looks.special.append(path)
            else:
                looks.sights.append(sight)
        except (FileNotFoundError, NotADirectoryError):
            looks.missing.append(path)
        except OSError as error:
            looks.failed.append((path, error))


def _hash(share: Share, sights: Iterable[Sight]) -> _Read:
    read = _Read()
    by_path = {sight.path: sight for sight in sights}
    for folder, name, path in share.each(by_path):
        sight = by_path[path]
        try:
            if isinstance(folder, OSError):
                raise folder
            read.found.append(Found(sight, digest_at(folder, name, sight.signature)))
        except UnsettledError:
            read.unsettled.append(path)
        except OSError as error:
            read.failed.append((path, error))
    return read


def _complain(failed: list[tuple[str, OSError]]) -> None:
    """The next scan finds them again, so that they are retried at its pace."""
    if failed and not any(isinstance(error, ShareAwayError) for _, error in failed):
        path, error = failed[0]
        log.warning("%d files cannot be read now and are left to the next scan; %r: %s", len(failed), path, error)
