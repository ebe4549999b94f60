"""Originals from the store, prepared as transform prepares them at the edge."""

import hashlib
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_common.contract import Input
from edge_common.errors import ItemError
from edge_mlops.dataset.selection import Item
from edge_mlops.errors import BlobError
from edge_transform.prepare import prepare_rows
from edge_upload.sinks import Sink, SinkMissingError

Samples = npt.NDArray[np.float32]


class Prepared(NamedTuple):
    """An item's samples, or why it has none.

    Attributes:
        item: The item.
        samples: Shape ``(n, *wanted.sample_shape)``.
        code: Why it cannot be prepared, or None.
    """

    item: Item
    samples: Samples
    code: str | None = None


async def prepared(sink: Sink, items: Iterable[Item], wanted: Input) -> AsyncIterator[Prepared]:
    """Items and their samples, one item at a time.

    Args:
        sink: The store.
        items: Which.
        wanted: The contract's input half.

    Raises:
        BlobError: An original is not what the dataset says.
        SinkError: The store does not answer.
    """
    for item in items:
        content = await _content(sink, item)
        try:
            yield Prepared(item, prepare_rows(content, wanted))
        except ItemError as error:
            yield Prepared(item, np.empty((0, *wanted.sample_shape), np.float32), error.code)


async def _content(sink: Sink, item: Item) -> bytes:
    try:
        content = b"".join([chunk async for chunk in sink.read(item.name)])
    except SinkMissingError as error:
        raise BlobError(str(error)) from error
    if hashlib.sha256(content).hexdigest() != item.sha256:
        raise BlobError(f"{item.name} has other bytes than when it was frozen")
    return content
