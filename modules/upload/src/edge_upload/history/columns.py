"""What is stored of an event. Pure: no I/O."""

from typing import Final

COLUMNS: Final[dict[str, str]] = {
    "source": "TEXT NOT NULL",
    "number": "INTEGER NOT NULL",
    "module": "TEXT NOT NULL",
    "event": "TEXT NOT NULL",
    "at": "REAL NOT NULL",
    "id": "TEXT NOT NULL",
    "attempt": "INTEGER NOT NULL",
    "path": "TEXT",
    "content_sha256": "TEXT",
    "size": "INTEGER",
    "generation": "INTEGER",
    "code": "TEXT",
    "stage": "TEXT",
    "reason": "TEXT",
    "object": "TEXT",
    "object_sha256": "TEXT",
    "object_bytes": "INTEGER",
    "etag": "TEXT",
    "rows": "INTEGER",
    "model_digest": "TEXT",
    "contract_stamp": "TEXT",
}
"""Name and SQLite's type of each column, in a spool as well as in a shard.

``source`` names the history that the event is from (a ledger, or a spool), ``number`` is its number there, from 1 and
without gaps; together they identify the event. ``module`` is who says so, ``event`` is ``seen``, ``accepted``,
``stored``, or the state that the item has got in the ledger. The ``object_`` columns, ``etag`` and ``rows`` say where in
the store how much of an item was stored.
"""

SHARD_COLUMNS: Final = ", ".join(COLUMNS)
