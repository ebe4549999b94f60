"""Power is cut at every point of the ledger's life; what was durable is there, and no state needs a person."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from edge_ingest.ledger.salvage import open_or_salvage
from support.power import Step, cuts, record
from unit.ingest.rig import running

LIFE = """
import json, os, sys
from datetime import date
from hashlib import sha256
from pathlib import Path
from edge_common.messages import Receipt, ReceiptStatus
from edge_ingest.ledger import arrivals, deliveries, endings, history, trimming
from edge_ingest.ledger.salvage import open_or_salvage
from edge_ingest.sight import Found, Sight

root = Path(sys.argv[1])
db = open_or_salvage(root / "ledger.db")
history.follow(db, lambda: 1.0)
told = os.open(root / "told", os.O_WRONLY | os.O_CREAT)

def commit(work, *values):
    db.execute("BEGIN IMMEDIATE")
    result = work(db, *values)
    db.execute("COMMIT")
    rows = db.execute("SELECT path, state, attempt FROM item ORDER BY path")
    os.write(told, json.dumps([list(row) for row in rows]).encode() + b"\\n")
    return result

def upload(db, items):
    deliveries.receive(db, [Receipt(id=i.id, attempt=i.attempt, status=ReceiptStatus.UPLOADED) for i in items], 2.0)

def tell(db, items):
    endings.told(db, [i.id for i in items])
    db.execute("DELETE FROM history")

def trim(db, now):
    settled, _ = trimming.page(db, 0, 100)
    trimming.conclude(db, [trimming.Look(item, None) for item in settled], 7, now)

db.execute("PRAGMA wal_autocheckpoint = 12")
for first in range(0, 24, 4):
    paths = [f"{number:02}.png" for number in range(first, first + 4)]
    found = [Found(Sight(p, 0o100644, 4, 10**18, p, 7), sha256(p.encode()).hexdigest()) for p in paths]
    commit(arrivals.record, found, 1.0, date(2026, 1, 2))
    items = commit(deliveries.claim, [], 3, 1.0)
    commit(upload, items)
    commit(endings.end, endings.settling(db, "", 100), 3.0)
    if first % 8:
        commit(tell, items)
        commit(trim, 4.0)
        commit(trim, 4.0 + trimming.AGE_S)
db.close()
"""


def promised(steps: list[Step], done: int) -> list[str]:
    """What was said after each commit, up to a step."""
    return [step.data.decode() for step in steps[:done] if step.path == "told" and step.kind == "w"]


def states(db: sqlite3.Connection) -> str:
    rows = db.execute("SELECT path, state, attempt FROM item ORDER BY path")
    return json.dumps([list(row) for row in rows]) + "\n"


def lay_out(folder: Path, files: dict[str, bytes]) -> None:
    for old in folder.iterdir():
        old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def test_a_ledger_cut_at_any_point_holds_what_was_committed_and_nothing_half(tmp_path: Path) -> None:
    steps = record(tmp_path, LIFE)
    everything = ["[]\n", *promised(steps, len(steps))]
    folder = tmp_path / "cut"
    folder.mkdir()
    tried = 0
    for done, files in cuts(steps, 7):
        lay_out(folder, files)
        with closing(open_or_salvage(folder / "ledger.db")) as db:
            said = len(promised(steps, done))
            assert states(db) in everything[said : said + 2], f"after {done} steps"
            assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert not list(folder.glob("*.corrupt"))
        tried += 1
    assert tried > 500


async def test_ingest_settles_what_a_cut_has_left(tmp_path: Path) -> None:
    steps = record(tmp_path, LIFE)
    share = tmp_path / "share"
    share.mkdir()
    for number in range(24):
        (share / f"{number:02}.png").write_bytes(b"%02d.png" % number)
    disks = [files for _, files in cuts(steps, 8)]
    (tmp_path / "state").mkdir()
    for files in disks[:: len(disks) // 12]:
        lay_out(tmp_path / "state", files)
        async with running(tmp_path, settleSeconds=0, scanSeconds=5) as rig:
            await rig.until(lambda: len(rig.states()) == 24 and set(rig.states().values()) == {"done"}, step=1)
