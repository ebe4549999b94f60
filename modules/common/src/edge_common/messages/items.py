"""From a file to a tensor: items, and the batches that their rows are in."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from edge_common.messages.wire import BatchName, Body, Count, ItemId, Ordinal, Sha256, SharePath, Wire


class Item(Wire):
    """One file on the share, as it was seen first.

    Attributes:
        id: Derived from path, content and generation (see ``edge_ingest.identity``).
        path: Relative to the share's root, POSIX.
        sha256: Of the content that ingest read; whoever reads it again compares.
        size: Bytes.
        captured: The file's modification time at first sight.
        date: The day that the item is filed under; fixed at first sight.
        generation: Raised on purpose to process a kept file again.
        attempt: Counts the sends of this item, from 1; tells late answers from current ones.
    """

    id: ItemId
    path: SharePath
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    captured: datetime
    date: date
    generation: Count = 0
    attempt: Ordinal


class ItemsMessage(Body):
    """``ingest`` → ``transform``: files to prepare.

    Attributes:
        lease_seconds: How long ingest waits for a receipt before it sends them again; what was made of them is of no
            use after that.
        items: The files.
        alone: Whether what is named was lost so often that it might bring down who works on it.
    """

    lease_seconds: Annotated[float, Field(gt=0)]
    alone: bool = False
    items: Annotated[tuple[Item, ...], Field(min_length=1)]


class Frame(Wire):
    """Where a sample lies in the picture that it was made of.

    Attributes:
        width: The picture's, upright, in pixels.
        height: Likewise.
        box: What the sample shows of it: left, top, right, bottom, in its pixels; a letterbox reaches beyond it.
    """

    width: Ordinal
    height: Ordinal
    box: tuple[float, float, float, float]


class Part(Wire):
    """Rows of one item in one batch.

    Attributes:
        item: The item that the rows are from.
        part: Counts the parts of one attempt, from 0.
        last: Whether the item has no further parts.
        first: The first of its rows in the batch.
        rows: How many of the batch's rows are its.
        frames: Where the rows lie in their pictures, or one for all rows; none where that is unknown.
    """

    item: Item
    part: Count = 0
    last: bool = True
    first: Count
    rows: Ordinal
    frames: tuple[Frame, ...] = ()

    @model_validator(mode="after")
    def _one_frame_a_row(self) -> Self:
        if len(self.frames) not in {0, 1, self.rows}:
            raise ValueError(f"{len(self.frames)} frames for {self.rows} rows")
        return self

    @property
    def each_frame(self) -> tuple[Frame | None, ...]:
        """One for each row."""
        every = self.frames or (None,)
        return every if len(every) == self.rows else every * self.rows


class TensorsMessage(Body):
    """``transform`` → ``inference`` (or → ``upload``, to collect): a batch in the tensor store.

    Attributes:
        batch: Its name in the tensor store.
        stamp: The digest of the contract's input half that it was prepared under.
        parts: Whose rows it holds; together they cover the batch.
    """

    batch: BatchName
    stamp: Sha256
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
