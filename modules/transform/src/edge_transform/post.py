"""What is said to the other modules: batches that are in the tensor store, and items that will not be."""

import uuid
from collections.abc import Sequence
from typing import Final

from edge_common.errors import ItemError
from edge_common.hub import Hub
from edge_common.messages import Frame, Item, Part, Reject, RejectsMessage, TensorsMessage, chunks
from edge_transform.counts import Counts
from edge_transform.rows import Rows
from edge_transform.store import BatchStore

MOST_ROWS: Final = 64
"""Of a part: what is predicted of it fits a message."""

MOST_REJECTS: Final = 100
MOST_MESSAGE: Final = 2000


class Post:
    """Stores batches and tells of them.

    Args:
        hub: Takes ``tensors`` and ``rejects``.
        store: Keeps batches.
        counts: Counted into.
    """

    def __init__(self, hub: Hub, store: BatchStore, counts: Counts) -> None:
        self._hub = hub
        self._store = store
        self._counts = counts

    async def deliver(self, rows: Rows, parts: Sequence[Part], stamp: str, until: float) -> bool:
        """Store a batch and tell of it, unless its time ends before there is room."""
        message = TensorsMessage(batch=uuid.uuid4().hex, stamp=stamp, parts=tuple(parts))
        if not await self._store.put(message.batch, rows, parts, until):
            return False
        await self._hub.send("tensors", message.encode(), {"kind": "tensors", "stamp": stamp})
        self._counts.rows.observe(len(rows))
        return True

    async def reject(self, failures: Sequence[tuple[Item, ItemError]]) -> None:
        """Say what cannot be made of items, and why."""
        rejects = [_reject_of(item, error) for item, error in failures]
        for run in chunks(rejects, MOST_REJECTS):
            await self._hub.send("rejects", RejectsMessage(rejects=tuple(run)).encode(), {"kind": "rejects"})
        for reject in rejects:
            self._counts.items.labels(reject.code).inc()


def parts_of(item: Item, number: int, rows: int, frames: Sequence[Frame] = (), *, last: bool) -> list[Part]:
    """The parts of a batch that holds samples of one item.

    Args:
        item: The item.
        number: Of the first part.
        rows: The batch's.
        frames: Where each lies in its picture; pictures are a part each, as those are that come in files of their own.
        last: Whether the item has no further batches.
    """
    most = 1 if frames else MOST_ROWS
    return [
        Part(
            item=item,
            part=number + index,
            last=last and start + most >= rows,
            first=start,
            rows=min(most, rows - start),
            frames=tuple(frames[start : start + most]),
        )
        for index, start in enumerate(range(0, rows, most))
    ]


def _reject_of(item: Item, error: ItemError) -> Reject:
    return Reject(
        id=item.id,
        attempt=item.attempt,
        stage="transform",
        code=error.code,
        message=str(error)[:MOST_MESSAGE],
        retryable=error.can_retry,
    )
