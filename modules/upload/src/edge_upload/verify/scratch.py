"""A temporary database for what was found: it may be far more than fits in memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

SCHEMA: Final = """
CREATE TABLE file (              -- what the store holds
    name TEXT PRIMARY KEY, kind TEXT, device TEXT, date TEXT, stem TEXT,
    size INTEGER, sha256 TEXT, modified REAL, trouble TEXT
);
CREATE TABLE event (             -- what the ledger says; the columns of history.shards
    device TEXT, date TEXT, source TEXT, number INTEGER, module TEXT, event TEXT, at REAL, id TEXT, attempt INTEGER,
    path TEXT, content_sha256 TEXT, size INTEGER, generation INTEGER, code TEXT, stage TEXT, reason TEXT,
    object TEXT, object_sha256 TEXT, object_bytes INTEGER, etag TEXT, rows INTEGER,
    model_digest TEXT, contract_stamp TEXT,
    PRIMARY KEY (device, source, number)
) WITHOUT ROWID;
CREATE TABLE held (              -- rows of items in shards of results and features
    name TEXT, id TEXT, attempt INTEGER, rows INTEGER, distinct_rows INTEGER
);
CREATE TABLE finding (kind TEXT, device TEXT, date TEXT, about TEXT, detail TEXT);
"""

INDEXES: Final = """
CREATE INDEX event_by_item ON event (device, date, id, at, number);
CREATE INDEX event_by_object ON event (object, id) WHERE object IS NOT NULL;
CREATE INDEX held_by_name ON held (name, id);

CREATE TABLE item AS             -- how far each item has come
SELECT device, date, id, max(path) AS path, max(content_sha256) AS content_sha256, max(at) AS at,
    max(event = 'stored' AND object LIKE 'records/%') AS stored, max(event IN ('accepted', 'stored')) AS accepted
FROM event GROUP BY device, date, id;
CREATE UNIQUE INDEX item_by_id ON item (device, date, id);

CREATE TABLE said AS             -- the last word of each ledger on it; SQLite takes the columns from the row of the max
SELECT device, date, id, event, code, reason, at, max(number) FROM event WHERE module = 'ingest'
GROUP BY device, date, id, source;

CREATE TABLE standing AS         -- with the last word of the ledger that has settled it, or else of the latest one
SELECT item.*, event AS state, code, reason, max((event = 'done') * 1e12 + said.at)
FROM item LEFT JOIN said USING (device, date, id) GROUP BY device, date, id;
"""


@contextmanager
def opened() -> Iterator[sqlite3.Connection]:
    """An empty database that goes when it is left."""
    with (
        TemporaryDirectory(prefix="edge-verify-") as folder,
        closing(sqlite3.connect(Path(folder) / "scratch.db", isolation_level=None, check_same_thread=False)) as db,
    ):
        db.row_factory = sqlite3.Row
        db.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {SCHEMA}")
        yield db


def index(db: sqlite3.Connection) -> None:
    """Make what the queries need, once all is loaded."""
    db.executescript(INDEXES)
