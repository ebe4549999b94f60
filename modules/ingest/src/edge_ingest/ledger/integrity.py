"""Whether the ledger's file is whole: a bad page that nothing reads is not known to be bad."""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from edge_common.databases import is_corrupt

log = logging.getLogger(__name__)

STEPS: Final = 100_000
"""Of SQLite's machine, between two questions whether to stop: some milliseconds."""


def fault(path: Path, stopped: Callable[[], bool]) -> str | None:
    """What is wrong with a ledger, if anything is known to be. Reads all of it, some seconds a gigabyte.

    Args:
        path: The ledger; it may be in use.
        stopped: Whether nobody needs the answer any more.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.set_progress_handler(stopped, STEPS)
            found: str = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            log.debug("the ledger could not be checked: %s", error)
            return None
        found = str(error)
    return None if found == "ok" else found
