"""SQLite files that are no longer whole: how to tell, and where they go, so that a module goes on without a person."""

import logging
import sqlite3
from pathlib import Path
from typing import Final

from edge_common.files import fsync_folder, write_atomically

log = logging.getLogger(__name__)

CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

ASIDE: Final = ".corrupt"
"""Added to the names of files that were set aside."""


def is_corrupt(error: BaseException) -> bool:
    """Whether SQLite says that a file is not, or no longer, a database."""
    return isinstance(error, sqlite3.DatabaseError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in CORRUPT


def set_aside(path: Path, reason: str) -> Path:
    """Move a database out of the way, with its log beside it and a ``.reason.txt``; one set aside before is replaced.

    Close every connection to it first. What is killed half-way is finished by the next call.

    Returns:
        Where the database is now.

    Raises:
        OSError: The disk refuses.
    """
    aside = path.with_name(path.name + ASIDE)
    write_atomically(path.with_name(f"{path.name}{ASIDE}.reason.txt"), f"{reason}\n".encode())
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    for suffix in ("-wal", ""):  # the log first: SQLite would apply it to whatever takes the database's place
        if path.with_name(path.name + suffix).exists():
            path.with_name(path.name + suffix).replace(aside.with_name(aside.name + suffix))
    fsync_folder(path.parent)
    log.error("%s is set aside as %s: %s", path, aside.name, reason)
    return aside
