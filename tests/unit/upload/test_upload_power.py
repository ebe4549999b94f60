"""Power is cut at every point of the spool's life; and a spool that a disk has spoilt is set aside."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge_upload.database import Database, SpoolUnavailableError
from support.power import cuts, record

LIFE = """
import os, sys
from pathlib import Path
from edge_upload.database import Database

root = Path(sys.argv[1])
database = Database(root / "spool.db")
told = os.open(root / "told", os.O_WRONLY | os.O_CREAT)
database.execute("PRAGMA wal_autocheckpoint = 12")
for number in range(1, 11):
    with database.transaction():
        items = "number, id, attempt, state, held, highest, last, changed"
        values = [number, f"{number:032x}"]
        database.execute(f"INSERT INTO items ({items}) VALUES (?, ?, 1, 'accepted', 1, 1, 1, 0)", values)
        database.execute("INSERT OR IGNORE INTO layouts VALUES (1, '{}')")
        values = [number, number, "2026-01-02", 1, 1, 4000, 0.0, 1]
        parts = "number, item, part, date, layout, rows, bytes, stored, ready"
        database.execute(f"INSERT INTO parts ({parts}) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?)", values)
        database.execute("INSERT INTO records VALUES (?, '{}', ?)", [number, bytes(4000)])
        if number > 5:
            database.execute("DELETE FROM items WHERE number = ?", [number - 5])
    os.write(told, b"%d\\n" % number)
    database.give_back(2)
database.close()
"""


def parts(database: Database) -> list[int]:
    return [row[0] for row in database.execute("SELECT number FROM parts ORDER BY number")]


def test_a_spool_cut_at_any_point_holds_what_was_committed_and_nothing_half(tmp_path: Path) -> None:
    steps = record(tmp_path, LIFE)
    folder = tmp_path / "cut"
    folder.mkdir()
    tried = 0
    for done, files in cuts(steps, 7):
        for old in folder.iterdir():
            old.unlink()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        said = max((int(step.data) for step in steps[:done] if step.path == "told"), default=0)
        with closing(Database(folder / "spool.db")) as database:
            held = parts(database)
            last = held[-1] if held else 0
            assert said <= last <= said + 1, f"after {done} steps"
            assert held == list(range(max(1, last - 4), last + 1))
            assert database.execute("SELECT bytes FROM usage").fetchone()[0] == 4000 * len(held)
            assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        tried += 1
    assert tried > 200


@pytest.mark.parametrize("content", [b"not a database, but long enough to look like one" * 100, b"\0" * 8192])
def test_what_is_no_spool_is_set_aside_with_the_reason(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spool.db").write_bytes(content)
    with closing(Database(tmp_path / "spool.db")) as database:
        assert parts(database) == []
    assert (tmp_path / "spool.db.corrupt").read_bytes() == content
    assert "database" in (tmp_path / "spool.db.corrupt.reason.txt").read_text()


def test_a_spool_that_is_spoilt_while_it_is_used_is_replaced_and_the_work_refused_once(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with closing(Database(path)) as database:
        with database.transaction():
            for number in range(1, 500):
                database.execute("INSERT INTO layouts VALUES (?, ?)", [number, f"{number}" * 50])
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (size - 4096))
        database.execute("PRAGMA shrink_memory")
        with pytest.raises(SpoolUnavailableError, match="no longer whole"), database.transaction():
            database.execute("DELETE FROM layouts")
        with database.transaction():
            database.execute("INSERT INTO layouts VALUES (1, '{}')")
    with closing(sqlite3.connect(path)) as again:
        assert again.execute("SELECT count(*) FROM layouts").fetchone() == (1,)
    assert (tmp_path / "spool.db.corrupt").exists()


def test_tables_beside_the_schema_are_in_what_replaces_a_spoilt_spool(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "spool.db")) as database:
        database.add("CREATE TABLE IF NOT EXISTS beside (number INTEGER);")
        (tmp_path / "spool.db.spoilt").write_text("found to be spoilt")
        with database.transaction():
            database.execute("INSERT INTO beside VALUES (1)")
        assert database.execute("SELECT count(*) FROM beside").fetchone() == (1,)
