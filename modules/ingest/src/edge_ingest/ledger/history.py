"""What happened to the items, one row an event, until upload has it on its disk.

That an item was accepted and uploaded, upload itself writes down. The rest is written by triggers of this connection,
so nothing that changes an item's state can forget to. They and the tables are no part of the schema's version: a
release that does not know them leaves them alone.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from sqlite3 import Connection, Row
from typing import Any, Final

from pydantic import ValidationError

from edge_common.messages import HistoryMessage, ItemHistory, KeptMessage, chunks
from edge_ingest.ledger.records import sound

log = logging.getLogger(__name__)

MOST_KEPT: Final = 1_000_000
"""Events in the ledger, at most, some 100 bytes each; where nobody takes them, the oldest go."""

MOST_TOGETHER: Final = 50
"""Events of one item that travel together, at most: a message must not outgrow the hub."""

OF_ITEM: Final = ("id", "path", "sha256", "size", "date", "generation")
OF_EVENT: Final = ("number", "event", "attempt", "at", "code", "stage", "reason")

TABLES: Final = """
CREATE TABLE IF NOT EXISTS ledger (id TEXT NOT NULL) STRICT;
INSERT INTO ledger SELECT lower(hex(randomblob(16))) WHERE NOT EXISTS (SELECT 1 FROM ledger);

CREATE TABLE IF NOT EXISTS history (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    item    TEXT NOT NULL,
    event   TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    at      REAL NOT NULL,
    code    TEXT,
    stage   TEXT,
    reason  TEXT
) STRICT;
"""

BEFORE: Final = """
INSERT INTO history (item, event, attempt, at, code, stage, reason)
SELECT id, 'seen', 0, seen_at, NULL, NULL, NULL FROM item
UNION ALL
SELECT id, state, attempt, coalesce(ended_at, accepted_at, sent_at, seen_at), code, stage, reason FROM item;
"""
"""What is still known of items that are older than the table."""

TRIGGERS: Final = """
CREATE TEMP TRIGGER item_seen AFTER INSERT ON main.item BEGIN
    INSERT INTO history (item, event, attempt, at) VALUES (new.id, 'seen', new.attempt, moment());
END;

CREATE TEMP TRIGGER item_changed AFTER UPDATE OF state ON main.item
    WHEN new.state IN ('ready', 'waiting', 'sent', 'done', 'quarantined', 'gone') AND old.state <> new.state
BEGIN
    INSERT INTO history (item, event, attempt, at, code, stage, reason)
    VALUES (new.id, new.state, new.attempt, moment(), new.code, new.stage, new.reason);
END;
"""


def follow(db: Connection, now: Callable[[], float]) -> None:
    """Write down from now on what happens to items.

    Args:
        db: The ledger, just opened.
        now: Unix time.
    """
    db.create_function("moment", 0, now)
    begun = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'history'").fetchone()
    db.executescript(f"BEGIN IMMEDIATE; {TABLES} {'' if begun else BEFORE} COMMIT; {TRIGGERS}")


def untold(db: Connection, most: int) -> list[HistoryMessage]:
    """The oldest events, as messages; an item whose record makes no sense is set aside, and such events are dropped.

    Args:
        db: The ledger.
        most: Events in all.
    """
    ledger = db.execute("SELECT id FROM ledger").fetchone()[0]
    named = db.execute(
        "SELECT * FROM item WHERE id IN (SELECT item FROM history JOIN item ON id = item ORDER BY number LIMIT ?)",
        (most,),
    )
    items = {row["id"]: row for row in sound(db, named.fetchall())}
    events = db.execute(
        "SELECT item, number, event, history.attempt, at, history.code, history.stage, history.reason"
        " FROM history JOIN item ON id = item ORDER BY number LIMIT ?",
        (most,),
    )
    histories = _histories(db, items, events)
    return [HistoryMessage(ledger=ledger, items=tuple(together)) for together in chunks(histories, most)]


def forget(db: Connection, messages: Iterable[KeptMessage]) -> None:
    """Let events go that upload has, if they are of this ledger."""
    db.executemany(
        "DELETE FROM history WHERE number IN (SELECT value FROM json_each(?)) AND (SELECT id FROM ledger) = ?",
        [(json.dumps(kept.numbers), kept.ledger) for kept in messages],
    )


def bound(db: Connection) -> int:
    """Let the oldest events go where nobody takes them.

    Returns:
        How many went.
    """
    return db.execute(
        "DELETE FROM history WHERE number <= (SELECT max(number) - ? FROM history)", (MOST_KEPT,)
    ).rowcount


def _histories(db: Connection, items: Mapping[str, Row], rows: Iterable[Row]) -> Iterator[ItemHistory]:
    """Events of some items by item, in the order of the items' first ones."""
    by_item: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for item, *values in rows:
        by_item[item].append(dict(zip(OF_EVENT, values, strict=True)))
    for item in filter(items.__contains__, by_item):
        about, events = {name: items[item][name] for name in OF_ITEM}, by_item[item]
        for first in range(0, len(events), MOST_TOGETHER):
            together = events[first : first + MOST_TOGETHER]
            try:
                yield ItemHistory.model_validate({**about, "events": together})
            except ValidationError as error:
                log.error("events of the history make no sense, and are dropped: %s", error)
                db.executemany("DELETE FROM history WHERE number = ?", [(event["number"],) for event in together])
