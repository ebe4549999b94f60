"""The spool's database: SQLite, so that a commit is durable and a kill at any moment leaves a state that it opens."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from edge_common.databases import is_corrupt, set_aside
from edge_common.errors import ConfigurationError, EdgeError

VERSION: Final = 2
"""The schema's version. A release opens its own and the one after, so that going back one release is possible: what the
next version adds must leave what this one reads and writes in place."""

SCHEMA: Final = """
CREATE TABLE items (             -- each attempt of an item that is being put together, then the one that was whole
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,         -- assembling, accepted, uploaded, settled
    held INTEGER NOT NULL,       -- see assembly.Attempt
    highest INTEGER NOT NULL,
    last INTEGER,
    model TEXT,                  -- digest of the model whose predictions completed it
    changed REAL NOT NULL,       -- seconds since 1970
    UNIQUE (id, attempt)
);
CREATE INDEX items_by_state ON items (state, changed);

CREATE TABLE layouts (           -- see records.Layout
    number INTEGER PRIMARY KEY,
    layout TEXT NOT NULL UNIQUE
);

CREATE TABLE shards (            -- being cut while it has no name; with one, it is an intent
    number INTEGER PRIMARY KEY,
    name TEXT,
    sha256 TEXT
);

CREATE TABLE parts (             -- narrow, because shards are chosen by scanning it
    number INTEGER PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
    part INTEGER NOT NULL,
    date TEXT NOT NULL,
    layout INTEGER NOT NULL REFERENCES layouts,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    stored REAL NOT NULL,
    ready INTEGER NOT NULL,      -- whether its item is whole
    shard INTEGER REFERENCES shards ON DELETE SET NULL,
    UNIQUE (item, part)
);
CREATE INDEX parts_waiting ON parts (date, layout, number) WHERE ready AND shard IS NULL;
CREATE INDEX parts_by_shard ON parts (shard);

CREATE TABLE records (           -- what a part holds; see records.Record
    number INTEGER PRIMARY KEY REFERENCES parts ON DELETE CASCADE,
    record TEXT NOT NULL,
    features BLOB
);

CREATE TABLE usage (bytes INTEGER NOT NULL);
INSERT INTO usage VALUES (0);
CREATE TRIGGER part_in AFTER INSERT ON parts BEGIN UPDATE usage SET bytes = bytes + NEW.bytes; END;
CREATE TRIGGER part_out AFTER DELETE ON parts BEGIN UPDATE usage SET bytes = bytes - OLD.bytes; END;
"""

SAMPLES: Final = """
ALTER TABLE items ADD COLUMN sampled TEXT NOT NULL DEFAULT '';       -- see sampling.Why; by spaces
ALTER TABLE parts ADD COLUMN cargo TEXT NOT NULL DEFAULT 'results';  -- see cargo.Cargo
ALTER TABLE parts ADD COLUMN hard INTEGER NOT NULL DEFAULT 0;        -- whether it goes before other samples
ALTER TABLE parts ADD COLUMN fault TEXT;                             -- why it was set aside

CREATE INDEX parts_going ON parts (cargo, hard, date, layout, number, rows, bytes)
    WHERE ready AND shard IS NULL AND fault IS NULL;
CREATE INDEX parts_originals ON parts (hard DESC, number)
    WHERE ready AND shard IS NULL AND fault IS NULL AND cargo = 'original';
CREATE INDEX parts_aside ON parts (number) WHERE fault IS NOT NULL;
CREATE VIEW going AS             -- what waits for the store
    SELECT number, item, date, layout, cargo, hard, rows, bytes FROM parts
    WHERE ready AND shard IS NULL AND fault IS NULL;

CREATE TABLE quotas (            -- see sampling.Quotas
    period TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    used INTEGER NOT NULL
);
"""

STEPS: Final = (SCHEMA, SAMPLES)
"""What leads from each version to the next. To the release before, a sample is a part like any other."""

DISK_TROUBLE: Final = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}


class SpoolUnavailableError(EdgeError):
    """The disk that the spool is on is full, or does not work."""

    retryable = True


class SpoolSpoiltError(SpoolUnavailableError):
    """The spool is no longer whole; the next transaction, or the next start, sets it aside for an empty one."""


class _Guard:
    """Gives what SQLite says of the disk a type; entered for each statement, so it costs little.

    Args:
        mark: A file that is written where the database is no longer whole; holds the reason.
    """

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in DISK_TROUBLE:
            raise SpoolUnavailableError(f"the spool's disk refuses ({error})") from error
        if error and is_corrupt(error):
            self._mark.write_text(str(error))
            raise SpoolSpoiltError(f"the spool is no longer whole ({error})") from error


class Database:
    """One connection, used from one thread at a time.

    A spool that is no longer whole is set aside for an empty one. What it held comes again: ingest asks about what was
    accepted, hears that it is unknown, and sends it.

    Args:
        path: The database's file; made if it is not there.

    Raises:
        ConfigurationError: A much newer release wrote it.
        SpoolUnavailableError: The disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = path.with_name(f"{path.name}.spoilt")
        self._guard = _Guard(self._mark)
        self._beside: list[str] = []
        try:
            self._open()
        except SpoolSpoiltError:
            self._replace()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        with self._guard:
            return self._connection.execute(statement, values)

    def execute_many(self, statement: str, values: Iterable[Any]) -> None:
        """Run one statement with each of these values.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        with self._guard:
            self._connection.executemany(statement, values)

    def add(self, tables: str) -> None:
        """Make tables that stand beside the schema, where they are missing: all or none; in whatever replaces it, too.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        self._make(tables)
        self._beside.append(tables)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; durable once it has ended.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        if self._mark.exists():
            self._replace()
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # some errors have rolled back by themselves
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A second connection that sees what was committed before, for another thread, while this one goes on."""
        source = f"{self._path.absolute().as_uri()}?mode=ro"
        with self._guard, closing(sqlite3.connect(source, uri=True)) as connection:
            yield connection

    def give_back(self, pages: int) -> None:
        """Give free pages at the file's end back to the disk, so many at most.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        with self._guard:  # execute() would take one step of this statement, which is one page
            self._connection.executescript(f"PRAGMA incremental_vacuum({pages})")

    def close(self) -> None:
        """Close the connection; nothing is lost if this is never called."""
        self._connection.close()

    def _open(self) -> None:
        with self._guard:
            self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._prepare()
        if self._mark.exists():  # an earlier life has come upon it
            self._replace()

    def _replace(self) -> None:
        self._connection.close()
        set_aside(self._path, self._mark.read_text())
        self._mark.unlink()
        self._open()

    def _prepare(self) -> None:
        self.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before anything is written
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = FULL")
        self.execute("PRAGMA foreign_keys = ON")
        version = self.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION + 1:
            raise ConfigurationError(f"{self._path} was written by a release that is more than one ahead of this")
        for number, step in enumerate(STEPS[version:], version + 1):
            self._connection.executescript(f"BEGIN; {step} PRAGMA user_version = {number}; COMMIT;")
        for tables in self._beside:
            self._make(tables)

    def _make(self, tables: str) -> None:
        with self._guard:
            self._connection.executescript(f"BEGIN IMMEDIATE; {tables} COMMIT;")
