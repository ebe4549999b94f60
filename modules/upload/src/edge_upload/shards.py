"""The spool's way out: what waits is cut into shards, and leaves the spool once the store has them.

A shard is *claimed* (its parts are set apart), cut into a file, *intended* (its name and hash are kept), put into the
store, and *settled* (its parts go, and their items are uploaded). All methods but ``entries`` block on the spool's
thread.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from edge_common.messages import Receipt, ReceiptStatus
from edge_upload.database import Database
from edge_upload.history.events import Events
from edge_upload.index import UPLOADED
from edge_upload.records import Layout, Record
from edge_upload.sinks import Durable, Stored


@dataclass(frozen=True, slots=True)
class Group:
    """What waits and can share a shard: parts of one date and one layout.

    Attributes:
        date: The items' date, ISO.
        layout: The layout's number.
        bytes: How much waits, in the spool.
        rows: How many rows wait.
    """

    date: str
    layout: int
    bytes: int
    rows: int

    @property
    def key(self) -> tuple[str, int]:
        """Date and layout."""
        return self.date, self.layout


@dataclass(frozen=True, slots=True)
class Claim:
    """A shard that is being cut."""

    number: int
    date: str
    layout: Layout


@dataclass(frozen=True, slots=True)
class Intent:
    """A shard that is to be in the store.

    Attributes:
        number: In the spool.
        name: In the store.
        sha256: Of its file, in hex.
    """

    number: int
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One part of a shard.

    Attributes:
        size: Bytes in the spool.
        stored: When it was accepted.
        record: What it is.
        features: Its rows of features, row by row; None where there are none.
    """

    size: int
    stored: datetime
    record: Record
    features: bytes | None


class Shards:
    """What leaves the spool.

    Args:
        database: The spool's.
        durable: Where an uploaded item is durable.
        events: Where it is written down.
    """

    def __init__(self, database: Database, durable: Durable, events: Events) -> None:
        self._database = database
        self._events = events
        self._durable = durable

    def groups(self) -> list[Group]:
        """What waits, and is part of no shard yet."""
        query = (
            "SELECT date, layout, SUM(bytes), SUM(rows) FROM parts WHERE ready AND shard IS NULL GROUP BY date, layout"
        )
        return [Group(*row) for row in self._database.execute(query)]

    def claim(self, group: Group, most_bytes: int, most_rows: int) -> Claim:
        """Set the oldest parts of a group apart for a shard; one part at the least.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        with self._database.transaction():
            shard = self._database.execute("INSERT INTO shards DEFAULT VALUES").lastrowid or 0
            last = self._cut_after(group, most_bytes, most_rows)
            self._database.execute(
                "UPDATE parts SET shard = ? WHERE ready AND shard IS NULL AND date = ? AND layout = ? AND number <= ?",
                [shard, *group.key, last],
            )
        query = "SELECT layout FROM layouts WHERE number = ?"
        layout = Layout.model_validate_json(self._database.execute(query, [group.layout]).fetchone()[0])
        return Claim(shard, group.date, layout)

    def entries(self, claim: Claim) -> Iterator[Entry]:
        """The parts of a shard, oldest first, one at a time; on any thread."""
        query = (
            "SELECT bytes, stored, record, features FROM parts JOIN records USING (number) WHERE shard = ?"
            " ORDER BY number"
        )
        with self._database.reader() as connection:
            for size, stored, record, features in connection.execute(query, [claim.number]):
                yield Entry(size, datetime.fromtimestamp(stored, UTC), Record.model_validate_json(record), features)

    def intend(self, intent: Intent) -> None:
        """Keep the name and hash of a shard whose file is on disk.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        update = "UPDATE shards SET name = ?, sha256 = ? WHERE number = ?"
        self._database.execute(update, [intent.name, intent.sha256, intent.number])

    def intents(self) -> list[Intent]:
        """The shards that are to be in the store, oldest first."""
        query = "SELECT number, name, sha256 FROM shards WHERE name IS NOT NULL ORDER BY number"
        return [Intent(*row) for row in self._database.execute(query)]

    def release(self, shard: int) -> None:
        """Give a shard up; its parts wait again.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        self._database.execute("DELETE FROM shards WHERE number = ?", [shard])

    def release_claims(self) -> None:
        """Give up what was being cut when the process ended.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        self._database.execute("DELETE FROM shards WHERE name IS NULL")

    def settle(self, intent: Intent, stored: Stored, now: datetime) -> Iterator[Receipt]:
        """The store has a shard: its parts go, and the items that have no others are uploaded.

        Returns:
            A receipt for each of these items.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        uploaded = (
            "UPDATE items SET state = ?, changed = ? WHERE number IN (SELECT item FROM parts WHERE shard = ?) AND NOT"
            " EXISTS (SELECT 1 FROM parts WHERE item = items.number AND shard IS NOT ?) RETURNING id, attempt, model"
        )
        with self._database.transaction():
            self._events.stored(intent.number, stored, intent.sha256, now)
            values = [UPLOADED, now.timestamp(), intent.number, intent.number]
            items = self._database.execute(uploaded, values).fetchall()
            self._database.execute("DELETE FROM parts WHERE shard = ?", [intent.number])
            self._database.execute("DELETE FROM shards WHERE number = ?", [intent.number])
        return (self._receipt(*item) for item in items)  # made one by one: there may be very many

    def _receipt(self, item: str, attempt: int, model: str | None) -> Receipt:
        status = ReceiptStatus.UPLOADED
        return Receipt(id=item, attempt=attempt, status=status, model=model, durable=self._durable)

    def _cut_after(self, group: Group, most_bytes: int, most_rows: int) -> int:
        """The number of the last part that fits a shard."""
        query = (
            "SELECT number, bytes, rows FROM parts WHERE ready AND shard IS NULL AND date = ? AND layout = ?"
            " ORDER BY number"
        )
        size = rows = last = 0
        for number, part_bytes, part_rows in self._database.execute(query, group.key):
            size, rows = size + part_bytes, rows + part_rows
            if last and (size > most_bytes or rows > most_rows):
                break
            last = number
        return last
