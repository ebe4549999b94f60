"""The ledger's tables, and how an older ledger becomes a newer one."""

import sqlite3
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

from edge_common.errors import ConfigurationError


class State(StrEnum):
    """Where an item is on its way."""

    READY = "ready"
    """To be sent."""
    WAITING = "waiting"
    """To be sent again, after a while."""
    SENT = "sent"
    """Sent under a lease."""
    ACCEPTED = "accepted"
    """On upload's disk; or, with the code ``LOST``, given up unless upload says otherwise, who is asked."""
    UPLOADED = "uploaded"
    """In the store; the file is still to get its retention."""
    DONE = "done"
    """In the store, and the file has got its retention."""
    REFUSED = "refused"
    """Cannot be processed; the file is still to be moved to the quarantine."""
    QUARANTINED = "quarantined"
    """Cannot be processed, and the file has been moved to the quarantine."""
    GONE = "gone"
    """The file vanished, or got other content, before it was accepted."""


VERSION_1: Final = """
CREATE TABLE item (
    id          TEXT PRIMARY KEY,
    path        TEXT NOT NULL,
    size        INTEGER NOT NULL,
    mtime_ns    INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    generation  INTEGER NOT NULL DEFAULT 0,
    captured_ns INTEGER NOT NULL,
    date        TEXT NOT NULL,
    state       TEXT NOT NULL,
    attempt     INTEGER NOT NULL DEFAULT 0,
    losses      INTEGER NOT NULL DEFAULT 0,
    strikes     INTEGER NOT NULL DEFAULT 0,
    code        TEXT,
    stage       TEXT,
    reason      TEXT,
    seen_at     REAL NOT NULL,
    sent_at     REAL,
    accepted_at REAL,
    asked_at    REAL,
    ended_at    REAL,
    told        INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX item_by_path ON item (path);
CREATE INDEX item_ready ON item (seen_at) WHERE state = 'ready';
CREATE INDEX item_accepted ON item (asked_at) WHERE state = 'accepted';
CREATE INDEX item_settling ON item (id) WHERE state IN ('uploaded', 'refused');
CREATE INDEX item_untold ON item (id) WHERE told = 0 AND attempt > 0 AND state IN ('done', 'quarantined', 'gone');
CREATE INDEX item_quarantined ON item (ended_at) WHERE state = 'quarantined';

CREATE TABLE tally (state TEXT PRIMARY KEY, items INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TRIGGER item_added AFTER INSERT ON item BEGIN
    INSERT INTO tally VALUES (new.state, 1) ON CONFLICT (state) DO UPDATE SET items = items + 1;
END;

CREATE TRIGGER item_moved AFTER UPDATE OF state ON item WHEN old.state <> new.state BEGIN
    UPDATE tally SET items = items - 1 WHERE state = old.state;
    INSERT INTO tally VALUES (new.state, 1) ON CONFLICT (state) DO UPDATE SET items = items + 1;
END;
"""

VERSION_2: Final = """
CREATE TABLE set_aside (  -- rows of item that made no sense, as JSON
    record TEXT NOT NULL,
    reason TEXT NOT NULL,
    at     TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;

CREATE INDEX item_renewed ON item (path) WHERE generation > 0;

CREATE TRIGGER item_removed AFTER DELETE ON item BEGIN
    UPDATE tally SET items = items - 1 WHERE state = old.state;
END;
"""

VERSION_3: Final = """
ALTER TABLE item ADD COLUMN share INTEGER;   -- the mark of the share that it was seen on last
ALTER TABLE item ADD COLUMN missed_at REAL;  -- since when its file is not there; NULL while it may be
"""

MOST_REBUILT: Final = 64 << 20
"""Bytes of a ledger, as much again of memory and of disk, and about a second."""

MIGRATIONS: Final = (VERSION_1, VERSION_2, VERSION_3)
"""The n-th makes version n out of version n - 1, by additions that the release before does not mind."""


def open_ledger(path: Path) -> sqlite3.Connection:
    """Open the ledger, and bring it up to this release's version.

    Every commit is durable when it returns (WAL with full synchronisation).

    Args:
        path: The file; created where there is none.

    Raises:
        ConfigurationError: The ledger was written by a release that is too new for this one.
    """
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    try:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before anything is written
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        # What could undo a single statement; for a file of it SQLite has 64 KB made ready, and given back, each time.
        db.execute("PRAGMA temp_store = MEMORY")
        _migrate(db, path)
        _rebuild(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS) + 1:
        raise ConfigurationError(f"{path} has version {version}; this release reads up to {len(MIGRATIONS) + 1}")
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")


def _rebuild(db: sqlite3.Connection, path: Path) -> None:
    """Have a ledger of before be able to shrink, if that takes a moment only; a larger one fills its free pages."""
    shrinks: int = db.execute("PRAGMA auto_vacuum").fetchone()[0]
    if not shrinks and path.stat().st_size <= MOST_REBUILT:
        with suppress(sqlite3.OperationalError):  # the disk is full, or somebody reads it
            db.execute("VACUUM")
