"""A ledger that is no longer whole becomes a new one: what can be read is taken over, the share gives the rest."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from edge_common.databases import is_corrupt, set_aside
from edge_common.files import fsync_folder
from edge_ingest.ledger.records import flaw
from edge_ingest.ledger.schema import open_ledger

log = logging.getLogger(__name__)

MOST_GAP: Final = 100_000
"""Rows in a row that cannot be read, before the rest is given up: a whole branch of the table may be lost."""

SUFFIXES: Final = ("", "-wal", "-shm")


def open_or_salvage(path: Path) -> sqlite3.Connection:
    """Open the ledger; one that is no longer whole is replaced first.

    Raises:
        ConfigurationError: The ledger was written by a release that is too new for this one.
        sqlite3.OperationalError: The disk refuses.
    """
    new = _new(path)
    if new.exists() and not path.exists():  # killed between the two renames
        new.rename(path)
    try:
        return open_ledger(path)
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            raise
        return replace(path, str(error))


def replace(path: Path, reason: str) -> sqlite3.Connection:
    """Put a new ledger in the place of one that is no longer whole, and set that aside.

    The new one is complete before the old one is moved, so this can be killed, or fail, at any point, and be repeated.

    Args:
        path: The ledger; nothing has it open.
        reason: Kept beside it.

    Raises:
        sqlite3.OperationalError: The disk refuses.
        OSError: The disk refuses.
    """
    new = _new(path)
    if path.exists():
        for suffix in SUFFIXES:
            new.with_name(new.name + suffix).unlink(missing_ok=True)
        with closing(open_ledger(new)) as db:
            kept = _take_over(db, path)
        set_aside(path, reason)
        log.warning("a new ledger has taken over %d items; the files of others are found again by scans", kept)
    new.rename(path)
    fsync_folder(path.parent)
    return open_ledger(path)


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _take_over(db: sqlite3.Connection, path: Path) -> int:
    kept = 0
    db.execute("BEGIN IMMEDIATE")
    for row in _rows(path):
        if flaw(row) is None:
            kept += db.execute(TAKE_OVER, {"share": None, **dict(row)}).rowcount
    db.execute("COMMIT")
    return kept


def _rows(path: Path) -> Iterator[sqlite3.Row]:
    """All rows that can be read, around those that cannot."""
    number = gap = 0
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as old:
        old.row_factory = sqlite3.Row
        while gap < MOST_GAP:
            try:
                for row in old.execute("SELECT rowid AS number, * FROM item WHERE rowid > ? ORDER BY rowid", (number,)):
                    number, gap = row["number"], 0
                    yield row
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_NOTADB:
                    return
                number += 1
                gap += 1
            else:
                return


TAKE_OVER: Final = """
INSERT OR IGNORE INTO item (id, path, size, mtime_ns, sha256, generation, captured_ns, date, state, attempt, losses,
    strikes, code, stage, reason, seen_at, sent_at, accepted_at, asked_at, ended_at, told, share)
VALUES (:id, :path, :size, :mtime_ns, :sha256, :generation, :captured_ns, :date, :state, :attempt, :losses,
    :strikes, :code, :stage, :reason, :seen_at, :sent_at, :accepted_at, :asked_at, :ended_at, :told, :share)
"""
