"""Scratch space for what was found: it may be far more than fits in memory.

Its files have no names, so nothing of them stays behind, however the command ends.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from edge_common.errors import EdgeError

SCHEMA: Final = """
CREATE TABLE file (              -- what the store holds
    name TEXT PRIMARY KEY, kind TEXT, device TEXT, date TEXT, stem TEXT,
    size INTEGER, sha256 TEXT, modified REAL, trouble TEXT
);
CREATE TABLE event (             -- what the ledger says, in columns of history.shards
    device TEXT, date TEXT, source TEXT, number INTEGER, module TEXT, event TEXT, at REAL, id TEXT, attempt INTEGER,
    path TEXT, content_sha256 TEXT, size INTEGER, code TEXT, reason TEXT,
    object TEXT, object_sha256 TEXT, object_bytes INTEGER, rows INTEGER,
    PRIMARY KEY (device, source, number)
) WITHOUT ROWID;
CREATE TABLE held (              -- rows of items in shards of results and features
    name TEXT, id TEXT, attempt INTEGER, rows INTEGER, distinct_rows INTEGER
);
CREATE TABLE finding (kind TEXT, device TEXT, date TEXT, about TEXT, detail TEXT);
"""

DIGEST: Final = """
CREATE TABLE stored AS           -- which object holds how much of which item
SELECT device, date, id, attempt, source, number, object, object_sha256, object_bytes, rows
FROM event WHERE event = 'stored';
CREATE INDEX stored_by_object ON stored (object, id, rows, object_bytes);
CREATE INDEX stored_by_item ON stored (device, date, id, attempt, object);
CREATE INDEX held_by_name ON held (name, id);

CREATE TABLE item AS             -- how far each item has come
SELECT device, date, id, max(path) AS path, max(content_sha256) AS content_sha256, max(at) AS at,
    max(size) AS size, max(event = 'dropped') AS dropped,
    max(event = 'stored' AND object LIKE 'records/%') AS stored, max(event IN ('accepted', 'stored')) AS accepted
FROM event GROUP BY device, date, id;
CREATE UNIQUE INDEX item_by_id ON item (device, date, id);

CREATE TABLE said AS             -- the last word of each ledger on it; SQLite takes the columns from the row of the max
SELECT device, date, id, event, code, reason, at, max(number) FROM event WHERE module = 'ingest'
GROUP BY device, date, id, source;
CREATE INDEX said_by_item ON said (device, date, id);

CREATE TABLE standing AS         -- with the last word of the ledger that has settled it, or else of the latest one
SELECT item.*, event AS state, code, reason, max((event = 'done') * 1e12 + said.at)
FROM item LEFT JOIN said USING (device, date, id) GROUP BY device, date, id;
CREATE INDEX standing_by_day ON standing (device, date, state);
"""

TUNING: Final = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -65536;      -- KiB
PRAGMA temp_store = FILE;        -- sorting takes more than fits in memory
"""

REFUSED: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
"""What SQLite says of its disk, in the last eight bits of a result code: https://sqlite.org/rescode.html"""


class ScratchError(EdgeError):
    """The disk for scratch files refuses."""

    hint = "TMPDIR says where they are; docs/verify.md says what they take"


@contextmanager
def opened() -> Iterator[sqlite3.Connection]:
    """An empty database that goes when it is left.

    Raises:
        ScratchError: Its disk refuses.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as db:  # without a name, it is a temporary one
        db.row_factory = sqlite3.Row
        try:
            db.executescript(TUNING + SCHEMA)
            yield db
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in REFUSED:
                raise
            raise ScratchError(f"what was found cannot be kept ({error})") from error


@contextmanager
def file() -> Iterator[BinaryIO]:
    """An empty file that goes when it is left.

    Raises:
        ScratchError: The disk refuses.
    """
    with ExitStack() as stack:
        with writing():
            made = stack.enter_context(TemporaryFile())
        yield made


@contextmanager
def writing() -> Iterator[None]:
    """What the disk says while a scratch file is written becomes a ScratchError."""
    try:
        yield
    except OSError as error:
        raise ScratchError(f"what the store holds cannot be copied ({error.strerror})") from error


def digest(db: sqlite3.Connection) -> None:
    """Make what the queries are made on, once all is loaded."""
    db.executescript(DIGEST)
