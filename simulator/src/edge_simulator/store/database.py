"""One SQLite file, written in group commits: one transaction for all that a turn of the event loop brought."""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, Protocol

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
    reported_version INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS subscriptions (
    client TEXT NOT NULL,
    filter TEXT NOT NULL,
    qos    INTEGER NOT NULL,
    PRIMARY KEY (client, filter)
) STRICT, WITHOUT ROWID;
"""


class Scheduler(Protocol):
    """An event loop's `call_soon`."""

    def __call__(self, callback: Callable[[], None], /) -> object:
        """Have `callback` called once this turn is over."""


class Database:
    """The connection, its open transaction, and who waits for that to end.

    The write-ahead log is not synced at each commit: it is in the kernel's hands by then, which outlives this process,
    and a simulator need not outlive a power cut.
    """

    def __init__(self, path: Path, schedule: Scheduler) -> None:
        """Open or create the file; `schedule` is the running loop's `call_soon`."""
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self._schedule = schedule
        self._waiting: list[Callable[[], None]] = []

    def read(self, sql: str, arguments: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run a query; it sees what the open transaction has written."""
        return self._connection.execute(sql, tuple(arguments))

    def write(self, sql: str, arguments: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run a statement in the transaction of this turn."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
            self._schedule(self._commit)
        return self._connection.execute(sql, tuple(arguments))

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back once everything written so far is committed: now, if nothing waits to be."""
        if self._connection.in_transaction:
            self._waiting.append(callback)
        else:
            callback()

    def close(self) -> None:
        """Commit and close."""
        self._commit()
        self._connection.close()

    def _commit(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()
