"""Writes what is kept of items into the spool's database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from edge_upload.cargo import Cargo
from edge_upload.database import Database
from edge_upload.features import Rows, raw, tensor_type
from edge_upload.records import TENSORS, Layout, Record, TensorType, columns_of

PART_OVERHEAD: Final = 300
"""Bytes that a part takes in the database beside its record and features."""

MOST_LAYOUTS: Final = 256
"""Of results, that are made once only."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is to be kept: of a part its results or its features, or of an item a reference to its original.

    Attributes:
        cargo: Which of these.
        part: The part's number.
        date: The item's.
        rows: How many rows it has.
        layout: The columns that it needs.
        record: As JSON.
        features: Where it has any.
    """

    cargo: Cargo
    part: int
    date: date
    rows: int
    layout: Layout
    record: str
    features: Rows | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return PART_OVERHEAD + len(self.record) + (0 if self.features is None else self.features.nbytes)


def rows_of(record: Record, features: Rows | None, *, original: bool) -> Iterator[Row]:
    """What is to be kept of a part.

    Args:
        record: The part.
        features: Its tensor rows, where they are wanted.
        original: Whether its item's file is wanted, too.

    Raises:
        ItemError: Its predictions are not one for each row.
    """
    if record.kind == TENSORS:
        yield _row(Cargo.RESULTS, record, Layout(features=_type(features)), features)
    else:
        yield _row(Cargo.RESULTS, record, _layout(columns_of(record)))
        if features is not None:
            bare = record.model_copy(update={"predictions": ()})
            yield _row(Cargo.FEATURES, bare, Layout(features=_type(features)), features)
    if original:
        yield original_of(record)


def original_of(record: Record) -> Row:
    """A reference to the original of an item of which this is a part."""
    bare = record.model_copy(update={"part": 0, "rows": 0, "predictions": ()})
    return _row(Cargo.ORIGINAL, bare, Layout())


@lru_cache(MOST_LAYOUTS)
def _layout(columns: tuple[tuple[str, str], ...]) -> Layout:
    return Layout(columns=columns)


def _type(features: Rows | None) -> TensorType | None:
    return None if features is None else tensor_type(features)


def _row(cargo: Cargo, record: Record, layout: Layout, features: Rows | None = None) -> Row:
    text = record.model_dump_json(exclude_none=True)
    return Row(cargo, record.part, record.item.date, record.rows, layout, text, features)


class Writer:
    """Writes rows, within a transaction on the spool's thread.

    Args:
        database: The spool's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._layouts: dict[Layout, int] = {}

    def begin(self) -> None:
        """Call at the start of a transaction: what was seen in another may have been undone."""
        self._layouts = {}

    def write(self, item: int, rows: Iterable[Row], now: datetime, *, hard: bool, ready: bool) -> None:
        """Write what is kept of an item.

        Args:
            item: Its number in the database.
            rows: What.
            now: Stored with it.
            hard: Whether it goes before other samples.
            ready: Whether the item is whole.
        """
        for row in rows:
            self._write(item, row, now, hard=hard, ready=ready)

    def complete(self, item: int, *, hard: bool, features: bool) -> None:
        """Let all parts of an item go to the store; their features only where they are wanted."""
        if not features:
            self._database.execute("DELETE FROM parts WHERE item = ? AND cargo = ?", [item, Cargo.FEATURES])
        update = "UPDATE parts SET ready = TRUE, hard = ? AND cargo <> ? WHERE item = ?"
        self._database.execute(update, [hard, Cargo.RESULTS, item])

    def _write(self, item: int, row: Row, now: datetime, *, hard: bool, ready: bool) -> None:
        number = self._database.execute(
            "INSERT INTO parts (item, part, date, layout, rows, bytes, stored, ready, cargo, hard)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                item,
                row.cargo.number(row.part),
                row.date.isoformat(),
                self._layout(row.layout),
                row.rows,
                row.size,
                now.timestamp(),
                ready,
                row.cargo,
                hard and row.cargo is not Cargo.RESULTS,
            ],
        ).lastrowid
        blob = None if row.features is None else raw(row.features)
        self._database.execute("INSERT INTO records VALUES (?, ?, ?)", [number, row.record, blob])

    def _layout(self, layout: Layout) -> int:
        if layout not in self._layouts:
            self._layouts[layout] = self._find_layout(layout.model_dump_json())
        return self._layouts[layout]

    def _find_layout(self, text: str) -> int:
        found = self._database.execute("SELECT number FROM layouts WHERE layout = ?", [text]).fetchone()
        if found:
            return int(found[0])
        return self._database.execute("INSERT INTO layouts (layout) VALUES (?)", [text]).lastrowid or 0
