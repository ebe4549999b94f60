"""What is forgotten, when, and what never is: the ledger stays as large as what it has to remember."""

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from edge_common.fakes import FakeClock
from edge_common.messages import KeptMessage, Receipt, ReceiptStatus
from edge_ingest import marks
from edge_ingest.ledger import arrivals, deliveries, endings, history, trimming
from edge_ingest.ledger.journal import Journal
from edge_ingest.ledger.salvage import replace
from edge_ingest.ledger.schema import MIGRATIONS, open_ledger
from edge_ingest.ledger.trimming import AGE_S
from edge_ingest.share import Share
from edge_ingest.sight import Found, Sight
from edge_ingest.trimmer import Trimmer
from unit.ingest.rig import Rig, reject, running, uploading

DAY_S = 86_400.0
AGE_D = AGE_S / DAY_S
SLACK_D = 4
"""Days; a scan or a round during which time leaps is followed by a pause that is as long."""
STEP_S = 3600.0
PATIENT: dict[str, Any] = {"leaseSeconds": DAY_S}
"""For those who let time pass in such steps while an item is on its way."""
PAGE = 4096


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "share").mkdir()
    return tmp_path


async def days(rig: Rig, number: float) -> None:
    """Let so many days pass, in steps in which every loop comes to its turn."""
    until = rig.clock.monotonic() + number * DAY_S
    while rig.clock.monotonic() < until:
        await rig.pass_time(DAY_S / 4)
        for _ in range(3):
            await rig.pass_time(1)


def all_done(rig: Rig, items: int) -> bool:
    return len(rig.items) == items and set(rig.states().values()) == {"done"}


async def test_an_item_whose_file_is_deleted_is_forgotten_after_its_age_and_not_before(folder: Path) -> None:
    async with running(folder, retention="delete", **PATIENT) as rig:
        rig.put("a.png")
        await rig.until_state(a__png="done")
        await days(rig, AGE_D - SLACK_D)
        rig.put("a.png")
        await rig.until(lambda: not (folder / "share/a.png").exists(), STEP_S)
        assert len(rig.items) == 1
        await days(rig, AGE_D - SLACK_D)
        assert rig.states() == {"a.png": "done"}
        await days(rig, 2 * SLACK_D)
        assert rig.states() == {}
        rig.put("a.png")
        await rig.until_state(STEP_S, a__png="done")
        assert [item.attempt for item in rig.items] == [1, 1]


async def test_an_item_whose_file_is_kept_is_never_forgotten(folder: Path) -> None:
    async with running(folder) as rig:
        rig.put("a/b.png")
        await rig.until(lambda: rig.states() == {"a/b.png": "done"})
        await days(rig, 3 * AGE_D)
        assert rig.states() == {"a/b.png": "done"}
        assert len(rig.items) == 1


async def test_a_kept_file_that_is_removed_may_come_back_until_it_is_forgotten(folder: Path) -> None:
    async with running(folder) as rig:
        file = rig.put("a.png")
        await rig.until_state(a__png="done")
        await days(rig, 2 * AGE_D)
        file.rename(folder / "elsewhere")
        await days(rig, AGE_D - SLACK_D)
        (folder / "elsewhere").rename(file)
        await days(rig, 2 * AGE_D)
        assert rig.states() == {"a.png": "done"}
        assert len(rig.items) == 1
        file.unlink()
        await days(rig, AGE_D + SLACK_D)
        assert rig.states() == {}


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "another share"])
async def test_nothing_is_forgotten_while_the_share_is_away(folder: Path, there: str) -> None:
    share, elsewhere = folder / "share", folder / "elsewhere"
    async with running(folder, **PATIENT) as rig:
        rig.put("a.png")
        await rig.until_state(a__png="done")
        share.rename(elsewhere)
        if there != "nothing":
            share.mkdir()
        if there == "another share":
            rig.put("b.png")
            await rig.until_state(STEP_S, b__png="done")
            (share / "b.png").unlink()
        await days(rig, 2 * AGE_D)
        assert rig.states() == {"a.png": "done"}
        share.rename(folder / "below") if share.exists() else None
        elsewhere.rename(share)
        await days(rig, 2 * AGE_D)
        assert rig.states() == {"a.png": "done"}
        assert [item.path for item in rig.items].count("a.png") == 1


async def test_nothing_is_forgotten_before_upload_has_its_history(folder: Path) -> None:
    async with running(folder, retention="delete") as rig:
        rig.keeping = False
        rig.put("a.png")
        await rig.until_state(a__png="done")
        await days(rig, AGE_D + SLACK_D)
        assert rig.states() == {"a.png": "done"}
        rig.keeping = True
        await days(rig, SLACK_D)
        assert rig.states() == {}
    events = {event.number: event.event for message in rig.history for item in message.items for event in item.events}
    assert [*events.values()] == ["seen", "sent", "done"]


async def test_of_an_overwritten_file_only_what_is_there_is_remembered(folder: Path) -> None:
    async with running(folder) as rig:
        for number in range(5):
            rig.put("latest.png", b"%d" % number)
            os.utime(folder / "share/latest.png", (number, number))
            await rig.until(partial(all_done, rig, number + 1))
        await days(rig, AGE_D + SLACK_D)
        with closing(sqlite3.connect(rig.state / "ledger.db")) as db:
            assert db.execute("SELECT sha256 FROM item").fetchall() == [(sha256(b"4").hexdigest(),)]
        assert len(rig.items) == 5


async def test_what_is_archived_is_remembered_while_it_is_in_the_archive(folder: Path) -> None:
    async with running(folder, retention="archive", **PATIENT) as rig:
        rig.put("a/b.png")
        await rig.until(lambda: rig.states() == {"a/b.png": "done"})
        await days(rig, 2 * AGE_D)
        code, answer = await rig.invoke("reprocess", {"pattern": "a/**"})
        assert (code, answer["reprocessed"]) == (200, 1)
        await rig.until(partial(all_done, rig, 2), STEP_S)
        (archived,) = (folder / "share/.edge/archive").rglob("b.png")
        archived.unlink()
        await days(rig, AGE_D + SLACK_D)
        assert rig.states() == {}


async def test_quarantined_items_are_forgotten_and_can_be_requeued_all_the_same(folder: Path) -> None:
    async with running(folder, lambda item: [reject(item, "DECODE_FAILED")], **PATIENT) as rig:
        rig.put("a.png")
        (folder / "share/empty.png").touch()
        await rig.until_state(a__png="quarantined", empty__png="quarantined")
        await days(rig, AGE_D + SLACK_D)
        assert rig.states() == {}
        rig.peer = uploading
        _, answer = await rig.invoke("requeue", {"codes": ["DECODE_FAILED"]})
        assert answer["requeued"] == 1
        await rig.until_state(STEP_S, a__png="done")


async def test_what_was_requeued_begins_its_age_anew(folder: Path) -> None:
    async with running(folder, lambda item: [reject(item, "DECODE_FAILED")], retention="delete", **PATIENT) as rig:
        rig.put("a.png")
        await rig.until_state(a__png="quarantined")
        await days(rig, AGE_D - SLACK_D)
        rig.peer = uploading
        await rig.invoke("requeue", {"codes": ["DECODE_FAILED"]})
        await rig.until_state(STEP_S, a__png="done")
        await days(rig, AGE_D - SLACK_D)
        assert rig.states() == {"a.png": "done"}


class Bench:
    """A ledger with a trimmer, and a chain in which all goes well."""

    def __init__(self, folder: Path) -> None:
        self.share = Share(folder / "share")
        marks.ensure(self.share)
        self.mark = marks.mark_of(self.share)
        self.path = folder / "ledger.db"
        self.clock = FakeClock()
        self.pool = ThreadPoolExecutor(1)
        self.journal = Journal(open_ledger(self.path), self.path, self.clock)
        self.trimmer = Trimmer(self.share, self.journal, self.clock, self.pool)
        self._running = asyncio.create_task(self.journal.run())

    async def settle(self, paths: list[str], *, confirmed: bool = True) -> None:
        """Have files found, uploaded, deleted, and all of that told."""
        await self.journal.do(live, paths, self.mark, self.clock.now(), confirmed=confirmed)

    async def go_through(self) -> int:
        """One round through the ledger."""
        task = asyncio.create_task(self.trimmer.go_through())
        while not task.done():
            await self.clock.advance(1)
            await asyncio.sleep(0.001)
        return task.result()

    def size(self) -> int:
        """Pages, also those that are in the log only."""
        with closing(sqlite3.connect(self.path)) as db:
            return int(db.execute("PRAGMA page_count").fetchone()[0])

    def items(self) -> int:
        with closing(sqlite3.connect(self.path)) as db:
            return int(db.execute("SELECT count(*) FROM item").fetchone()[0])

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.journal.close()
        self.pool.shutdown()


def live(db: sqlite3.Connection, paths: list[str], mark: int | None, now: datetime, *, confirmed: bool) -> None:
    at = now.timestamp()
    sights = [Sight(path, 0o100644, 4, 10**18, path, mark) for path in paths]
    arrivals.record(db, [Found(sight, sha256(sight.path.encode()).hexdigest()) for sight in sights], at, now.date())
    items = deliveries.claim(db, [], len(paths), at)
    stored = [Receipt(id=item.id, attempt=item.attempt, status=ReceiptStatus.UPLOADED) for item in items]
    deliveries.receive(db, stored, at)
    endings.end(db, endings.settling(db, "", len(paths)), at)
    endings.told(db, [item.id for item in items])
    if confirmed:
        for message in history.untold(db, 10 * len(paths)):
            numbers = tuple(event.number for item in message.items for event in item.events)
            history.forget(db, [KeptMessage(ledger=message.ledger, numbers=numbers)])


async def test_at_a_steady_rate_the_ledger_stays_as_large_as_it_is_and_shrinks_when_it_ends(folder: Path) -> None:
    bench = Bench(folder)
    sizes = []
    for day in range(40):
        await bench.settle([f"camera/{day}/{number}.png" for number in range(60)])
        await bench.clock.advance(DAY_S)
        await bench.go_through()
        sizes.append(bench.size())
    assert bench.items() < 60 * (AGE_D + 3)
    assert max(sizes[20:]) < 1.2 * sizes[20]
    for _ in range(20):
        await bench.clock.advance(DAY_S)
        await bench.go_through()
    await bench.close()
    assert bench.items() == 0
    assert bench.path.stat().st_size < PAGE * sizes[20] / 4


async def test_a_long_history_that_waits_holds_everything(folder: Path) -> None:
    bench = Bench(folder)
    await bench.settle(["a"])
    await bench.journal.do(fill_history, trimming.MOST_HISTORY + 1)
    await bench.go_through()
    await bench.clock.advance(AGE_S)
    assert await bench.go_through() == 0
    await bench.journal.do(fill_history, 0)
    assert await bench.go_through() == 1
    await bench.close()


def fill_history(db: sqlite3.Connection, events: int) -> None:
    db.execute("DELETE FROM history")
    db.execute(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)"
        " INSERT INTO history (item, event, attempt, at) SELECT 'other', 'seen', 0, 0 FROM n WHERE ? > 0",
        (events, events),
    )


async def test_a_clock_that_was_set_back_begins_the_age_anew(folder: Path) -> None:
    bench = Bench(folder)
    await bench.settle(["a"])
    await bench.journal.do(lambda db: db.execute("UPDATE item SET missed_at = 1e12").rowcount)
    await bench.go_through()
    await bench.clock.advance(AGE_S + 3600)
    assert await bench.go_through() == 1
    await bench.close()


async def test_a_share_without_a_mark_forgets_nothing_and_what_is_in_its_place_later_counts_as_seen(
    folder: Path,
) -> None:
    bench = Bench(folder)
    mark, bench.mark = bench.mark, None
    (folder / "share/here").write_bytes(b"here")
    os.utime(folder / "share/here", ns=(10**18, 10**18))
    await bench.settle(["here", "not here"])
    await bench.go_through()
    await bench.clock.advance(AGE_S)
    assert await bench.go_through() == 0
    with closing(sqlite3.connect(bench.path)) as db:
        assert dict(db.execute("SELECT path, share FROM item").fetchall()) == {"here": mark, "not here": None}
    await bench.close()


async def test_a_new_ledger_knows_the_share_that_the_spoilt_one_knew(folder: Path) -> None:
    bench = Bench(folder)
    await bench.settle(["a"])
    await bench.close()
    with closing(replace(bench.path, "spoilt")) as db:
        assert db.execute("SELECT share FROM item").fetchone()[0] == bench.mark


class TestMarks:
    def test_a_share_is_marked_once(self, folder: Path) -> None:
        share = Share(folder / "share")
        assert marks.mark_of(share) is None
        marks.ensure(share)
        mark = marks.mark_of(share)
        assert mark is not None
        marks.ensure(share)
        assert marks.mark_of(share) == mark

    @pytest.mark.parametrize("spoilt", [b"", b"\xff", b"no number"])
    def test_a_mark_that_is_none_is_replaced(self, folder: Path, spoilt: bytes) -> None:
        share = Share(folder / "share")
        (folder / "share/.edge").mkdir()
        (folder / "share/.edge/share.mark").write_bytes(spoilt)
        assert marks.mark_of(share) is None
        marks.ensure(share)
        assert marks.mark_of(share) is not None

    def test_nothing_is_written_where_it_cannot_be_told(self, folder: Path) -> None:
        (folder / "share/.edge/share.mark").mkdir(parents=True)
        (folder / "elsewhere").mkdir()
        marks.ensure(Share(folder / "share"))
        marks.ensure(Share(folder / "nothing"))
        (folder / "linked").mkdir()
        (folder / "linked/.edge").symlink_to(folder / "elsewhere")
        marks.ensure(Share(folder / "linked"))
        assert marks.mark_of(Share(folder / "share")) is None
        assert not list((folder / "elsewhere").iterdir())

    def test_a_held_share_stays_what_it_is(self, folder: Path) -> None:
        share = Share(folder / "share")
        marks.ensure(share)
        mark = marks.mark_of(share)
        with share.held() as held:
            share.root.rename(folder / "elsewhere")
            share.root.mkdir()
            assert marks.mark_of(held) == mark
        assert marks.mark_of(share) is None


INSERT_OF_BEFORE = """
INSERT INTO item (id, path, size, mtime_ns, sha256, captured_ns, date, state, seen_at)
VALUES ('i', 'a', 4, 1, '', 1, '2026-01-01', 'done', 1.0)
"""


class TestSpace:
    @pytest.fixture
    def before(self, tmp_path: Path) -> Path:
        path = tmp_path / "ledger.db"
        with closing(sqlite3.connect(path)) as old:
            old.executescript("PRAGMA journal_mode = WAL;" + "".join(MIGRATIONS[:2]) + "PRAGMA user_version = 2;")
            arrivals_of_before = (
                "INSERT INTO item (id, path, size, mtime_ns, sha256, captured_ns, date, state, seen_at)"
            )
            old.execute(f"{arrivals_of_before} VALUES ('i', 'a', 4, 1, '', 1, '2026-01-01', 'done', 1.0)")
            old.commit()
        return path

    def test_a_ledger_of_before_can_shrink(self, before: Path) -> None:
        with closing(open_ledger(before)) as db:
            assert db.execute("PRAGMA auto_vacuum").fetchone()[0] == 2
            assert db.execute("SELECT path, share, missed_at FROM item").fetchone()[:] == ("a", None, None)

    def test_a_ledger_that_somebody_reads_stays_as_it_is(self, before: Path) -> None:
        with closing(sqlite3.connect(before, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM item").fetchall()
            with closing(open_ledger(before)) as db:
                assert db.execute("SELECT count(*) FROM item").fetchone()[0] == 1

    def test_the_release_before_goes_on_with_it(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.db"
        open_ledger(path).close()
        with closing(sqlite3.connect(path)) as older:
            older.execute(INSERT_OF_BEFORE)
            older.commit()
        with closing(open_ledger(path)) as db:
            assert db.execute("SELECT share FROM item").fetchone()[0] is None
