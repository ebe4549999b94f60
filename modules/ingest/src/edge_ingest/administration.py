"""What an administrator does by direct methods: put quarantined files back, process uploaded ones once more."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, TypeVar

from edge_common.clock import Clock
from edge_common.hub import Method
from edge_ingest import recall
from edge_ingest.globs import PathFilter
from edge_ingest.ledger import generations
from edge_ingest.ledger.generations import Finished
from edge_ingest.ledger.journal import Journal
from edge_ingest.operations import BusyError, Reprocess, Requeue, method
from edge_ingest.recall import Quarantined
from edge_ingest.share import Share
from edge_ingest.vault import ARCHIVE

T = TypeVar("T")

MOST: Final = 10_000
"""Quarantined files that one call puts back."""

NAMED: Final = 100
"""Names in an answer; a direct method's answer must not be large."""

PAGE: Final = 500
"""Items that are looked at together."""


class Administration:
    """The direct methods.

    Args:
        share: Where the files are.
        journal: The ledger.
        clock: Time.
        pool: Threads that move files.
        found: Called with paths that files were put back to.
        arrived: Called where items are ready to be sent.
    """

    def __init__(
        self,
        share: Share,
        journal: Journal,
        clock: Clock,
        pool: Executor,
        *,
        found: Callable[[Iterable[str]], None],
        arrived: Callable[[], None],
    ) -> None:
        self._share = share
        self._journal = journal
        self._clock = clock
        self._pool = pool
        self._found = found
        self._arrived = arrived
        self._moving = False

    @property
    def methods(self) -> dict[str, Method]:
        """By name."""
        return {
            "requeue": method(Requeue, self._requeue),
            "reprocess": method(Reprocess, self._reprocess),
        }

    async def _requeue(self, asked: Requeue) -> dict[str, Any]:
        """Put quarantined files back. Their items are held meanwhile, so that none is sent before its file is there."""
        with self._alone():
            files = await self._in_pool(
                partial(recall.quarantined, self._share, set(asked.ids), set(asked.codes), MOST)
            )
            await self._journal.do(generations.hold, [file.id for file in files])
            back = await self._in_pool(partial(_put_back, self._share, files))
            taken = [file for file in files if file not in back]
            await self._release([file.id for file in back], [file.id for file in taken], end="quarantined")
            self._found(file.place for file in back)
        return {
            "requeued": len(back),
            "notFound": sorted(set(asked.ids) - {file.id for file in files})[:NAMED],
            "placeTaken": [file.path for file in taken][:NAMED],
            "more": len(files) == MOST,
        }

    async def _reprocess(self, asked: Reprocess) -> dict[str, Any]:
        """Make a new generation of uploaded items; archived files are put back first."""
        wanted = PathFilter([asked.pattern or "**"], [])
        renewed = busy = 0
        missing: list[str] = []
        with self._alone():
            async for page in self._finished(asked):
                items = [item for item in page if item.path in wanted]
                under_way = await self._journal.do(generations.under_way, items)
                free = [item for item in items if item.id not in under_way]
                absent = await self._renew(free)
                busy += len(under_way)
                renewed += len(free) - len(absent)
                missing += absent
        return {"reprocessed": renewed, "underWay": busy, "notFound": len(missing), "missing": missing[:NAMED]}

    async def _finished(self, asked: Reprocess) -> AsyncIterator[list[Finished]]:
        after = 0
        while page := await self._journal.do(generations.finished, after, PAGE, asked.day):
            yield page
            after = page[-1].number

    async def _renew(self, items: Sequence[Finished]) -> list[str]:
        """Make new generations.

        Returns:
            Paths of which there is no file any more.
        """
        kept = await self._in_pool(partial(_locate, self._share, items))
        there = [item for item in items if item.id in kept]
        ids = await self._journal.do(generations.renew, there, self._clock.now().timestamp())
        renewed = dict(zip(ids, there, strict=True))
        back = await self._in_pool(partial(_fetch, self._share, renewed, kept))
        await self._release(back, renewed.keys() - back, end="gone")
        missing = [item.path for item in items if item.id not in kept]
        return missing + [renewed[item].path for item in renewed.keys() - back]

    async def _release(self, back: Iterable[str], absent: Iterable[str], *, end: str) -> None:
        await self._journal.do(generations.release, list(back), list(absent), end=end)
        self._arrived()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._moving:
            raise BusyError("another requeue or reprocess is under way")
        self._moving = True
        try:
            yield
        finally:
            self._moving = False

    async def _in_pool(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _put_back(share: Share, files: Iterable[Quarantined]) -> list[Quarantined]:
    return [file for file in files if recall.put_back(share, file.kept, file.place)]


def _locate(share: Share, items: Iterable[Finished]) -> dict[str, str]:
    """Where the files of items are now, by id; some are in their places, some in the archive, some nowhere."""
    kept = {}
    for item in items:
        if recall.in_place(share, item.path, item.signature):
            kept[item.id] = item.path
        elif place := recall.kept(share, f"{ARCHIVE}/{item.date}", item.id, item.path, item.signature):
            kept[item.id] = place
    return kept


def _fetch(share: Share, renewed: dict[str, Finished], kept: dict[str, str]) -> set[str]:
    """Put archived files back; gives the new ids of all whose files are in their places."""
    return {
        new
        for new, item in renewed.items()
        if kept[item.id] == item.path or recall.put_back(share, kept[item.id], item.path)
    }
