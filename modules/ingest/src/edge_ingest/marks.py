"""A mark in the share's private folder: what has it is the share, and not the empty folder that it is mounted on."""

import os
from functools import partial
from secrets import randbits
from typing import Final

from edge_ingest.share import FILE, Share
from edge_ingest.sight import PRIVATE
from edge_ingest.vault import write_whole

NAME: Final = "share.mark"
BITS: Final = 48
LONGEST: Final = 100
"""Bytes; whoever writes to the share can write there as well."""


def mark_of(share: Share) -> int | None:
    """The number that tells a share from others that may be found in its place; None where it cannot be read."""
    try:
        return _read(share)
    except (OSError, ValueError):
        return None


def ensure(share: Share) -> None:
    """Mark a share that has no mark yet. Where nothing can be written, it stays without."""
    try:
        _read(share)
    except (FileNotFoundError, ValueError):
        _mark(share)
    except OSError:
        return  # it may have one


def _read(share: Share) -> int:
    with share.folder(PRIVATE) as folder, open(NAME, "rb", opener=partial(_open, folder)) as file:
        return int(file.read(LONGEST), 16) % (1 << BITS)


def _open(folder: int, name: str, _: int) -> int:
    return os.open(name, FILE, dir_fd=folder)


def _mark(share: Share) -> None:
    try:
        with share.folder(PRIVATE, create=True) as folder:
            write_whole(folder, NAME, b"%x\n" % randbits(BITS))
            os.fsync(folder)
    except OSError:
        return
