"""What the tests of the ledger do to it."""

import sqlite3
import stat
from datetime import UTC, date, datetime
from hashlib import sha256

from edge_common.messages import Item, Receipt, ReceiptStatus, Reject
from edge_ingest.flights import Loss
from edge_ingest.ledger import arrivals, deliveries, endings
from edge_ingest.ledger.deliveries import Answered
from edge_ingest.sight import Found, Sight

TODAY = date(2026, 1, 2)
NOW = datetime(2026, 1, 2, tzinfo=UTC).timestamp()


def sight(path: str, size: int = 4, mtime_ns: int = 10**18) -> Sight:
    return Sight(path, stat.S_IFREG, size, mtime_ns, path)


def found(path: str, content: str = "data") -> Found:
    return Found(sight(path, len(content)), sha256(content.encode()).hexdigest())


def sent(db: sqlite3.Connection, *paths: str) -> list[Item]:
    """Record files, and send them."""
    arrivals.record(db, [found(path) for path in paths], NOW, TODAY)
    return deliveries.claim(db, [], len(paths), NOW)


def receive(db: sqlite3.Connection, item: Item, status: ReceiptStatus, attempt: int | None = None) -> Answered:
    return deliveries.receive(db, [Receipt(id=item.id, attempt=attempt or item.attempt, status=status)], NOW + 5)


def reject(
    db: sqlite3.Connection, item: Item, code: str, *, retryable: bool = False, attempt: int | None = None
) -> Answered:
    answered = Answered()
    refused = Reject(
        id=item.id,
        attempt=attempt or item.attempt,
        stage="transform",
        code=code,
        message="No.",
        retryable=retryable,
    )
    deliveries.reject(db, [refused], answered)
    return answered


def given_up(db: sqlite3.Connection, path: str) -> Item:
    """Send a file, hear nothing, and hear from upload that it has not heard of it either."""
    [item] = sent(db, path)
    deliveries.lose(db, [Loss(item.id, 6, 3, given_up=True)], Answered())
    receive(db, item, ReceiptStatus.UNKNOWN)
    return item


def states(db: sqlite3.Connection) -> dict[str, str]:
    return dict(db.execute("SELECT path, state FROM item ORDER BY rowid").fetchall())


def settle(db: sqlite3.Connection) -> None:
    """Deal with all that is settled."""
    endings.end(db, endings.settling(db, "", 1000), NOW + 9)
