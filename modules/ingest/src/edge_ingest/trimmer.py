"""Keeps the ledger from growing for ever: has settled items forgotten whose files are no more, a few at a time."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from typing import Final

from edge_common.clock import Clock
from edge_ingest import recall
from edge_ingest.ledger import trimming
from edge_ingest.ledger.journal import Journal
from edge_ingest.ledger.schema import State
from edge_ingest.ledger.trimming import Look, Settled
from edge_ingest.marks import mark_of
from edge_ingest.share import Share
from edge_ingest.sight import Signature
from edge_ingest.vault import ARCHIVE

log = logging.getLogger(__name__)

PAGE: Final = 250
"""Items that are looked at together; forgetting them is one short transaction."""

PAUSE_S: Final = 0.5
"""Between two pages: the main path comes first."""

REST_S: Final = 3600.0
"""Between two rounds through the ledger."""


class Trimmer:
    """The rounds.

    Args:
        share: Where the files were.
        journal: The ledger.
        clock: Time.
        pool: Threads that look.
    """

    def __init__(self, share: Share, journal: Journal, clock: Clock, pool: Executor) -> None:
        self._share = share
        self._journal = journal
        self._clock = clock
        self._pool = pool

    async def run(self) -> None:
        """Go through the ledger from time to time, for ever."""
        while True:
            if forgotten := await self.go_through():
                log.info("%d items that were settled long ago, and whose files are no more, are forgotten", forgotten)
            await self._clock.sleep(REST_S)

    async def go_through(self) -> int:
        """Go through the ledger once.

        Returns:
            How many items are forgotten.
        """
        forgotten, last = 0, 0
        while True:
            settled, number = await self._journal.do(trimming.page, last, PAGE)
            if number is None:
                return forgotten
            last = number
            forgotten += await self._trim(settled)
            await self._clock.sleep(PAUSE_S)

    async def _trim(self, settled: Sequence[Settled]) -> int:
        mark, looks = await asyncio.get_running_loop().run_in_executor(self._pool, _look, self._share, settled)
        if mark is None:
            return 0
        return await self._journal.do(trimming.conclude, looks, mark, self._clock.now().timestamp())


def _look(share: Share, items: Sequence[Settled]) -> tuple[int | None, list[Look]]:
    """Look where items' files were; gives the share's mark, too, which comes last: it proves that the share answers."""
    try:
        with share.held() as held:
            looks = list(_look_at_each(held, items))
            return mark_of(held), looks
    except OSError:
        return None, []


def _look_at_each(share: Share, items: Sequence[Settled]) -> Iterator[Look]:
    """Those of them of which it can be told."""
    for (folder, name, _), item in zip(share.each(item.place for item in items), items, strict=True):
        try:
            yield Look(item, _seen(share, folder, name, item))
        except OSError:
            continue


def _seen(share: Share, folder: int | OSError, name: str, item: Settled) -> Signature | None:
    seen = None if isinstance(folder, (FileNotFoundError, NotADirectoryError)) else _looks(folder, name)
    archived = seen != item.signature and item.state is State.DONE and _archived(share, item)
    return item.signature if archived else seen


def _looks(folder: int | OSError, name: str) -> Signature | None:
    if isinstance(folder, OSError):
        raise folder
    return recall.looks(folder, name)


def _archived(share: Share, item: Settled) -> bool:
    """Whether it is in the archive, from where it may be processed once more."""
    return recall.kept(share, f"{ARCHIVE}/{item.date}", item.id, item.path, item.signature) is not None
