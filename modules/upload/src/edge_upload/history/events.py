"""The spool's table of events. All methods but ``batch`` block on the spool's thread."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic_core import to_json

from edge_common.messages import HistoryMessage, Item, ItemHistory, KeptMessage
from edge_upload.database import Database, SpoolUnavailableError
from edge_upload.records import Record
from edge_upload.sinks import Stored

EVENT_BYTES: Final = 400
"""What an event takes in the database, with its share of the indexes."""

MOST_WAITING: Final = 500_000
"""Events in the spool beyond which ingest has to keep its own."""

TABLES: Final = """
CREATE TABLE IF NOT EXISTS events (
    entry INTEGER PRIMARY KEY,
    source TEXT NOT NULL,        -- the ledger, or this spool
    number INTEGER NOT NULL,     -- in its history
    date TEXT NOT NULL,          -- the item's
    event TEXT NOT NULL,         -- JSON, of the columns in shards.SCHEMA
    UNIQUE (source, number)
);
CREATE INDEX IF NOT EXISTS events_by_date ON events (date, entry);
CREATE TABLE IF NOT EXISTS history (source TEXT NOT NULL, events INTEGER NOT NULL);
INSERT INTO history SELECT lower(hex(randomblob(16))), 0 WHERE NOT EXISTS (SELECT 1 FROM history);
"""
"""Beside the schema: a release that does not know them leaves them alone."""

INSERT: Final = "INSERT OR IGNORE INTO events (source, number, date, event) VALUES (?, ?, ?, ?)"

SPAN: Final = "SELECT (SELECT min(entry) FROM events), (SELECT max(entry) FROM events)"
"""Each by itself is looked up; for both in one query, SQLite goes through the whole table."""

STORED: Final = """
INSERT OR IGNORE INTO events (source, number, date, event)
SELECT source, before + number, date, ?1 || substr(json_object(
    'number', before + number, 'id', id, 'date', date, 'attempt', attempt, 'rows', rows,
    'model_digest', model, 'contract_stamp', stamp), 2)
FROM (SELECT source, events AS before FROM history), (
    SELECT row_number() OVER () AS number, items.id, items.attempt, items.model, parts.date, sum(parts.rows) AS rows,
        json_extract(record, '$.stamp') AS stamp
    FROM parts JOIN items ON items.number = parts.item JOIN records ON records.number = parts.number
    WHERE parts.shard = ?2 GROUP BY parts.item)
"""

COUNT: Final = "UPDATE history SET events = events + ?"


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

    def take(self, messages: Iterable[HistoryMessage]) -> list[KeptMessage]:
        """Keep what ingest sends; it is durable when this returns.

        Raises:
            SpoolUnavailableError: The disk refuses, or too much waits for the store already.
        """
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        with self._database.transaction():
            first, last = self._database.execute(SPAN).fetchone()
            if last is not None and last - first >= MOST_WAITING:
                raise SpoolUnavailableError("too much of it waits for the store")
            for message in messages:
                rows = [row for item in message.items for row in _rows(message.ledger, item)]
                self._database.execute_many(INSERT, rows)
                numbers[message.ledger] += [row[1] for row in rows]
        return [KeptMessage(ledger=ledger, numbers=tuple(each)) for ledger, each in numbers.items()]

    def accepted(self, records: Iterable[Record], now: datetime) -> None:
        """Items are whole; within the transaction that makes them so. The records are those of their last parts."""
        self._note("accepted", map(_accepted, records), now)

    def stored(self, shard: int, stored: Stored, sha256: str, now: datetime) -> None:
        """A shard is in the store; within the transaction that settles it, while its parts are there."""
        source, _ = self._told()
        beginning = _beginning(source, "stored", now, **_place(stored, sha256))
        self._database.execute(COUNT, [self._database.execute(STORED, [beginning, shard]).rowcount])

    def original(self, item: Item, stored: Stored, now: datetime) -> None:
        """An item's original is in the store; within the transaction that settles it."""
        about = {"id": item.id, "date": item.date.isoformat(), "attempt": item.attempt}
        self._note("stored", [{**_place(stored, item.sha256), **about}], now)

    def dropped(self, original: int, now: datetime) -> None:
        """An item's original is given up; within the transaction that removes it, while its part is there."""
        query = "SELECT id, attempt, parts.date FROM parts JOIN items ON items.number = item WHERE parts.number = ?"
        names = ("id", "attempt", "date")
        rows = self._database.execute(query, [original]).fetchall()
        about = [{**dict(zip(names, row, strict=True)), "reason": "its original was given up"} for row in rows]
        self._note("dropped", about, now)

    def waiting(self) -> list[tuple[str, int]]:
        """The dates of items whose events wait, with how many do."""
        return self._database.execute("SELECT date, count(*) FROM events GROUP BY date").fetchall()

    def batch(self, date: str, most: int) -> Iterator[tuple[int, str]]:
        """The oldest events of a date, as number in the spool and JSON; on any thread."""
        query = "SELECT entry, event FROM events WHERE date = ? ORDER BY entry LIMIT ?"
        with self._database.reader() as connection:
            yield from connection.execute(query, [date, most])

    def forget(self, date: str, last: int) -> None:
        """The store has these events, up to an entry.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        self._database.execute("DELETE FROM events WHERE date = ? AND entry <= ?", [date, last])

    def _note(self, event: str, about: Iterable[Mapping[str, Any]], now: datetime) -> None:
        """Write down what happened to some items; what their events have in common becomes JSON once."""
        source, before = self._told()
        beginning = _beginning(source, event, now)
        numbered = [{"number": number, **one} for number, one in enumerate(about, start=before + 1)]
        rows = ((source, one["number"], one["date"], beginning + _json(one)[1:]) for one in numbered)
        self._database.execute_many(INSERT, rows)
        self._database.execute(COUNT, [len(numbered)])

    def _told(self) -> tuple[str, int]:
        """The name of this spool's history, and how many events it has."""
        told: tuple[str, int] = self._database.execute("SELECT source, events FROM history").fetchone()
        return told


def _beginning(source: str, event: str, now: datetime, **place: Any) -> str:
    """The part of the JSON of events that they have in common."""
    return _json({"source": source, "module": "upload", "event": event, "at": now.timestamp(), **place})[:-1] + ","


def _json(about: Mapping[str, Any]) -> str:
    return to_json(about).decode()


def _accepted(record: Record) -> dict[str, Any]:
    item = record.item
    return {
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


def _place(stored: Stored, sha256: str) -> dict[str, Any]:
    return {"object": stored.name, "object_sha256": sha256, "object_bytes": stored.size, "etag": stored.etag}


def _rows(ledger: str, item: ItemHistory) -> Iterator[tuple[str, int, str, str]]:
    """What is to be inserted; that of the item, which its events have in common, becomes JSON once."""
    date = item.date.isoformat()
    about = {
        "source": ledger,
        "module": "ingest",
        "id": item.id,
        "path": item.path,
        "content_sha256": item.sha256 or None,
        "size": item.size,
        "date": date,
        "generation": item.generation,
    }
    beginning = _json(about)[:-1]
    for event in item.events:
        yield ledger, event.number, date, f"{beginning},{event.model_dump_json(exclude_none=True)[1:]}"
