"""What inference asks to be prepared on trial: beside the live flow, and giving way to it."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

from edge_common.clock import Clock
from edge_common.contract import ImageInput, Input
from edge_common.errors import ItemError
from edge_common.hub import Hub, Received
from edge_common.messages import Frame, Item, LiveShare, OneFile, Part, TrialBatchMessage, TrialMessage, chunks
from edge_transform.backlog import Waiting
from edge_transform.errors import see_to_threads
from edge_transform.post import MOST_ROWS, parts_of
from edge_transform.rows import Rows
from edge_transform.settings import TransformSettings
from edge_transform.store import BatchStore
from edge_transform.workshop import Workshop

STAY_S: Final = 30.0
"""How long a batch on trial stays in the store; nobody says when it has served."""

MOST_WAITING: Final = 2
"""Batches that wait to be prepared; further ones are passed over."""

BUSY: Final = ItemError("BUSY", "other trials are waiting already", can_retry=True)
NO_ROOM: Final = ItemError("NO_ROOM", "the tensor store has no room for a trial now", can_retry=True)

Job = Callable[[], Awaitable[TrialBatchMessage | None]]


class Trials:
    """Prepares one batch at a time, in the background; at most one trial is on live items, the newest.

    Args:
        hub: Takes ``trials``.
        clock: Times are its monotonic seconds.
        workshop: Prepares; best one of low priority.
        store: Keeps batches where there is ample room.
    """

    def __init__(self, hub: Hub, clock: Clock, workshop: Workshop, store: BatchStore) -> None:
        self._hub = hub
        self._clock = clock
        self._workshop = workshop
        self._store = store
        self._seconds = TransformSettings().max_decode_seconds
        self._live: tuple[TrialMessage, LiveShare, float] | None = None
        self._jobs: asyncio.Queue[Job] = asyncio.Queue(MOST_WAITING)

    def configure(self, settings: TransformSettings) -> None:
        """Take settings in force."""
        self._seconds = settings.max_decode_seconds
        self._workshop.set_limits(settings.max_file_bytes, settings.max_pixels)

    async def on_trial(self, message: Received) -> None:
        """Input ``trials``."""
        trial = TrialMessage.decode(message.body)
        until = self._clock.monotonic() + trial.seconds
        match trial.source:
            case LiveShare() as source:
                self._live = trial, source, until
            case OneFile(content=content) if not self._add(partial(self._prepare_file, trial, content, until)):
                await self._send(_refused(trial, BUSY))

    def offer(self, items: Sequence[Item]) -> None:
        """These were prepared under the contract in force; some of them go on trial. Never waits."""
        if self._live and (sample := self._sampled(items, *self._live)):
            self._add(partial(self._prepare_items, self._live[0], sample))

    def offer_many(self, item: Item) -> None:
        """As ``offer``, for an item of many samples."""
        if self._live and self._sampled([item], *self._live):
            self._add(partial(self._prepare_beginning, self._live[0], item))

    async def run(self) -> None:
        """Prepare for ever.

        Raises:
            DecoderStuckError: The thread does not come back from a file, so no other would ever get its turn.
        """
        while True:
            job = await self._jobs.get()
            if answer := await job():
                await self._send(answer)

    def close(self) -> None:
        """End the threads."""
        self._workshop.close()

    def _sampled(self, items: Sequence[Item], _: TrialMessage, source: LiveShare, until: float) -> Sequence[Item]:
        return [item for item in items if self._clock.monotonic() < until and _is_sampled(item, source.share)]

    def _add(self, job: Job) -> bool:
        if self._jobs.full():
            return False
        self._jobs.put_nowait(job)
        return True

    async def _prepare_file(self, trial: TrialMessage, content: bytes, until: float) -> TrialBatchMessage | None:
        if self._clock.monotonic() >= until:
            return None
        if self._room(trial) < 1:
            return _refused(trial, NO_ROOM)
        try:
            (rows, frames), more = await self._workshop.prepare_content(content, self._few(trial), self._seconds)
        except ItemError as error:
            await self._send(_refused(trial, error))
            see_to_threads([error])
            return None
        return await self._stored(trial, rows, frames=frames, more=more) or _refused(trial, NO_ROOM)

    async def _prepare_items(self, trial: TrialMessage, items: Sequence[Item]) -> TrialBatchMessage | None:
        if not isinstance(trial.input, ImageInput):
            return None  # a candidate for something else than what is there
        now = self._clock.monotonic()
        batch = [Waiting(item, now, now + STAY_S) for item in items[: self._room(trial)]]
        prepared = await self._workshop.prepare(batch, trial.input, self._seconds)
        see_to_threads(error for _, error in prepared.failures)
        named = next(chunks(prepared.parts, trial.input.batch), ())
        return await self._stored(trial, prepared.rows[: len(named)], named) if named else None

    async def _prepare_beginning(self, trial: TrialMessage, item: Item) -> TrialBatchMessage | None:
        if self._room(trial) < 1:
            return None
        now = self._clock.monotonic()
        waiting = Waiting(item, now, now + STAY_S)
        try:
            async with aclosing(self._workshop.samples(waiting, self._few(trial), self._seconds)) as blocks:
                (rows, frames), last = await anext(blocks)
        except ItemError as error:
            see_to_threads([error])
            return None
        named = next(chunks(parts_of(item, 0, len(rows), frames, last=last), MOST_ROWS))
        return await self._stored(trial, rows[: sum(part.rows for part in named)], named)

    def _few(self, trial: TrialMessage) -> Input:
        """The contract, for the beginning of a file of many samples."""
        return trial.input.model_copy(update={"batch": min(MOST_ROWS, self._room(trial))})

    def _room(self, trial: TrialMessage) -> int:
        """How many samples a batch can have, and leave half of the store to the others."""
        return self._store.rows_that_fit(trial.input) // 2

    async def _stored(
        self,
        trial: TrialMessage,
        rows: Rows,
        parts: Sequence[Part] = (),
        frames: tuple[Frame, ...] = (),
        *,
        more: bool = False,
    ) -> TrialBatchMessage | None:
        batch = uuid.uuid4().hex
        if not await self._store.offer(batch, rows, self._clock.monotonic() + STAY_S):
            return None
        return TrialBatchMessage(trial=trial.trial, batch=batch, parts=tuple(parts), frames=frames, more=more)

    async def _send(self, answer: TrialBatchMessage) -> None:
        await self._hub.send("trials", answer.encode(), {"kind": "trials"})


def _is_sampled(item: Item, share: float) -> bool:
    """Ids are hashes, so their beginnings are evenly spread."""
    return int(item.id[:8], 16) < share * 16**8


def _refused(trial: TrialMessage, error: ItemError) -> TrialBatchMessage:
    return TrialBatchMessage(trial=trial.trial, refusal=f"{error.code}: {error}"[:2000])
