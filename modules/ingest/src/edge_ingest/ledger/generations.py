"""Items that are tried anew on purpose: quarantined ones that come back, and uploaded ones in a new generation."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from sqlite3 import Connection
from typing import Final

from edge_ingest.identity import item_id
from edge_ingest.ledger.arrivals import UNDER_WAY
from edge_ingest.sight import Signature


@dataclass(frozen=True, slots=True)
class Finished:
    """An uploaded item, the last generation of its path and content that came to that end.

    Attributes:
        number: Orders them.
    """

    number: int
    id: str
    path: str
    size: int
    mtime_ns: int
    sha256: str
    date: str

    @property
    def signature(self) -> Signature:
        """How its file looked."""
        return Signature(self.size, self.mtime_ns)


def finished(db: Connection, after: int, most: int, day: date | None) -> list[Finished]:
    """Uploaded items whose files have got their retention, from a number on, of one day or of all."""
    rows = db.execute(
        "SELECT rowid, id, path, size, mtime_ns, sha256, date FROM item"
        " WHERE rowid > :after AND state = 'done' AND date = coalesce(:day, date) AND NOT EXISTS"
        "  (SELECT 1 FROM item later WHERE later.path = item.path AND later.sha256 = item.sha256"
        "   AND later.generation > item.generation AND later.state = 'done')"
        " ORDER BY rowid LIMIT :most",
        {"after": after, "day": day and day.isoformat(), "most": most},
    )
    return [Finished(*row) for row in rows]


def under_way(db: Connection, items: Sequence[Finished]) -> set[str]:
    """Those of some items that have a generation that is not at its end."""
    rows = db.execute(
        "SELECT id FROM item WHERE id IN (SELECT value FROM json_each(?)) AND EXISTS"
        " (SELECT 1 FROM item other WHERE other.path = item.path AND other.sha256 = item.sha256"
        "  AND other.state IN (SELECT value FROM json_each(?)))",
        (json.dumps([item.id for item in items]), json.dumps(list(UNDER_WAY))),
    )
    return {row["id"] for row in rows}


def renew(db: Connection, items: Sequence[Finished], now: float) -> list[str]:
    """Write down a new generation of each item, which is held back until it is released.

    Returns:
        Their ids, in the order of the items.
    """
    return [_renew(db, item, now) for item in items]


def hold(db: Connection, items: Collection[str]) -> None:
    """Forget what was held against quarantined items; they wait until they are released."""
    db.execute(
        "UPDATE item SET state = 'waiting', losses = 0, strikes = 0, told = 0"
        " WHERE id IN (SELECT value FROM json_each(?)) AND state IN ('quarantined', 'gone') AND sha256 <> ''",
        (json.dumps(list(items)),),
    )


def release(db: Connection, back: Collection[str], absent: Collection[str], *, end: str) -> None:
    """Let those of the items that were held be sent whose files are in their places.

    Args:
        db: The ledger.
        back: Items whose files are there.
        absent: Items whose files are not.
        end: The state of those.
    """
    for items, state in ((back, "ready"), (absent, end)):
        db.execute(
            "UPDATE item SET state = ? WHERE id IN (SELECT value FROM json_each(?)) AND state = 'waiting'",
            (state, json.dumps(list(items))),
        )


def _renew(db: Connection, item: Finished, now: float) -> str:
    generation = db.execute(LATEST, (item.path, item.sha256)).fetchone()[0] + 1
    renewed = item_id(item.path, item.sha256, generation)
    db.execute(RENEW, {"renewed": renewed, "generation": generation, "now": now, "id": item.id})
    return renewed


LATEST: Final = "SELECT max(generation) FROM item WHERE path = ? AND sha256 = ?"

RENEW: Final = """
INSERT INTO item (id, path, size, mtime_ns, sha256, generation, captured_ns, date, state, seen_at, share)
SELECT :renewed, path, size, mtime_ns, sha256, :generation, captured_ns, date, 'waiting', :now, share
FROM item WHERE id = :id
"""
