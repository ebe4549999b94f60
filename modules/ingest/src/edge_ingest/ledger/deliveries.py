"""Items that are sent, and the answers to them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from sqlite3 import Connection, Row
from typing import Final

from edge_common.messages import Item, Receipt, ReceiptStatus, Reject
from edge_ingest.dispatch import SUSPECT
from edge_ingest.flights import Loss
from edge_ingest.ledger.arrivals import CHANGED_CODE, MISSING_CODE
from edge_ingest.ledger.records import sound

LOOK_AGAIN: Final = frozenset({CHANGED_CODE, MISSING_CODE})
"""Codes of rejects that say something about the share, not about the content."""

LOST_CODE: Final = "LOST"
"""Code of items that were given up as no answer came. It stays with them until their results are in the store."""


@dataclass
class Answered:
    """What answers have brought about.

    Attributes:
        waits: Seconds from first sight to acceptance, of each item that was accepted.
        doubted: Whether some item is given up, unless upload has it.
        look_again: Paths whose file is not what it was.
    """

    waits: list[float] = field(default_factory=list)
    doubted: bool = False
    look_again: list[str] = field(default_factory=list)


def recover(db: Connection) -> list[tuple[str, int, int]]:
    """Void the leases of an earlier life.

    Returns:
        The suspects: id, losses, strikes. They wait; the others are ready.
    """
    db.execute("UPDATE item SET state = 'ready' WHERE state IN ('sent', 'waiting')")
    db.execute("UPDATE item SET asked_at = 0 WHERE state = 'accepted'")
    rows = db.execute(
        "UPDATE item SET state = 'waiting' WHERE state = 'ready' AND losses >= ? RETURNING id, losses, strikes",
        (SUSPECT,),
    )
    return [tuple(row) for row in rows]


def claim(db: Connection, named: Sequence[str], fresh: int, now: float) -> list[Item]:
    """Write down that items are being sent, before they are.

    Args:
        db: The ledger.
        named: Items to send again; those that no longer wait are left out.
        fresh: How many of the others to send, the first seen first.
        now: Unix time.
    """
    rows = db.execute(
        "UPDATE item SET state = 'sent', attempt = attempt + 1, sent_at = ?"
        " WHERE id IN (SELECT value FROM json_each(?)) AND state IN ('ready', 'waiting') RETURNING *",
        (now, json.dumps(named)),
    ).fetchall()
    if fresh > 0:
        rows += db.execute(
            "UPDATE item SET state = 'sent', attempt = attempt + 1, sent_at = ?"
            " WHERE id IN (SELECT id FROM item WHERE state = 'ready' ORDER BY seen_at LIMIT ?) RETURNING *",
            (now, fresh),
        ).fetchall()
    return [_item(row) for row in sound(db, rows)]


def receive(db: Connection, receipts: Iterable[Receipt], now: float) -> Answered:
    """Take receipts in their order; what follows each other and says the same is one statement, at half the cost.

    Good news is taken of any attempt; that upload never heard of an item, of the last one only. Good news also wins
    over a quarantine that came from losses: upload knows better.
    """
    answered = Answered()
    for status, alike in groupby(receipts, key=lambda receipt: receipt.status):
        match status:
            case ReceiptStatus.ACCEPTED:
                answered.waits += _accept(db, {receipt.id for receipt in alike}, now)
            case ReceiptStatus.UPLOADED:
                _upload(db, {receipt.id for receipt in alike})
            case ReceiptStatus.UNKNOWN:
                for receipt in alike:
                    _give_up_or_send_again(db, receipt)
    return answered


def try_again(refused: Reject) -> bool:
    """Whether an item that was rejected is to be sent again, or else quarantined."""
    return refused.retryable or refused.code in LOOK_AGAIN


def reject(db: Connection, rejects: Iterable[Reject], answered: Answered) -> None:
    """Take rejects, of an item's last attempt only.

    What has changed may look as it did, so it is forgotten how it looked, and its file is read again.
    """
    for refused in rejects:
        again = try_again(refused)
        # What is already put off, or was made ready by a restart, stays as it is.
        row = db.execute(
            "UPDATE item SET code = ?, stage = ?, reason = ?, mtime_ns = iif(?, -1, mtime_ns),"
            " state = CASE WHEN NOT ? THEN 'refused' WHEN state = 'sent' THEN 'waiting' ELSE state END"
            " WHERE id = ? AND attempt = ? AND state IN ('ready', 'waiting', 'sent') RETURNING path",
            (
                refused.code,
                refused.stage,
                refused.message,
                refused.code == CHANGED_CODE,
                again,
                refused.id,
                refused.attempt,
            ),
        ).fetchone()
        if row and refused.code in LOOK_AGAIN:
            answered.look_again.append(row["path"])


def lose(db: Connection, losses: Iterable[Loss], answered: Answered) -> None:
    """Write down what is held against items after leases that ended without an answer.

    The answers may have been lost, though, so before an item is given up upload is asked, as about accepted ones.
    """
    for loss in losses:
        db.execute(
            "UPDATE item SET state = 'waiting', losses = ?, strikes = ? WHERE id = ? AND state IN ('sent', 'waiting')",
            (loss.losses, loss.strikes, loss.id),
        )
        if loss.given_up:
            reason = f"no answer came, though others got through; {loss.strikes} times it was sent by itself"
            db.execute(
                "UPDATE item SET state = 'accepted', asked_at = 0, code = ?, stage = 'ingest', reason = ?"
                " WHERE id = ? AND state = 'waiting'",
                (LOST_CODE, reason, loss.id),
            )
            answered.doubted = True


def _accept(db: Connection, items: set[str], now: float) -> list[float]:
    rows = db.execute(
        "UPDATE item SET state = 'accepted', accepted_at = ?, asked_at = ?, told = 0, code = NULL, stage = NULL,"
        " reason = NULL WHERE id IN (SELECT value FROM json_each(?)) AND state IN ('ready', 'waiting', 'sent', 'gone')"
        " RETURNING id, seen_at",
        (now, now, json.dumps([*items])),
    ).fetchall()
    if others := items - {item for item, _ in rows}:
        db.execute(
            "UPDATE item SET state = 'accepted', asked_at = ?, told = 0"
            " WHERE id IN (SELECT value FROM json_each(?)) AND state IN ('refused', 'quarantined') AND code = ?",
            (now, json.dumps([*others]), LOST_CODE),
        )
    return [max(0.0, now - seen_at) for _, seen_at in rows]


def _upload(db: Connection, items: set[str]) -> None:
    db.execute(
        "UPDATE item SET state = 'uploaded', told = 0, code = iif(code = ?1, code, NULL), stage = NULL, reason = NULL"
        " WHERE id IN (SELECT value FROM json_each(?2)) AND (state IN ('ready', 'waiting', 'sent', 'accepted', 'gone')"
        "  OR state IN ('refused', 'quarantined') AND code = ?1)",
        (LOST_CODE, json.dumps([*items])),
    )


def _give_up_or_send_again(db: Connection, unknown: Receipt) -> None:
    db.execute(
        "UPDATE item SET state = iif(code = ?, 'refused', 'ready') WHERE id = ? AND attempt = ? AND state = 'accepted'",
        (LOST_CODE, unknown.id, unknown.attempt),
    )


def _item(row: Row) -> Item:
    return Item(
        id=row["id"],
        path=row["path"],
        sha256=row["sha256"],
        size=row["size"],
        captured=_moment(row["captured_ns"]),
        date=row["date"],
        generation=row["generation"],
        attempt=row["attempt"],
    )


def _moment(nanoseconds: int) -> datetime:
    """A file system may hold times beyond the calendar; those become its end."""
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC) if nanoseconds > 0 else datetime.min.replace(tzinfo=UTC)
