"""Reads an item's file once, and makes sure that it is what ingest saw.

What is found at the path instead of the file that ingest hashed, be it other bytes, a link or a pipe, is rejected as
``CHANGED``: ingest looks at the path again and decides. The hash also settles every race between looking and opening.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Final

from edge_common.errors import ItemError
from edge_common.files import resolve_inside
from edge_common.messages import Item
from edge_transform.decoders.sniff import HEAD_BYTES
from edge_transform.tables import Block, RowsInput, samples

OPEN_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""A link is not followed, and opening a pipe without a writer does not wait for one."""

NOT_A_FILE: Final = frozenset({errno.EISDIR, errno.ELOOP, errno.ENXIO})
"""What opening a folder, a link (with ``O_NOFOLLOW``) or a socket fails with."""


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
    with _opened(share, item) as file:
        try:
            judge(file.read(HEAD_BYTES))
        except ItemError:
            _check(file, item)  # in pieces: nobody wants to hold it
            raise
        file.seek(0)
        content = file.read(item.size)
    _compare(hashlib.sha256(content).hexdigest(), item)
    return content


def read_samples(share: Path, item: Item, wanted: RowsInput) -> Iterator[tuple[Block, bool]]:
    """An item's samples, in bounded memory, and with each block whether it is the last.

    The last is given only if the file is still what ingest saw: until then, nothing is done with the others.

    Args:
        share: The share's root, resolved.
        item: Which file, and what it was.
        wanted: The contract's input half.

    Raises:
        ItemError: As from :func:`read_item`, or from :func:`edge_transform.tables.samples`.
    """
    with _opened(share, item) as file:
        head = file.read(HEAD_BYTES)
        _check(file, item)
        blocks = samples(file, head, wanted)
        block = next(blocks)
        for following in blocks:
            yield block, False
            block = following
        _check(file, item)
        yield block, True


@contextmanager
def _opened(share: Path, item: Item) -> Iterator[BufferedReader]:
    try:
        with open(resolve_inside(share, item.path), "rb", opener=_open) as file:
            _look_at(file, item.size)
            yield file
    except (ValueError, RuntimeError) as error:  # out of the share; or links in a circle
        raise _changed("the path leads elsewhere now") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ItemError("GONE", "the file is no longer there", can_retry=True) from error
    except OSError as error:
        if error.errno in NOT_A_FILE:
            raise _changed("it is no regular file any more") from error
        raise ItemError("IO", f"the file cannot be read ({error.strerror})", can_retry=True) from error


def _check(file: BufferedReader, item: Item) -> None:
    file.seek(0)
    _compare(hashlib.file_digest(file, "sha256").hexdigest(), item)


def _compare(sha256: str, item: Item) -> None:
    if sha256 != item.sha256:
        raise _changed("its content is not what was hashed")


def _look_at(file: BufferedReader, size: int) -> None:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise _changed("it is no regular file any more")
    if status.st_size != size:
        raise _changed(f"it has {status.st_size} bytes, not {size}")


def _open(path: str, _: int) -> int:
    return os.open(path, OPEN_FLAGS)


def _changed(how: str) -> ItemError:
    return ItemError("CHANGED", f"the file has changed since it was found: {how}")
