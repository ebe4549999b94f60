"""The spool's way out: what waits is cut into shards, and leaves the spool once the store has them.

A shard is *claimed* (its parts are set apart), cut into a file, *intended* (its name and hash are kept), put into the
store, and *settled* (its parts go, and their items are uploaded). All methods but ``entries`` block on the spool's
thread.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from edge_common.messages import ItemId, Receipt
from edge_upload.cargo import Cargo, rank
from edge_upload.database import Database
from edge_upload.history.events import Events
from edge_upload.index import Index, why_of
from edge_upload.records import BadPartError, Layout, Record, read_record
from edge_upload.sampling import Why
from edge_upload.sinks import Stored

Key = tuple[str, int, Cargo, bool]


@dataclass(frozen=True, slots=True)
class Group:
    """What waits and can share a shard: parts of one date, one layout and one worth.

    Attributes:
        date: The items' date, ISO.
        layout: The layout's number.
        cargo: Results, or features.
        hard: Whether it goes before other samples.
        bytes: How much waits, in the spool.
        rows: How many rows wait.
    """

    date: str
    layout: int
    cargo: Cargo
    hard: bool
    bytes: int
    rows: int

    @property
    def key(self) -> Key:
        """What its parts have in common."""
        return self.date, self.layout, self.cargo, self.hard

    @property
    def rank(self) -> int:
        """What goes first."""
        return rank(self.cargo, hard=self.hard)


@dataclass(frozen=True, slots=True)
class Claim:
    """A shard that is being cut."""

    number: int
    date: str
    layout: Layout
    cargo: Cargo = Cargo.RESULTS


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
        number: In the spool.
        size: Bytes in the spool.
        stored: When it was accepted.
        record: What it is.
        features: Its rows of features, row by row; None where there are none.
        why: Why its item is sampled.
    """

    number: int
    size: int
    stored: datetime
    record: Record
    features: bytes | None
    why: frozenset[Why] = frozenset()


class Shards:
    """What leaves the spool.

    Args:
        database: The spool's.
        index: Knows the items.
        events: Where it is written down what the store has.
    """

    def __init__(self, database: Database, index: Index, events: Events) -> None:
        self._database = database
        self._index = index
        self._events = events

    def groups(self) -> list[Group]:
        """What waits, is part of no shard yet, and can be."""
        query = (
            "SELECT date, layout, cargo, hard, SUM(bytes), SUM(rows) FROM going WHERE cargo IN (?, ?)"
            " GROUP BY date, layout, cargo, hard"
        )
        return [
            Group(date, layout, Cargo(cargo), bool(hard), size, rows)
            for date, layout, cargo, hard, size, rows in self._database.execute(query, [Cargo.RESULTS, Cargo.FEATURES])
        ]

    def claim(self, group: Group, most_bytes: int, most_rows: int) -> Claim:
        """Set the oldest parts of a group apart for a shard; one part at the least.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        with self._database.transaction():
            shard = self._database.execute("INSERT INTO shards DEFAULT VALUES").lastrowid or 0
            last = self._cut_after(group, most_bytes, most_rows)
            self._database.execute(
                "UPDATE parts SET shard = ? WHERE number IN (SELECT number FROM going"
                " WHERE date = ? AND layout = ? AND cargo = ? AND hard = ? AND number <= ?)",
                [shard, *group.key, last],
            )
        query = "SELECT layout FROM layouts WHERE number = ?"
        layout = Layout.model_validate_json(self._database.execute(query, [group.layout]).fetchone()[0])
        return Claim(shard, group.date, layout, group.cargo)

    def entries(self, claim: Claim) -> Iterator[Entry]:
        """The parts of a shard, oldest first, one at a time; on any thread.

        Raises:
            BadPartError: One cannot be read.
        """
        query = (
            "SELECT parts.number, id, bytes, stored, record, features, sampled FROM parts JOIN records USING (number)"
            " JOIN items ON items.number = item WHERE shard = ? ORDER BY parts.number"
        )
        with self._database.reader() as connection:
            for row in connection.execute(query, [claim.number]):
                yield _entry(*row)

    def set_aside(self, error: BadPartError) -> None:
        """Keep a part out of every shard.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        self._index.set_aside(error)

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
        with self._database.transaction():
            self._events.stored(intent.number, stored, intent.sha256, now)
            items = self._database.execute(
                "SELECT DISTINCT item FROM parts WHERE shard = ?", [intent.number]
            ).fetchall()
            self._database.execute("DELETE FROM parts WHERE shard = ?", [intent.number])
            self._database.execute("DELETE FROM shards WHERE number = ?", [intent.number])
            return self._index.finish((item for (item,) in items), now)

    def _cut_after(self, group: Group, most_bytes: int, most_rows: int) -> int:
        """The number of the last part that fits a shard."""
        query = (
            "SELECT number, bytes, rows FROM going WHERE date = ? AND layout = ? AND cargo = ? AND hard = ?"
            " ORDER BY number"
        )
        size = rows = last = 0
        for number, part_bytes, part_rows in self._database.execute(query, group.key):
            size, rows = size + part_bytes, rows + part_rows
            if last and (size > most_bytes or rows > most_rows):
                break
            last = number
        return last


def _entry(number: int, item: ItemId, size: int, stored: float, text: str, features: bytes | None, why: str) -> Entry:
    moment = datetime.fromtimestamp(stored, UTC)
    return Entry(number, size, moment, read_record(number, item, text), features, why_of(why))
