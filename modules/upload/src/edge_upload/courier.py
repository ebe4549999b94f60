"""Brings what is in the spool to the store, a shard at a time, for ever."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from edge_common.clock import Clock
from edge_common.messages import Receipt
from edge_upload.cargo import Cargo
from edge_upload.delivery import Delivery
from edge_upload.outbox import Outbox
from edge_upload.patience import Patience
from edge_upload.post import Post
from edge_upload.records import BadPartError
from edge_upload.schedule import Schedule
from edge_upload.settings import UploadSettings
from edge_upload.shards import Group, Intent, Shards
from edge_upload.sinks import SinkConflictError, StagedFileError
from edge_upload.threads import OneThread
from edge_upload.windows import is_open

log = logging.getLogger(__name__)

POLL_S: Final = 0.25
ASIDE_S: Final = 300.0
"""How long a shard that needs a person waits before it is tried again; others go on meanwhile."""


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
        delivery: Has the store take them.
        thread: The spool's.
        post: Takes the receipts.
        clock: Time.

    Attributes:
        busy: Whether something is on its way that goes before originals.
        last_upload: When the store took the latest shard, since the start.
    """

    def __init__(
        self,
        shards: Shards,
        outbox: Outbox,
        delivery: Delivery,
        thread: OneThread,
        post: Post,
        clock: Clock,
    ) -> None:
        self._shards = shards
        self._outbox = outbox
        self._delivery = delivery
        self._thread = thread
        self._cutter = OneThread("cutter")
        self._post = post
        self._clock = clock
        self._settings = UploadSettings()
        self._schedule = Schedule()
        self._aside: list[_Aside] = []
        self._patience = Patience(clock)
        self.busy = True
        self.last_upload: datetime | None = None

    def configure(self, settings: UploadSettings) -> None:
        """Put settings in force."""
        self._settings = settings

    @property
    def trouble(self) -> str | None:
        """Why something does not reach the store, while it does not."""
        return self._patience.failure or next((aside.reason for aside in self._aside), None)

    async def run(self) -> None:
        """Make sure of the store, settle the intents of before, then cut and bring what comes."""
        await self._patience.persist(self._delivery.probe)
        for intent in await self._patience.persist(self._recover):
            await self._bring(intent)
        while True:
            self.busy = await self._bring_next()
            if not self.busy:
                await self._clock.sleep(POLL_S)

    async def close(self) -> None:
        """Let a cut that is under way end."""
        await self._cutter.close()

    async def _bring_next(self) -> bool:
        """Whether there was anything to bring."""
        if aside := self._take_aside():
            self.busy = True
            await self._bring(aside)
        elif group := await self._due():
            self.busy = True
            if intent := await self._patience.persist(partial(self._cut, group)):
                await self._bring(intent)
        else:
            return False
        return True

    async def _recover(self) -> list[Intent]:
        await self._thread.call(self._shards.release_claims)
        intents = await self._thread.call(self._shards.intents)
        await self._thread.call(self._outbox.keep_only, [intent.number for intent in intents])
        return intents

    async def _due(self) -> Group | None:
        groups = await self._thread.call(self._shards.groups)
        if not is_open(self._settings.windows, self._clock.now()):
            groups = [group for group in groups if group.cargo is Cargo.RESULTS]
        return self._schedule.due(groups, self._clock.monotonic(), self._settings)

    async def _cut(self, group: Group) -> Intent | None:
        await self._thread.call(self._shards.release_claims)  # of a try before, if it failed
        limits = self._settings.shard_bytes, self._settings.shard_rows
        claim = await self._thread.call(self._shards.claim, group, *limits)
        try:
            intent = await self._cutter.call(self._outbox.cut, claim, self._shards.entries(claim))
        except BadPartError as error:
            await self._thread.call(self._shards.set_aside, error)
            await self._thread.call(self._shards.release, claim.number)
            return None
        await self._thread.call(self._shards.intend, intent)
        return intent

    async def _bring(self, intent: Intent) -> None:
        started = self._clock.monotonic()
        try:
            receipts = await self._patience.persist(partial(self._deliver, intent))
        except StagedFileError as error:
            log.error("%s; the shard is cut anew", error)
            await self._patience.persist(partial(self._thread.call, self._shards.release, intent.number))
            return
        except SinkConflictError as error:
            self._put_aside(intent, error)
            return
        self.last_upload = self._clock.now()
        self._delivery.metrics.shard_seconds.observe(self._clock.monotonic() - started)
        log.info("%s is stored", intent.name)
        await self._patience.persist(partial(self._thread.call, self._outbox.remove, intent.number))
        await self._post.put(receipts)

    async def _deliver(self, intent: Intent) -> Iterator[Receipt]:
        stored = await self._delivery.deliver(intent.name, self._outbox.file(intent.number), intent.sha256)
        return await self._thread.call(self._shards.settle, intent, stored, self._clock.now())

    def _put_aside(self, intent: Intent, error: SinkConflictError) -> None:
        log.error("a shard is set aside: %s", error)
        self._aside.append(_Aside(intent, self._clock.monotonic() + ASIDE_S, str(error)))

    def _take_aside(self) -> Intent | None:
        """The shard that was set aside first, if it has waited long enough."""
        if self._aside and self._aside[0].until <= self._clock.monotonic():
            return self._aside.pop(0).intent
        return None
