"""The spool's memory: every item that is being put together, or was once whole, until ingest has settled it.

All methods block; they are called on one thread. In statements, ``+state`` keeps SQLite from going through all items of
that state, of which there may be very many, where it could look at those that are named.
"""

import json
import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from edge_common.messages import InquiriesMessage, Inquiry, Item, ItemId, Receipt, ReceiptStatus
from edge_upload.assembly import Attempt
from edge_upload.cargo import Cargo
from edge_upload.database import Database
from edge_upload.records import BadPartError
from edge_upload.sampling import Why
from edge_upload.sinks import Durable

log = logging.getLogger(__name__)

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

MOST_REASONS: Final = 256
"""Texts of reasons that are read once only."""


@lru_cache(MOST_REASONS)
def why_of(text: str) -> frozenset[Why]:
    """Reasons, as the database has them; those of a later release are passed over."""
    return frozenset(Why(name) for name in text.split() if name in set(Why))


def text_of(why: Collection[Why]) -> str:
    """Reasons, for the database."""
    return " ".join(sorted(why))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an item.

    Attributes:
        status: Accepted or uploaded, if it was once whole.
        model: Whose predictions completed it.
        attempts: The attempts that are here, by their count.
        why: What is known of each attempt to make it worth sampling.
    """

    status: ReceiptStatus | None = None
    model: str | None = None
    attempts: dict[int, Attempt] = field(default_factory=dict)
    why: dict[int, frozenset[Why]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tally:
    """What waits in the spool.

    Attributes:
        items: Accepted, and not uploaded.
        bytes: Taken by them, and by what is being put together.
        oldest: When the oldest of them was accepted.
        originals: Files that wait.
        features: Parts whose features wait.
        aside: Parts that cannot be stored.
        fault: Why the latest of them cannot.
    """

    items: int
    bytes: int
    oldest: datetime | None
    originals: int
    features: int
    aside: int
    fault: str | None


class Index:
    """What the spool knows of items.

    Args:
        database: The spool's.
        durable: Where an uploaded item is durable.
    """

    def __init__(self, database: Database, durable: Durable) -> None:
        self._database = database
        self._durable = durable

    def known(self, items: Collection[ItemId]) -> dict[ItemId, Known]:
        """What is known of items."""
        rows = self._database.execute(
            "SELECT id, attempt, state, model, held, highest, last, sampled FROM items"
            " WHERE id IN (SELECT value FROM json_each(?))",
            [json.dumps([*items])],
        )
        known = {item: Known() for item in items}
        for item, number, state, digest, held, highest, last, sampled in rows:
            known[item].attempts[number] = Attempt(held, highest, last)
            known[item].why[number] = why_of(sampled)
            if state != ASSEMBLING:
                status = ReceiptStatus.ACCEPTED if state == ACCEPTED else ReceiptStatus.UPLOADED
                known[item] = replace(known[item], status=status, model=digest)
        return known

    def holds(self, item: ItemId, attempt: int, part: int) -> bool:
        """Whether that very part is here."""
        query = "SELECT 1 FROM items JOIN parts ON item = items.number WHERE id = ? AND attempt = ? AND part = ?"
        return self._database.execute(query, [item, attempt, part]).fetchone() is not None

    def used(self) -> int:
        """Bytes that the spool holds."""
        size: int = self._database.execute("SELECT bytes FROM usage").fetchone()[0]
        return size

    def held(self, item: Item) -> int:
        """Bytes of the attempt that an item is in."""
        query = "SELECT SUM(bytes) FROM items JOIN parts ON item = items.number WHERE id = ? AND attempt = ?"
        size: int | None = self._database.execute(query, [item.id, item.attempt]).fetchone()[0]
        return size or 0

    def note(self, item: Item, attempt: Attempt, model: str | None, why: Collection[Why], now: datetime) -> int:
        """Keep how far the attempt that an item is in has come; its number in the database is returned."""
        state = ACCEPTED if attempt.whole else ASSEMBLING
        values = [attempt.held, attempt.highest, attempt.last, model, now.timestamp(), text_of(why)]
        noted = self._database.execute(
            "INSERT INTO items (id, attempt, state, held, highest, last, model, changed, sampled)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state,"
            " held = excluded.held, highest = excluded.highest, last = excluded.last, model = excluded.model,"
            " changed = excluded.changed, sampled = excluded.sampled RETURNING number",
            [item.id, item.attempt, state, *values],
        )
        number: int = noted.fetchone()[0]
        return number

    def finish(self, items: Iterable[int], now: datetime) -> Iterator[Receipt]:
        """Take those items as uploaded of which nothing waits any more.

        Args:
            items: Their numbers in the database.
            now: Kept with them.

        Returns:
            A receipt for each; made one by one, for there may be very many.
        """
        finished = self._database.execute(
            "UPDATE items SET state = ?, changed = ? WHERE number IN (SELECT value FROM json_each(?)) AND +state = ?"
            " AND NOT EXISTS (SELECT 1 FROM parts WHERE item = items.number) RETURNING id, attempt, model",
            [UPLOADED, now.timestamp(), json.dumps(list(items)), ACCEPTED],
        ).fetchall()
        return (self._uploaded(*item) for item in finished)

    def drop_others(self, item: Item) -> None:
        """Let all attempts at an item go but the one that it is in."""
        self._database.execute("DELETE FROM items WHERE id = ? AND attempt <> ?", [item.id, item.attempt])

    def set_aside(self, error: BadPartError) -> None:
        """Keep a part from the store; its item is never uploaded, and so its file stays on the share.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        log.error("a part is set aside: %s", error)
        self._database.execute("UPDATE parts SET fault = ? WHERE number = ?", [str(error), error.number])

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
        known = self.known({inquiry.id for inquiry in message.ask})
        return [self.receipt(inquiry, known[inquiry.id]) for inquiry in message.ask]

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
        since = oldest and datetime.fromtimestamp(oldest, UTC)
        originals, features = map(self._waiting, (Cargo.ORIGINAL, Cargo.FEATURES))
        return Tally(items, self.used(), since, originals, features, *self._aside())

    def _waiting(self, cargo: Cargo) -> int:
        query = "SELECT COUNT(*) FROM going WHERE cargo = ?"
        count: int = self._database.execute(query, [cargo]).fetchone()[0]
        return count

    def _aside(self) -> tuple[int, str | None]:
        query = "SELECT COUNT(*), MAX(number), fault FROM parts WHERE fault IS NOT NULL"
        count, _, fault = self._database.execute(query).fetchone()  # SQLite takes fault from the row of the maximum
        return count, fault

    def _uploaded(self, item: ItemId, attempt: int, model: str | None) -> Receipt:
        status = ReceiptStatus.UPLOADED
        return Receipt(id=item, attempt=attempt, status=status, model=model, durable=self._durable)

    def _settle(self, items: Collection[ItemId], now: datetime) -> None:
        settled = json.dumps(items)
        self._database.execute(
            "UPDATE items SET state = ?, changed = ? WHERE id IN (SELECT value FROM json_each(?)) AND +state = ?",
            [SETTLED, now.timestamp(), settled, UPLOADED],
        )
        self._database.execute(
            "DELETE FROM items WHERE id IN (SELECT value FROM json_each(?)) AND +state = ?", [settled, ASSEMBLING]
        )
