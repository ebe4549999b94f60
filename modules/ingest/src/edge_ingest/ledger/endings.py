"""Items that are settled: what is still to be done with their files, and whom to ask and tell about them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Final

from edge_common.messages import Inquiry
from edge_ingest.ledger.deliveries import LOST_CODE
from edge_ingest.ledger.records import sound
from edge_ingest.ledger.schema import State
from edge_ingest.sight import Signature

QUESTIONS: Final = 2000
"""Items to ask about in a round, at most."""

LATE_S: Final = 600
"""How long after an item's end its result may still come to upload, and be stored."""


@dataclass(frozen=True, slots=True)
class Settling:
    """An item whose end is known, and whose file is still where it was."""

    id: str
    path: str
    size: int
    mtime_ns: int
    sha256: str
    date: str
    state: State
    attempt: int
    code: str | None
    stage: str | None
    reason: str | None

    @property
    def signature(self) -> Signature:
        """How its file looked."""
        return Signature(self.size, self.mtime_ns)


def settling(db: Connection, after: str, most: int) -> list[Settling]:
    """Items whose files are to be dealt with, in the order of their ids, from an id on."""
    rows = db.execute(
        "SELECT * FROM item WHERE state IN ('uploaded', 'refused') AND id > ? ORDER BY id LIMIT ?", (after, most)
    )
    return [_settling(row) for row in sound(db, rows.fetchall())]


def waiting(db: Connection) -> bool:
    """Whether there are items whose files are to be dealt with."""
    return bool(db.execute("SELECT EXISTS (SELECT 1 FROM item WHERE state IN ('uploaded', 'refused'))").fetchone()[0])


def end(db: Connection, ended: Sequence[Settling], now: float) -> None:
    """Write down that files have been dealt with."""
    for state, end_state in END.items():
        ids = json.dumps([item.id for item in ended if item.state is state])
        db.execute(
            "UPDATE item SET state = ?, ended_at = ?, code = iif(state = 'refused', code, NULL)"
            " WHERE id IN (SELECT value FROM json_each(?)) AND state = ?",
            (end_state, now, ids, state),
        )


def reopen(db: Connection, items: Collection[str]) -> set[str]:
    """Have the files of items dealt with once more.

    Returns:
        Those that the ledger knows.
    """
    ids = json.dumps(list(items))
    db.execute(
        "UPDATE item SET state = 'uploaded' WHERE id IN (SELECT value FROM json_each(?)) AND state = 'done'", (ids,)
    )
    return {row["id"] for row in db.execute("SELECT id FROM item WHERE id IN (SELECT value FROM json_each(?))", (ids,))}


def ask(db: Connection, now: float, age: float) -> list[Inquiry]:
    """Accepted items that nothing was heard of for a while; they count as asked about from now on.

    Args:
        db: The ledger.
        now: Unix time. A stamp from the future counts as old: the clock was set back.
        age: Seconds.
    """
    rows = db.execute(
        "UPDATE item SET asked_at = :now WHERE id IN (SELECT id FROM item WHERE state = 'accepted'"
        " AND asked_at NOT BETWEEN :since AND :now ORDER BY asked_at LIMIT :most) RETURNING *",
        {"now": now, "since": now - age, "most": QUESTIONS},
    )
    return [Inquiry(id=row["id"], attempt=row["attempt"]) for row in sound(db, rows.fetchall())]


def doubtful(db: Connection, now: float) -> list[Inquiry]:
    """Items that are gone from the share, or given up, which upload may have all the same: receipts get lost, too.

    Where the clock was set back, what ended in the future ended just now.
    """
    db.execute(
        "UPDATE item SET ended_at = :now WHERE told = 0 AND attempt > 0 AND state IN ('done', 'quarantined', 'gone')"
        " AND ended_at > :now",
        {"now": now},
    )
    rows = db.execute(
        "SELECT * FROM item WHERE told = 0 AND attempt > 0 AND state IN ('done', 'quarantined', 'gone')"
        " AND (state = 'gone' OR code = ?) AND ended_at BETWEEN ? AND ? LIMIT ?",
        (LOST_CODE, now - LATE_S, now, QUESTIONS),
    )
    return [Inquiry(id=row["id"], attempt=row["attempt"]) for row in sound(db, rows.fetchall())]


def untold(db: Connection, now: float) -> list[str]:
    """Items that have ended beyond doubt, which upload has not been told."""
    rows = db.execute(
        "SELECT * FROM item WHERE told = 0 AND attempt > 0 AND state IN ('done', 'quarantined', 'gone')"
        " AND NOT ((state = 'gone' OR code IS ?) AND ended_at BETWEEN ? AND ?) LIMIT ?",
        (LOST_CODE, now - LATE_S, now, QUESTIONS),
    )
    return [row["id"] for row in sound(db, rows.fetchall())]


def told(db: Connection, items: Collection[str]) -> None:
    """Write down that upload has been told of items' ends."""
    db.execute("UPDATE item SET told = 1 WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(items)),))


def _settling(row: Row) -> Settling:
    return Settling(
        id=row["id"],
        path=row["path"],
        size=row["size"],
        mtime_ns=row["mtime_ns"],
        sha256=row["sha256"],
        date=row["date"],
        state=State(row["state"]),
        attempt=row["attempt"],
        code=row["code"],
        stage=row["stage"],
        reason=row["reason"],
    )


END: Final = {State.UPLOADED: State.DONE, State.REFUSED: State.QUARANTINED}
