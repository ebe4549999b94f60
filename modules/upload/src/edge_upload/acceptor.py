"""Takes results in: all that arrive within a few milliseconds share one commit."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_common.clock import Clock
from edge_common.hub import Received
from edge_common.messages import Hint, HintsMessage, InquiriesMessage, Receipt, ReceiptStatus
from edge_upload.answers import Answer, receipt
from edge_upload.database import SpoolUnavailableError
from edge_upload.hints import Hints
from edge_upload.index import Index
from edge_upload.post import Post
from edge_upload.records import Arrival, arrivals
from edge_upload.room import FreeBytes, Limits
from edge_upload.settings import UploadSettings
from edge_upload.spool import Spool
from edge_upload.threads import OneThread

log = logging.getLogger(__name__)

MOST_MESSAGES: Final = 256
"""In one commit."""


@dataclass(frozen=True, slots=True)
class _Came:
    """What a message brings."""

    arrivals: tuple[Arrival, ...] = ()
    hints: tuple[Hint, ...] = ()


class Acceptor:
    """Handles upload's inputs.

    Args:
        spool: Where results go.
        hints: Follows hints about what was accepted.
        index: Knows what was accepted.
        thread: The spool's.
        post: Takes the answers.
        clock: Time.
        free: Says what the spool's disk can still take.

    Attributes:
        trouble: Why results are deferred, while they are.
    """

    def __init__(
        self, spool: Spool, hints: Hints, index: Index, thread: OneThread, post: Post, clock: Clock, free: FreeBytes
    ) -> None:
        self._spool = spool
        self._hints = hints
        self._index = index
        self._thread = thread
        self._post = post
        self._clock = clock
        self._free = free
        self._settings = UploadSettings()
        self._arrived: asyncio.Queue[_Came] = asyncio.Queue(MOST_MESSAGES)
        self.trouble: str | None = None

    def configure(self, settings: UploadSettings) -> None:
        """Put settings in force."""
        self._settings = settings

    async def records(self, message: Received) -> None:
        """Input ``records``: results to be stored.

        Raises:
            MalformedMessageError: It is no message of results.
        """
        await self._arrived.put(_Came(arrivals=tuple(arrivals(message))))

    async def hints(self, message: Received) -> None:
        """Input ``hints``: items worth sampling after all; in the queue behind their results.

        Raises:
            MalformedMessageError: It is no message of hints.
        """
        await self._arrived.put(_Came(hints=HintsMessage.decode(message.body).hints))

    async def inquiries(self, message: Received) -> None:
        """Input ``inquiries``: what became of these items?

        Raises:
            MalformedMessageError: It is no inquiry.
        """
        body = InquiriesMessage.decode(message.body)
        try:
            await self._post.put(await self._thread.call(self._index.answer, body, self._clock.now()))
        except SpoolUnavailableError as error:
            log.error("an inquiry stays unanswered: %s", error)

    async def run(self) -> None:
        """Store what arrives, for ever."""
        while True:
            group = [await self._arrived.get()]
            await self._clock.sleep(self._settings.commit_seconds)
            while not self._arrived.empty():
                group.append(self._arrived.get_nowait())
            if came := [arrival for one in group for arrival in one.arrivals]:
                await self._post.put(await self._store(came))
            if hints := [hint for one in group for hint in one.hints]:
                await self._follow(hints)

    async def _store(self, group: Sequence[Arrival]) -> Sequence[Answer]:
        settings = self._settings
        limits = Limits(settings.spool_budget_bytes, settings.shard_bytes, self._free)
        try:
            answers = await self._thread.call(self._spool.store, group, limits, self._clock.now(), settings)
        except SpoolUnavailableError as error:
            self._note(str(error))
            return [receipt(arrival, ReceiptStatus.DEFERRED) for arrival in group]
        self._note("the spool is full" if any(map(_is_deferred, answers)) else None)
        return answers

    async def _follow(self, hints: Sequence[Hint]) -> None:
        try:
            await self._thread.call(self._hints.follow, hints, self._clock.now(), self._settings)
        except SpoolUnavailableError as error:
            log.warning("%s hints are not followed: %s", len(hints), error)

    def _note(self, trouble: str | None) -> None:
        if trouble and not self.trouble:
            log.warning("results are deferred: %s", trouble)
        elif self.trouble and not trouble:
            log.info("results are accepted again")
        self.trouble = trouble


def _is_deferred(answer: Answer) -> bool:
    return isinstance(answer, Receipt) and answer.status is ReceiptStatus.DEFERRED
