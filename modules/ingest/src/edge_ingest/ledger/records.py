"""Rows that a disk, or a person, has spoilt: each is set aside, and the others go on."""

import json
import logging
from collections.abc import Sequence
from datetime import date
from sqlite3 import Connection, Row
from typing import Final

from edge_ingest.identity import item_id
from edge_ingest.ledger.schema import State

log = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = (1 << 31) - 1
"""What a message can carry."""

STATES: Final = frozenset(State)


def sound(db: Connection, rows: Sequence[Row]) -> list[Row]:
    """Those of some items' rows that make sense; the others are set aside, and a scan takes their files in anew."""
    good = []
    for row in rows:
        if reason := flaw(row):
            log.error("a record of the ledger is set aside: %s (%r)", reason, row["path"])
            db.execute("INSERT INTO set_aside (record, reason) VALUES (?, ?)", (json.dumps(dict(row)), reason))
            db.execute("DELETE FROM item WHERE id = ?", (row["id"],))
        else:
            good.append(row)
    return good


def flaw(row: Row) -> str | None:
    """What is wrong with an item's row, if anything; its id is a checksum of path, content and generation."""
    if row["id"] != item_id(row["path"], row["sha256"], row["generation"]):
        return "its id is not that of its path, content and generation"
    if row["state"] not in STATES:
        return f"its state is {row['state']!r}"
    if row["size"] < 0 or not 0 <= row["attempt"] <= MOST_ATTEMPTS:
        return "its size or its attempts are out of range"
    try:
        date.fromisoformat(row["date"])
    except ValueError:
        return f"its date is {row['date']!r}"
    return None
