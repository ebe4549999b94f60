"""Opens an item's file on the share, if it can still be what ingest saw.

What is found at the path instead, be it of another size, a link or a pipe, is ``CHANGED``. The size is a first look
only: whoever reads the bytes hashes them, and that settles every race between looking and opening.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Final

from edge_common.errors import ItemError
from edge_common.files import resolve_inside
from edge_common.messages import Item

OPEN_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""A link is not followed, and opening a pipe without a writer does not wait for one."""

NOT_A_FILE: Final = frozenset({errno.EISDIR, errno.ELOOP, errno.ENXIO})
"""What opening a folder, a link (with ``O_NOFOLLOW``) or a socket fails with."""


@contextmanager
def open_item(share: Path, item: Item) -> Iterator[BufferedReader]:
    """An item's file, open for reading; what goes wrong while it is read is told likewise.

    Args:
        share: The share's root, resolved.
        item: Which file, and what it was.

    Raises:
        ItemError: ``CHANGED``; or, worth another try, ``GONE`` and ``IO``.
    """
    try:
        with open(resolve_inside(share, item.path), "rb", opener=_open) as file:
            _check(os.fstat(file.fileno()), item)
            yield file
    except (ValueError, RuntimeError) as error:  # out of the share; or links in a circle
        raise changed("the path leads elsewhere now") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ItemError("GONE", "the file is no longer there", can_retry=True) from error
    except OSError as error:
        if error.errno in NOT_A_FILE:
            raise changed("it is no regular file any more") from error
        raise ItemError("IO", f"the file cannot be read ({error.strerror})", can_retry=True) from error


def changed(how: str) -> ItemError:
    """An item's file is not what ingest saw."""
    return ItemError("CHANGED", f"the file has changed since it was found: {how}")


def _check(status: os.stat_result, item: Item) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise changed("it is no regular file any more")
    if status.st_size != item.size:
        raise changed(f"it has {status.st_size} bytes, not {item.size}")


def _open(path: str, _: int) -> int:
    return os.open(path, OPEN_FLAGS)
