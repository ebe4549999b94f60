"""Walks the whole share in bounded memory, whatever the number of its files."""

import logging
import os
from collections.abc import Iterator
from typing import Final

from edge_ingest.globs import PathFilter
from edge_ingest.share import FOLDER, Share
from edge_ingest.sight import PRIVATE, Sight

log = logging.getLogger(__name__)

DEEPEST: Final = 200
"""Folders within folders; what lies deeper is left alone."""


def walk(share: Share, wanted: PathFilter, below: str = "") -> Iterator[Sight]:
    """See everything on the share, or below one of its folders, but folders, and but the private folder.

    Folders are read entry by entry, and only those between the root and where the walk is are open at a time. Symbolic
    links are seen as what they are. A folder that cannot be read is logged and left out.

    Args:
        share: The share.
        wanted: Which paths to yield; folders are entered in any case.
        below: Where to begin; what is seen has its path relative to there.

    Raises:
        ShareAwayError: The root is not there.
        OSError: Where it begins cannot be read.
    """
    with share.folder(below) as root:
        yield from _walk(root, "", 0, wanted)


def _walk(folder: int, prefix: str, depth: int, wanted: PathFilter) -> Iterator[Sight]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if path != PRIVATE:
                    yield from _enter(folder, entry.name, path, depth + 1, wanted)
            elif path in wanted and (sight := _see(entry, path)):
                yield sight


def _enter(parent: int, name: str, path: str, depth: int, wanted: PathFilter) -> Iterator[Sight]:
    if depth > DEEPEST:
        log.warning("folder %r lies too deep and is left alone", path)
        return
    try:
        folder = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=parent)
        try:
            yield from _walk(folder, f"{path}/", depth, wanted)
        finally:
            os.close(folder)
    except OSError as error:
        log.warning("folder %r cannot be read and is left out of this scan: %s", path, error)


def _see(entry: "os.DirEntry[str]", path: str) -> Sight | None:
    try:
        return Sight.of(path, entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None
