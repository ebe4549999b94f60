"""Disk writes that are either whole or not there."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate, islice
from pathlib import Path
from typing import BinaryIO


def fsync_folder(folder: Path) -> None:
    """Make a folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_writer(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Write a file beside its place, then rename it there; a failure leaves nothing behind.

    Args:
        path: Where the file goes; its folder must exist.
        durable: Whether file and folder are fsynced. Not for what need not survive a power cut.

    Raises:
        OSError: The disk refuses.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        fsync_folder(path.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole and durably, or not at all.

    Raises:
        OSError: The disk refuses.
    """
    with atomic_writer(path) as file:
        file.write(data)


def resolve_inside(root: Path, relative: str) -> Path:
    """The path of a name that came in a message, under a root that it must not leave.

    Args:
        root: A folder, itself already resolved.
        relative: A relative POSIX path.

    Raises:
        ValueError: The name is absolute, or leads out of the root, through ``..`` or a symbolic link.
    """
    path = root / relative
    if not _is_plain(root, relative) and not path.resolve().is_relative_to(root):
        raise ValueError(f"{relative!r} leads out of {root}")
    return path


def _is_plain(root: Path, relative: str) -> bool:
    """Whether a name leads straight down, through no link; which is quicker to see than where one leads."""
    parts = relative.split("/")
    if relative.startswith("/") or ".." in parts or "\0" in relative:
        return False
    return not any(map(os.path.islink, islice(accumulate([str(root), *parts], "{}/{}".format), 1, None)))
