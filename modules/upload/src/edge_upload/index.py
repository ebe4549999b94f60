"""The spool's memory: every item that is being put together, or was once whole, until ingest has settled it.

All methods block; they are called on one thread.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from edge_common.messages import InquiriesMessage, Inquiry, Item, ItemId, Receipt, ReceiptStatus
from edge_upload.assembly import Attempt
from edge_upload.database import Database
from edge_upload.sinks import Durable

ASSEMBLING: Final = "assembling"
ACCEPTED: Final = "accepted"
UPLOADED: Final = "uploaded"
SETTLED: Final = "settled"

REMEMBER: Final = timedelta(hours=1)
"""How long an item that ingest has settled is still known, for copies that a slow route brings late."""

ABANDON: Final = timedelta(hours=1)
"""How long an attempt may stand incomplete; ingest has sent the item anew long before."""


FREED_PAGES: Final = 4096
"""Most that is given back to the disk at once: 16 MiB, some 50 ms."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an item.

    Attributes:
        status: Accepted or uploaded, if it was once whole.
        model: Whose predictions completed it.
        attempts: The attempts that are here, by their count.
    """

    status: ReceiptStatus | None
    model: str | None
    attempts: dict[int, Attempt]


@dataclass(frozen=True, slots=True)
class Tally:
    """What waits in the spool.

    Attributes:
        items: Accepted, and not uploaded.
        bytes: Taken by them, and by what is being put together.
        oldest: When the oldest of them was accepted.
    """

    items: int
    bytes: int
    oldest: datetime | None


class Index:
    """What the spool knows of items.

    Args:
        database: The spool's.
        durable: Where an uploaded item is durable.
    """

    def __init__(self, database: Database, durable: Durable) -> None:
        self._database = database
        self._durable = durable

    def known(self, item: ItemId) -> Known:
        """What is known of an item."""
        status, model, attempts = None, None, {}
        rows = self._database.execute(
            "SELECT attempt, state, model, held, highest, last FROM items WHERE id = ?", [item]
        )
        for number, state, digest, held, highest, last in rows:
            attempts[number] = Attempt(held, highest, last)
            if state != ASSEMBLING:
                status, model = (ReceiptStatus.ACCEPTED if state == ACCEPTED else ReceiptStatus.UPLOADED), digest
        return Known(status, model, attempts)

    def holds(self, item: ItemId, attempt: int, part: int) -> bool:
        """Whether that very part is here."""
        query = "SELECT 1 FROM items JOIN parts ON item = items.number WHERE id = ? AND attempt = ? AND part = ?"
        return self._database.execute(query, [item, attempt, part]).fetchone() is not None

    def used(self) -> int:
        """Bytes that the spool holds."""
        size: int = self._database.execute("SELECT bytes FROM usage").fetchone()[0]
        return size

    def note(self, item: Item, attempt: Attempt, model: str | None, now: datetime) -> int:
        """Keep how far the attempt that an item is in has come; its number in the database is returned."""
        state = ACCEPTED if attempt.whole else ASSEMBLING
        noted = self._database.execute(
            "INSERT INTO items (id, attempt, state, held, highest, last, model, changed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state,"
            " held = excluded.held, highest = excluded.highest,"
            " last = excluded.last, model = excluded.model, changed = excluded.changed RETURNING number",
            [item.id, item.attempt, state, attempt.held, attempt.highest, attempt.last, model, now.timestamp()],
        )
        number: int = noted.fetchone()[0]
        return number

    def drop_others(self, item: Item) -> None:
        """Let all attempts at an item go but the one that it is in."""
        self._database.execute("DELETE FROM items WHERE id = ? AND attempt <> ?", [item.id, item.attempt])

    def receipt(self, about: Inquiry | Item, known: Known, part: int | None = None) -> Receipt:
        """What is to be said of an item that someone asks about, or sends again."""
        status = known.status or ReceiptStatus.UNKNOWN
        durable = self._durable if status is ReceiptStatus.UPLOADED else None
        return Receipt(id=about.id, attempt=about.attempt, part=part, status=status, model=known.model, durable=durable)

    def answer(self, message: InquiriesMessage, now: datetime) -> list[Receipt]:
        """Take what ingest has settled as settled, and answer what it asks.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        if message.settled:
            with self._database.transaction():
                self._settle(message.settled, now)
        return [self.receipt(inquiry, self.known(inquiry.id)) for inquiry in message.ask]

    def tidy(self, now: datetime) -> None:
        """Forget what was settled long ago, and attempts that were never completed; give free space back to the disk.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        with self._database.transaction():
            for state, age in ((SETTLED, REMEMBER), (ASSEMBLING, ABANDON)):
                before = (now - age).timestamp()
                self._database.execute("DELETE FROM items WHERE state = ? AND changed < ?", [state, before])
        self._database.give_back(FREED_PAGES)

    def tally(self) -> Tally:
        """What waits now."""
        query = "SELECT COUNT(*), MIN(changed) FROM items WHERE state = ?"
        items, oldest = self._database.execute(query, [ACCEPTED]).fetchone()
        return Tally(items, self.used(), oldest and datetime.fromtimestamp(oldest, UTC))

    def _settle(self, items: Iterable[ItemId], now: datetime) -> None:
        for item in items:
            self._database.execute(
                "UPDATE items SET state = ?, changed = ? WHERE id = ? AND state = ?",
                [SETTLED, now.timestamp(), item, UPLOADED],
            )
            self._database.execute("DELETE FROM items WHERE id = ? AND state = ?", [item, ASSEMBLING])
