"""Reads an item's file once, and makes sure that it is what ingest saw.

Anything else is rejected as ``CHANGED``: ingest looks at the path again and decides.
"""

import hashlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path

from edge_common.contract import Input
from edge_common.errors import ItemError
from edge_common.messages import Item
from edge_common.share import changed, open_item
from edge_transform.decoders.sniff import HEAD_BYTES
from edge_transform.prepare.samples import Samples, samples
from edge_transform.room import Room


def read_item(share: Path, item: Item, max_bytes: int, judge: Callable[[bytes], object]) -> bytes:
    """An item's content.

    Args:
        share: The share's root, resolved.
        item: Which file, and what it was.
        max_bytes: More is not read.
        judge: Given the beginning of the file; raises ItemError where it wants no more of it.

    Raises:
        ItemError: ``TOO_LARGE``; ``CHANGED``; the judge's; or, worth another try, ``GONE`` and ``IO``.
    """
    if item.size > max_bytes:
        raise ItemError("TOO_LARGE", f"the file has {item.size} bytes, and maxFileBytes is {max_bytes}")
    with open_item(share, item) as file:
        try:
            judge(file.read(HEAD_BYTES))
        except ItemError:
            _check(file, item)  # in pieces: nobody wants to hold it
            raise
        file.seek(0)
        content = file.read(item.size)
    _compare(hashlib.sha256(content).hexdigest(), item)
    return content


def read_samples(share: Path, item: Item, wanted: Input, pixels: Room) -> Iterator[tuple[Samples, bool]]:
    """An item's samples, in bounded memory, and with each block whether it is the last.

    The last is given only if the file is still what ingest saw: until then, nothing is done with the others.

    Args:
        share: The share's root, resolved.
        item: Which file, and what it was.
        wanted: The contract's input half.
        pixels: What its pictures take until the iteration ends.

    Raises:
        ItemError: As from :func:`read_item`, or from :func:`edge_transform.prepare.samples.samples`.
    """
    with open_item(share, item) as file:
        head = file.read(HEAD_BYTES)
        _check(file, item)
        blocks = samples(file, head, wanted, pixels)
        block = next(blocks)
        for following in blocks:
            yield block, False
            block = following
        _check(file, item)
        yield block, True


def _check(file: BufferedReader, item: Item) -> None:
    file.seek(0)
    _compare(hashlib.file_digest(file, "sha256").hexdigest(), item)


def _compare(sha256: str, item: Item) -> None:
    if sha256 != item.sha256:
        raise changed("its content is not what was hashed")
