"""Brings what is in the spool to the store, a shard at a time, for ever."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from edge_common.clock import Clock
from edge_common.errors import EdgeError
from edge_common.messages import Receipt
from edge_upload.metrics import UploadMetrics
from edge_upload.outbox import Outbox
from edge_upload.post import Post
from edge_upload.schedule import Schedule
from edge_upload.settings import UploadSettings
from edge_upload.shards import Group, Intent, Shards
from edge_upload.sinks import Sink, SinkConflictError, SinkError, SinkUnavailableError, StagedFileError
from edge_upload.threads import OneThread

log = logging.getLogger(__name__)

POLL_S: Final = 0.25
LONGEST_WAIT_S: Final = 60.0
ASIDE_S: Final = 300.0
"""How long a shard that needs a person waits before it is tried again; others go on meanwhile."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Aside:
    intent: Intent
    until: float
    reason: str


class Courier:
    """Cuts shards and has the store take them; one at a time, so that an outage piles up none.

    Args:
        shards: The spool's way out.
        outbox: Where shards are cut.
        sink: The store.
        thread: The spool's.
        post: Takes the receipts.
        clock: Time.
        metrics: Counts.

    Attributes:
        last_upload: When the store took the latest shard, since the start.
    """

    def __init__(
        self,
        shards: Shards,
        outbox: Outbox,
        sink: Sink,
        thread: OneThread,
        post: Post,
        clock: Clock,
        metrics: UploadMetrics,
    ) -> None:
        self._shards = shards
        self._outbox = outbox
        self._sink = sink
        self._thread = thread
        self._cutter = OneThread("cutter")
        self._post = post
        self._clock = clock
        self._metrics = metrics
        self._settings = UploadSettings()
        self._schedule = Schedule()
        self._aside: list[_Aside] = []
        self._failure: str | None = None
        self.last_upload: datetime | None = None

    def configure(self, settings: UploadSettings) -> None:
        """Put settings in force."""
        self._settings = settings

    @property
    def trouble(self) -> str | None:
        """Why something does not reach the store, while it does not."""
        return self._failure or next((aside.reason for aside in self._aside), None)

    async def run(self) -> None:
        """Settle the intents of before, then cut and bring what comes."""
        for intent in await self._persist(self._recover):
            await self._bring(intent)
        while True:
            if aside := self._take_aside():
                await self._bring(aside)
            elif group := await self._due():
                await self._bring(await self._persist(partial(self._cut, group)))
            else:
                await self._clock.sleep(POLL_S)

    async def close(self) -> None:
        """Let a cut that is under way end."""
        await self._cutter.close()

    async def _recover(self) -> list[Intent]:
        await self._thread.call(self._shards.release_claims)
        intents = await self._thread.call(self._shards.intents)
        await self._thread.call(self._outbox.keep_only, [intent.number for intent in intents])
        return intents

    async def _due(self) -> Group | None:
        groups = await self._thread.call(self._shards.groups)
        return self._schedule.due(groups, self._clock.monotonic(), self._settings)

    async def _cut(self, group: Group) -> Intent:
        await self._thread.call(self._shards.release_claims)  # of a try before, if it failed
        limits = self._settings.shard_bytes, self._settings.shard_rows
        claim = await self._thread.call(self._shards.claim, group, *limits)
        intent = await self._cutter.call(self._outbox.cut, claim, self._shards.entries(claim))
        await self._thread.call(self._shards.intend, intent)
        return intent

    async def _bring(self, intent: Intent) -> None:
        started = self._clock.monotonic()
        try:
            receipts = await self._persist(partial(self._deliver, intent))
        except StagedFileError as error:
            log.error("%s; the shard is cut anew", error)
            await self._persist(partial(self._thread.call, self._shards.release, intent.number))
            return
        except SinkConflictError as error:
            self._put_aside(intent, error)
            return
        self.last_upload = self._clock.now()
        self._metrics.shard_seconds.observe(self._clock.monotonic() - started)
        log.info("%s is stored", intent.name)
        await self._persist(partial(self._thread.call, self._outbox.remove, intent.number))
        await self._post.put(receipts)

    async def _deliver(self, intent: Intent) -> Iterator[Receipt]:
        try:
            stored = await self._sink.put(intent.name, self._outbox.file(intent.number), intent.sha256)
            if await self._sink.check(intent.name) != intent.sha256:
                raise SinkUnavailableError(f"{intent.name} is not what was stored")
        except SinkError:
            self._metrics.put_failures.inc()
            raise
        return await self._thread.call(self._shards.settle, intent, stored, self._clock.now())

    def _put_aside(self, intent: Intent, error: SinkConflictError) -> None:
        log.error("a shard is set aside: %s", error)
        self._aside.append(_Aside(intent, self._clock.monotonic() + ASIDE_S, str(error)))

    def _take_aside(self) -> Intent | None:
        """The shard that was set aside first, if it has waited long enough."""
        if self._aside and self._aside[0].until <= self._clock.monotonic():
            return self._aside.pop(0).intent
        return None

    async def _persist(self, step: Callable[[], Awaitable[T]]) -> T:
        """Take a step until it succeeds, with back-off and full jitter; what trying again cannot help is raised."""
        tries = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            wait=wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_S),
            sleep=self._clock.sleep,
            before_sleep=self._note_failure,
        )
        result: T = await tries(step)
        self._failure = None
        return result

    def _note_failure(self, state: RetryCallState) -> None:
        error = state.outcome and state.outcome.exception()
        if str(error) != self._failure:
            log.warning("the store is not reached, and is tried again: %s", error)
        self._failure = str(error)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, OSError) or (isinstance(error, EdgeError) and error.retryable)
