"""The module's work: items become batches in the tensor store, and messages that name them."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from itertools import repeat
from typing import Final

from edge_common.clock import Clock
from edge_common.contract import ImageInput, Input, PictureInput
from edge_common.errors import ItemError
from edge_common.hub import Hub, Received
from edge_common.messages import ContractMessage, ItemsMessage, ReceiptsMessage
from edge_common.timing import wait_for_event
from edge_transform.backlog import Backlog, Waiting, most_pictures
from edge_transform.contracts import Contracts
from edge_transform.counts import Counts
from edge_transform.errors import see_to_threads
from edge_transform.post import MOST_REJECTS, Post, parts_of
from edge_transform.settings import TransformSettings
from edge_transform.store import BatchStore
from edge_transform.trials import Trials
from edge_transform.workshop import CORES, Workshop

IN_HAND: Final = CORES + 2
"""Batches between backlog and hub: enough to keep the cores busy while others are written and sent."""

FINISH_S: Final = 6.0
"""What is in hand at the end is given so long."""

MOST_BATCHES: Final = 8
"""Of one item in the tensor store: enough to keep the next stage busy, and few enough to be read within a lease."""

NO_CONTRACT: Final = ItemError("NO_CONTRACT", "no model has announced yet what it wants", can_retry=True)
TOO_LARGE: Final = ItemError(
    "TOO_LARGE",
    "one sample under the model's contract is over storeBudgetBytes; raise it, or choose a model of smaller input",
    can_retry=True,  # the file is not to blame
)


class Transform:
    """Wires backlog, workshop and store to the hub.

    Args:
        hub: Takes ``tensors`` and ``rejects``.
        clock: Times are its monotonic seconds.
        contracts: Knows the contract in force.
        workshop: Prepares batches.
        store: Keeps them.
        counts: Counted into.
        trials: Are offered what was prepared.
    """

    def __init__(
        self,
        hub: Hub,
        clock: Clock,
        contracts: Contracts,
        workshop: Workshop,
        store: BatchStore,
        counts: Counts,
        trials: Trials,
    ) -> None:
        self._clock = clock
        self._contracts = contracts
        self._workshop = workshop
        self._store = store
        self._counts = counts
        self._post = Post(hub, store, counts)
        self._trials = trials
        self._settings = TransformSettings()
        self._backlog = Backlog()
        self._arrived = asyncio.Event()
        self._turn = asyncio.Lock()
        self._in_hand: set[asyncio.Task[None]] = set()

    async def configure(self, settings: TransformSettings) -> None:
        """Take settings in force."""
        self._settings = settings
        self._contracts.configured = settings.contract
        self._workshop.set_limits(settings.max_file_bytes, settings.max_pixels)
        self._store.set_budget(settings.store_budget_bytes)
        self._store.grace_seconds = settings.grace_seconds
        self._arrived.set()

    async def on_items(self, message: Received) -> None:
        """Input ``items``."""
        body = ItemsMessage.decode(message.body)
        now = self._clock.monotonic()
        for item in body.items:
            if not self._backlog.add(Waiting(item, now, now + body.lease_seconds, body.alone)):
                self._counts.items.labels("overflow").inc()
        self._arrived.set()

    async def on_contract(self, message: Received) -> None:
        """Input ``contract``."""
        await self._contracts.announce(ContractMessage.decode(message.body))

    async def on_receipts(self, message: Received) -> None:
        """Input ``receipts``."""
        await self._store.settle(ReceiptsMessage.decode(message.body).receipts)

    async def run(self) -> None:
        """Work until cancelled; what is in hand then goes on until :meth:`drain`."""
        self._store.adopt(self._settings.orphan_seconds)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._store.sweep(), name="sweep")
            for number in range(IN_HAND):
                tasks.create_task(self._work(), name=f"batches {number}")

    async def drain(self) -> None:
        """Finish what is in hand, if that is quick; the ledger sends the rest again."""
        self._store.stop_waiting()
        if self._in_hand:
            _, late = await asyncio.wait(self._in_hand, timeout=FINISH_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._workshop.close()
        self._store.close()

    async def _work(self) -> None:
        while True:
            async with self._turn:
                wanted, batch = await self._next()
            task = asyncio.create_task(self._process(wanted, batch))
            self._in_hand.add(task)
            task.add_done_callback(self._finished)
            await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        self._arrived.set()  # what waited for company may have none to wait for any more

    async def _next(self) -> tuple[Input | None, list[Waiting]]:
        """Wait until a batch is full, old enough, or the only one, and take it, with the contract that it is for."""
        while True:
            self._arrived.clear()
            now, wanted = self._clock.monotonic(), self._contracts.in_force
            size = self._batch_size(wanted)
            self._counts.items.labels("expired").inc(self._backlog.drop_expired(now))
            age = self._settings.batch_seconds if self._in_hand else 0.0
            due = self._backlog.due_in(now, size, age)
            if due == 0:
                return wanted, self._backlog.take(size)
            await wait_for_event(self._arrived, due, self._clock)

    def _batch_size(self, wanted: Input | None) -> int:
        """How many items are taken at once; those of many samples have batches of their own."""
        if wanted is None:
            return MOST_REJECTS
        return self._batch_rows(wanted) if isinstance(wanted, ImageInput) else 1

    def _batch_rows(self, wanted: Input) -> int:
        return max(1, min(wanted.batch, self._store.rows_that_fit(wanted)))

    async def _process(self, wanted: Input | None, batch: Sequence[Waiting]) -> None:
        items = [waiting.item for waiting in batch]
        if wanted is None:
            await self._post.reject([(item, NO_CONTRACT) for item in items])
        elif self._store.rows_that_fit(wanted) < 1:
            await self._post.reject([(item, TOO_LARGE) for item in items])
        elif isinstance(wanted, ImageInput):
            await self._prepare(batch, wanted)
        else:
            for waiting in batch:
                await self._stream(waiting, wanted)

    async def _prepare(self, batch: Sequence[Waiting], wanted: ImageInput) -> None:
        """Items of one picture each share a batch; what has several is streamed, once that is known."""
        prepared = await self._workshop.prepare(batch, wanted, self._settings.max_decode_seconds)
        await self._post.reject(prepared.failures)
        if prepared.items:
            parts = prepared.parts
            now = self._clock.monotonic()
            until = max(waiting.prepared_until(now) for waiting in batch)
            delivered = await self._post.deliver(prepared.rows, parts, wanted.stamp, until)
            self._counts.items.labels("ok" if delivered else "expired").inc(len(parts))
            if delivered:
                self._trials.offer(prepared.items)
        for waiting in prepared.several:
            await self._stream(waiting, wanted)
        see_to_threads(error for _, error in prepared.failures)

    async def _stream(self, waiting: Waiting, wanted: Input) -> None:
        """An item of many samples: batch after batch, few at a time, each with the time of a whole lease."""
        item, number, delivered = waiting.item, 0, True
        most = self._batch_rows(wanted)
        if isinstance(wanted, PictureInput):
            most = most_pictures(repeat(item), most)
        fitting = wanted.model_copy(update={"batch": most})
        try:
            async with aclosing(self._workshop.samples(waiting, fitting, self._settings.max_decode_seconds)) as blocks:
                async for (rows, frames), last in blocks:
                    until = self._clock.monotonic() + waiting.lease
                    await self._store.few(item.id, MOST_BATCHES, until)
                    parts = parts_of(item, number, len(rows), frames, last=last)
                    number += len(parts)
                    delivered = await self._post.deliver(rows, parts, wanted.stamp, until)
                    if not delivered:
                        break
        except ItemError as error:
            await self._post.reject([(item, error)])
            see_to_threads([error])
        else:
            self._counts.items.labels("ok" if delivered else "expired").inc()
            if delivered:
                self._trials.offer_many(item)
