"""Items that were settled long ago, and whose files are no more: their rows go, and what they took of the disk.

What tells such a file from one whose share is away is the share's mark: a file is missing only where the share is that
it was seen on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from sqlite3 import Connection, Row
from typing import Final, NamedTuple

from edge_ingest.ledger.records import sound
from edge_ingest.ledger.schema import State
from edge_ingest.sight import BAD_NAME, Signature, text_path

AGE_S: Final = 14 * 86_400
"""How long after its end, and after its file was first missed, an item is remembered: its file may be sent again."""

SETTLED: Final = frozenset({State.DONE, State.QUARANTINED, State.GONE})

MOST_HISTORY: Final = 20_000
"""Events that wait for upload, beyond which nothing is forgotten: to search more takes the main path's time."""

MOST_FREED: Final = 500
"""Pages that are given back to the disk at once: 2 MB, some 10 ms."""


@dataclass(frozen=True, slots=True)
class Settled:
    """An item at its end, of which upload has been told if it knew of the item."""

    id: str
    path: str
    size: int
    mtime_ns: int
    sha256: str
    date: str
    state: State
    code: str | None
    share: int | None
    missed_at: float | None

    @property
    def signature(self) -> Signature:
        """How its file looked."""
        return Signature(self.size, self.mtime_ns)

    @property
    def place(self) -> str:
        """Its path, as the operating system has it."""
        return text_path(self.path) if self.code == BAD_NAME else self.path


class Page(NamedTuple):
    """Some rows of the ledger.

    Attributes:
        settled: Those items among them that are at their end.
        last: The number of the last row; None if there was none.
    """

    settled: list[Settled]
    last: int | None


class Look(NamedTuple):
    """What is where an item's file was: a signature, or None for nothing."""

    item: Settled
    seen: Signature | None


def page(db: Connection, after: int, most: int) -> Page:
    """The rows from a number on, in the order of their numbers; so many at most."""
    rows = db.execute("SELECT rowid, * FROM item WHERE rowid > ? ORDER BY rowid LIMIT ?", (after, most)).fetchall()
    settled = [row for row in rows if row["state"] in SETTLED and (row["told"] or not row["attempt"])]
    return Page([_settled(row) for row in sound(db, settled)], rows[-1]["rowid"] if rows else None)


def conclude(db: Connection, looks: Sequence[Look], mark: int, now: float) -> int:
    """Note which files are there and which are missing; forget items whose files were missed for long.

    Args:
        db: The ledger, whose history is written down.
        looks: At a page's items.
        mark: Of the share that was looked at.
        now: Unix time. A stamp from the future counts as of now: the clock was set back.

    Returns:
        How many items are forgotten.
    """
    there = [item for item, seen in looks if seen == item.signature]
    found = [item.id for item in there if item.share != mark or item.missed_at is not None]
    db.executemany("UPDATE item SET share = ?, missed_at = NULL WHERE id = ?", ((mark, item) for item in found))
    missing = [item for item in _missing(db, looks) if item.share == mark]
    missed = [item.id for item in missing if item.missed_at is None or item.missed_at > now]
    db.executemany("UPDATE item SET missed_at = ? WHERE id = ?", ((now, item) for item in missed))
    forgotten = _forget(db, [item.id for item in missing], now)
    _give_back(db)
    return forgotten


def _missing(db: Connection, looks: Sequence[Look]) -> list[Settled]:
    """Items whose files are certainly not there: nothing is, or what the ledger knows to have other content."""
    others = {(item.path, seen) for item, seen in looks if seen and seen != item.signature}
    contents = {(path, seen): _contents(db, path, seen) for path, seen in others}
    unknown: frozenset[str] = frozenset()
    return [item for item, seen in looks if seen is None or _replaced(item, contents.get((item.path, seen), unknown))]


def _contents(db: Connection, path: str, seen: Signature) -> frozenset[str]:
    """The hashes that the ledger knows for how something looks."""
    return frozenset(row["sha256"] for row in db.execute(CONTENTS, (path, *seen)))


def _replaced(item: Settled, there: frozenset[str]) -> bool:
    return bool(there) and item.sha256 not in there


def _forget(db: Connection, items: Sequence[str], now: float) -> int:
    """Their history is in the store, or on its way there on upload's disk."""
    waiting: int = db.execute("SELECT count(*) FROM (SELECT 1 FROM history LIMIT ?)", (MOST_HISTORY + 1,)).fetchone()[0]
    if not items or waiting > MOST_HISTORY:
        return 0
    return db.execute(FORGET, {"items": json.dumps(items), "before": now - AGE_S}).rowcount


def _give_back(db: Connection) -> None:
    """Give free pages back to the disk."""
    free: int = db.execute("PRAGMA freelist_count").fetchone()[0]
    for _ in range(min(free, MOST_FREED)):  # each call of execute() takes one step of it, which is one page
        db.execute("PRAGMA incremental_vacuum(1)")


def _settled(row: Row) -> Settled:
    values = {field.name: row[field.name] for field in fields(Settled)}
    return Settled(**{**values, "state": State(row["state"])})


CONTENTS: Final = "SELECT DISTINCT sha256 FROM item WHERE path = ? AND size = ? AND mtime_ns = ? AND sha256 <> ''"

FORGET: Final = """
DELETE FROM item WHERE id IN (SELECT value FROM json_each(:items))
AND missed_at <= :before AND coalesce(ended_at, seen_at) <= :before
AND state IN ('done', 'quarantined', 'gone') AND (told = 1 OR attempt = 0)
AND id NOT IN (SELECT item FROM history)
"""
