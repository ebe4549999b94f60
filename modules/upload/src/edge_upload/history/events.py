"""The spool's table of events. All methods but ``batch`` block on the spool's thread."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from edge_common.messages import HistoryMessage, ItemHistory, KeptMessage
from edge_upload.database import Database
from edge_upload.history.columns import COLUMNS, SHARD_COLUMNS
from edge_upload.records import Record
from edge_upload.sinks import Stored

EVENT_BYTES: Final = 400
"""What an event takes in the database, with its share of the indexes."""

MOST_WAITING: Final = 500_000
"""Events in the spool beyond which ingest has to keep its own."""

TABLES: Final = f"""
CREATE TABLE IF NOT EXISTS events (
    entry INTEGER PRIMARY KEY,
    date TEXT NOT NULL,
    {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())},
    UNIQUE (source, number)
);
CREATE INDEX IF NOT EXISTS events_by_date ON events (date, entry);
CREATE TABLE IF NOT EXISTS history (source TEXT NOT NULL, events INTEGER NOT NULL);
INSERT INTO history SELECT lower(hex(randomblob(16))), 0 WHERE NOT EXISTS (SELECT 1 FROM history);
"""
"""Beside the schema: a release that does not know them leaves them alone."""

INSERT: Final = (
    f"INSERT OR IGNORE INTO events (date, {SHARD_COLUMNS}) VALUES (:date, {', '.join(f':{name}' for name in COLUMNS)})"
)
NOTHING: Final[Mapping[str, Any]] = dict.fromkeys(COLUMNS)

STORED: Final = """
SELECT items.id, items.attempt, items.model AS model_digest, parts.date, sum(parts.rows) AS rows,
    json_extract(record, '$.stamp') AS contract_stamp
FROM parts JOIN items ON items.number = parts.item JOIN records ON records.number = parts.number
WHERE parts.shard = ? GROUP BY parts.item
"""


class Events:
    """What happened to items, until the store has it.

    Args:
        database: The spool's.

    Raises:
        SpoolUnavailableError: The disk refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.add(TABLES)

    def take(self, message: HistoryMessage) -> KeptMessage:
        """Keep what ingest sends; it is durable when this returns.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        rows = [row for item in message.items for row in _rows(message.ledger, item)]
        with self._database.transaction():
            self._database.execute_many(INSERT, rows)
        return KeptMessage(ledger=message.ledger, numbers=tuple(row["number"] for row in rows))

    def accepted(self, record: Record, now: datetime) -> None:
        """An item is whole; within the transaction that makes it so. The record is that of its last part."""
        item = record.item
        event = {
            "id": item.id,
            "date": item.date.isoformat(),
            "attempt": item.attempt,
            "path": item.path,
            "content_sha256": item.sha256,
            "size": item.size,
            "generation": item.generation,
            "model_digest": record.model and record.model.digest,
            "contract_stamp": record.stamp,
        }
        self._note("accepted", [event], now)

    def stored(self, shard: int, stored: Stored, sha256: str, now: datetime) -> None:
        """A shard of results is in the store; within the transaction that settles it, while its parts are there."""
        place = {"object": stored.name, "object_sha256": sha256, "object_bytes": stored.size, "etag": stored.etag}
        cursor = self._database.execute(STORED, [shard])
        names = [column[0] for column in cursor.description]
        self._note("stored", ({**place, **dict(zip(names, row, strict=True))} for row in cursor.fetchall()), now)

    @property
    def full(self) -> bool:
        """Whether there is no room for what ingest can keep as well."""
        first, last = self._database.execute("SELECT min(entry), max(entry) FROM events").fetchone()
        return last is not None and last - first >= MOST_WAITING

    def waiting(self) -> list[tuple[str, int]]:
        """The dates of items whose events wait, with how many do."""
        return self._database.execute("SELECT date, count(*) FROM events GROUP BY date").fetchall()

    def batch(self, date: str, most: int) -> Iterator[tuple[Any, ...]]:
        """The oldest events of a date, as ``entry`` and the columns; on any thread."""
        query = f"SELECT entry, {SHARD_COLUMNS} FROM events WHERE date = ? ORDER BY entry LIMIT ?"  # noqa: S608
        with self._database.reader() as connection:
            yield from connection.execute(query, [date, most])

    def forget(self, date: str, last: int) -> None:
        """The store has these events, up to an entry.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        self._database.execute("DELETE FROM events WHERE date = ? AND entry <= ?", [date, last])

    def _note(self, event: str, about: Iterable[Mapping[str, Any]], now: datetime) -> None:
        source, before = self._database.execute("SELECT source, events FROM history").fetchone()
        said = {**NOTHING, "source": source, "module": "upload", "event": event, "at": now.timestamp()}
        rows = [{**said, **one, "number": number} for number, one in enumerate(about, start=before + 1)]
        self._database.execute_many(INSERT, rows)
        self._database.execute("UPDATE history SET events = events + ?", [len(rows)])


def _rows(ledger: str, item: ItemHistory) -> Iterator[dict[str, Any]]:
    about = {
        **NOTHING,
        "source": ledger,
        "module": "ingest",
        "id": item.id,
        "path": item.path,
        "content_sha256": item.sha256 or None,
        "size": item.size,
        "date": item.date.isoformat(),
        "generation": item.generation,
    }
    for event in item.events:
        yield {**about, **event.model_dump()}
