"""Going back one release: the one before runs on the spool that this one wrote, and this one again after it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from edge_common.tensors import TensorWriter
from edge_upload.database import SCHEMA
from edge_upload.records import Layout, Record
from support.upload import NOON, Parts, item, predicted, predictions

GROUPS: Final = (
    "SELECT date, layout, SUM(bytes), SUM(rows) FROM parts WHERE ready AND shard IS NULL GROUP BY date, layout"
)
CLAIM: Final = "UPDATE parts SET shard = ? WHERE ready AND shard IS NULL AND date = ? AND layout = ? AND number <= ?"
ENTRIES: Final = (
    "SELECT bytes, stored, record, features FROM parts JOIN records USING (number) WHERE shard = ? ORDER BY number"
)
SETTLE: Final = (
    "UPDATE items SET state = ?, changed = ? WHERE number IN (SELECT item FROM parts WHERE shard = ?) AND NOT"
    " EXISTS (SELECT 1 FROM parts WHERE item = items.number AND shard IS NOT ?) RETURNING id, attempt, model"
)
NOTE: Final = (
    "INSERT INTO items (id, attempt, state, held, highest, last, model, changed)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state,"
    " held = excluded.held, highest = excluded.highest,"
    " last = excluded.last, model = excluded.model, changed = excluded.changed RETURNING number"
)
PART: Final = "INSERT INTO parts (item, part, date, layout, rows, bytes, stored, ready) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
"""The statements of the release before, word for word."""


class Before:
    """The release before, as far as it touches the database.

    Args:
        path: The spool's.
    """

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA foreign_keys = ON")
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        assert version <= 2
        if version == 0:
            self.connection.executescript(f"PRAGMA journal_mode = WAL; {SCHEMA} PRAGMA user_version = 1;")

    def close(self) -> None:
        self.connection.close()

    def accept(self, name: str) -> None:
        layout = Layout(columns=(("label", "string"), ("score", "double"))).model_dump_json()
        self.connection.execute("INSERT OR IGNORE INTO layouts (layout) VALUES (?)", [layout])
        (number,) = self.connection.execute("SELECT number FROM layouts WHERE layout = ?", [layout]).fetchone()
        part = predicted(item(name))
        record = Record(
            item=part.item, part=0, rows=1, kind="classification", stamp="5" * 64, predictions=part.predictions
        )
        values = [part.item.id, 1, "accepted", 1, 0, 0, None, NOON.timestamp()]
        (kept,) = self.connection.execute(NOTE, values).fetchone()
        row = self.connection.execute(PART, [kept, 0, "2026-01-01", number, 1, 500, NOON.timestamp(), True]).lastrowid
        self.connection.execute("INSERT INTO records VALUES (?, ?, ?)", [row, record.model_dump_json(), None])

    def upload(self) -> Iterator[tuple[Any, ...]]:
        """Cut and settle all that waits; gives the items that are uploaded with it."""
        for date, layout, _, _ in self.connection.execute(GROUPS).fetchall():
            shard = self.connection.execute("INSERT INTO shards DEFAULT VALUES").lastrowid
            self.connection.execute(CLAIM, [shard, date, layout, 1 << 62])
            for _, _, record, _ in self.connection.execute(ENTRIES, [shard]):
                Record.model_validate_json(record)
            yield from self.connection.execute(SETTLE, ["uploaded", 0, shard, shard]).fetchall()
            self.connection.execute("DELETE FROM parts WHERE shard = ?", [shard])
            self.connection.execute("DELETE FROM shards WHERE number = ?", [shard])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    TensorWriter(tmp_path / "tensors", 1 << 30).write("b", np.ones((1, 4), np.float32))
    return tmp_path / "state" / "spool.db"


def waiting(parts: Parts) -> list[tuple[str, int]]:
    return sorted((group.cargo, group.rows) for group in parts.shards.groups())


def test_a_spool_goes_to_the_next_release_and_back_and_forth_again(path: Path, tmp_path: Path) -> None:
    with closing(Before(path)) as before:
        before.accept("old")
    with closing(Parts(tmp_path)) as parts:
        parts.store(predictions(predicted(item("new"))), originals="all", features="all")
        assert waiting(parts) == [("features", 1), ("results", 2)]
        assert len(parts.originals.waiting(10)) == 1
    with closing(Before(path)) as before:
        before.accept("older")
    with closing(Parts(tmp_path)) as parts:
        assert waiting(parts) == [("features", 1), ("results", 3)]
    with closing(Before(path)) as before:
        assert {row[0] for row in before.upload()} == {item(name).id for name in ("old", "new", "older")}
        assert before.connection.execute("SELECT bytes FROM usage").fetchone() == (0,)
    with closing(Parts(tmp_path)) as parts:
        assert waiting(parts) == []
        assert parts.originals.waiting(10) == []
        assert parts.index.used() == 0
