"""One SQLite file, written in group commits: one transaction for all that a turn of the event loop brought."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Never

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS queue (
    id                INTEGER PRIMARY KEY,
    module            TEXT NOT NULL,
    input             TEXT NOT NULL,
    priority          INTEGER NOT NULL,
    expires_at        REAL,
    properties        TEXT NOT NULL,
    system_properties TEXT NOT NULL,
    body              BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS queue_order ON queue (module, priority, id, expires_at, input);
CREATE TABLE IF NOT EXISTS twins (
    module           TEXT PRIMARY KEY,
    section          TEXT NOT NULL,
    desired          TEXT NOT NULL,
    desired_version  INTEGER NOT NULL,
    reported         TEXT NOT NULL,
    reported_version INTEGER NOT NULL,
    tags             TEXT NOT NULL,
    tags_version     INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS subscriptions (
    client TEXT NOT NULL,
    filter TEXT NOT NULL,
    qos    INTEGER NOT NULL,
    PRIMARY KEY (client, filter)
) STRICT, WITHOUT ROWID;
"""


class Database:
    """The connection, its open transaction, and who waits for that to end.

    Nothing is synced: a commit is in the hands of the kernel, which outlives this process, and syncing would stall the
    event loop. A simulator need not outlive a power cut.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_SCHEMA)
        self._waiting: list[Callable[[], None]] = []
        self._written = asyncio.Event()
        self._failure: sqlite3.Error | None = None

    def read(self, sql: str, arguments: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run a query; it sees what the open transaction has written."""
        return self._connection.execute(sql, tuple(arguments))

    def write(self, sql: str, arguments: Iterable[Any] = ()) -> None:
        """Run a statement in the transaction of this turn.

        Raises:
            sqlite3.Error: it failed; no commit will succeed any more, so that nothing is acknowledged that is not safe.
        """
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN")
            self._connection.execute(sql, tuple(arguments))
        except sqlite3.Error as error:
            self._failure = error
            raise
        finally:
            self._written.set()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back once everything written so far is committed: now, if nothing waits to be."""
        if self._written.is_set():
            self._waiting.append(callback)
        else:
            callback()

    async def keep_committing(self) -> Never:
        """Commit at the end of every turn of the event loop that has written something.

        Raises:
            sqlite3.Error: the file can no longer be written.
        """
        while True:
            await self._written.wait()
            self.commit()

    def commit(self) -> None:
        """Commit, and call those who wait for it.

        Raises:
            sqlite3.Error: the file can no longer be written.
        """
        if self._failure is not None:
            raise self._failure
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        self._written.clear()
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()

    def close(self) -> None:
        """Commit, and close; nobody is left to be told."""
        self._waiting.clear()
        with suppress(sqlite3.Error):  # what a file that refuses does not take was acknowledged to nobody
            self.commit()
        self._connection.close()
