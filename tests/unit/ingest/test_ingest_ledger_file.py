"""The ledger's file: releases, kills, and a disk that refuses."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge_common.errors import ConfigurationError
from edge_common.fakes import FakeClock
from edge_common.messages import Receipt, ReceiptStatus
from edge_ingest.ledger import arrivals, deliveries, endings
from edge_ingest.ledger.journal import Journal
from edge_ingest.ledger.schema import MIGRATIONS, open_ledger
from unit.ingest.ledgers import NOW, TODAY, found, receive, reject, sent, settle, states


class TestOpening:
    def test_commits_are_durable(self, db: sqlite3.Connection) -> None:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2

    def test_every_earlier_version_is_brought_up(self, tmp_path: Path) -> None:
        for version in range(len(MIGRATIONS)):
            path = tmp_path / f"{version}.db"
            with closing(sqlite3.connect(path)) as old:
                old.executescript("".join(MIGRATIONS[:version]) + f"PRAGMA user_version = {version};")
            with closing(open_ledger(path)) as db:
                assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
                sent(db, "a")

    def test_the_next_release_may_be_rolled_back_but_not_the_one_after(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.db"
        for ahead in (1, 2):
            with closing(open_ledger(path)) as db:
                db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + ahead}")
        with pytest.raises(ConfigurationError, match="version"):
            open_ledger(path)

    def test_queries_that_run_often_use_an_index(self, db: sqlite3.Connection) -> None:
        for query in (
            "SELECT id FROM item WHERE state = 'ready' ORDER BY seen_at LIMIT 1",
            "SELECT id FROM item WHERE state IN ('uploaded', 'refused') AND id > '' ORDER BY id LIMIT 1",
            "SELECT id FROM item WHERE state = 'accepted' ORDER BY asked_at LIMIT 1",
            "SELECT path, code FROM item WHERE state = 'quarantined' ORDER BY ended_at DESC LIMIT 5",
            "SELECT id FROM item WHERE told = 0 AND attempt > 0 AND state IN ('done', 'quarantined', 'gone') LIMIT 1",
            "SELECT path FROM item WHERE path IN (SELECT value FROM json_each('[]'))",
        ):
            plan = " ".join(row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}"))
            assert "USING" in plan
            assert "TEMP B-TREE" not in plan


def finish(db: sqlite3.Connection) -> None:
    """Play on, with a chain that is well."""
    for item in deliveries.claim(db, [], 10, NOW):
        receive(db, item, ReceiptStatus.ACCEPTED)
    for inquiry in endings.ask(db, NOW + 1000, 60):
        deliveries.receive(
            db, [Receipt(id=inquiry.id, attempt=inquiry.attempt, status=ReceiptStatus.UPLOADED)], NOW + 1000
        )
    settle(db)


class TestKill:
    def test_whatever_was_committed_last_a_restart_goes_on_from_there(self, tmp_path: Path) -> None:
        """Copies of the files as they are after each commit, taken while the ledger is open, as a kill leaves them."""
        copies: list[tuple[Path, dict[str, str]]] = []
        with closing(open_ledger(tmp_path / "ledger.db")) as db:

            def committed() -> None:
                copy = tmp_path / f"copy-{len(copies)}"
                copy.mkdir()
                for file in tmp_path.glob("ledger.db*"):
                    shutil.copy(file, copy)
                copies.append((copy / "ledger.db", states(db)))

            for path in "ab":
                arrivals.record(db, [found(path)], NOW, TODAY)
                committed()
            one, two = deliveries.claim(db, [], 2, NOW)
            committed()
            receive(db, one, ReceiptStatus.ACCEPTED)
            committed()
            receive(db, one, ReceiptStatus.UPLOADED)
            committed()
            reject(db, two, "DECODE_FAILED")
            committed()
            settle(db)
            committed()
        for copy, before in copies:
            with closing(open_ledger(copy)) as db:
                assert states(db) == before
                assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                deliveries.recover(db)
                finish(db)
                assert set(states(db).values()) <= {"done", "quarantined"}


class TestJournal:
    async def test_what_waits_together_is_one_transaction(self, tmp_path: Path) -> None:
        db = open_ledger(tmp_path / "ledger.db")
        begun: list[str] = []
        db.set_trace_callback(begun.append)
        journal = Journal(db, tmp_path / "ledger.db", FakeClock())
        work = [asyncio.create_task(journal.do(arrivals.record, [found(str(n))], NOW, TODAY)) for n in range(20)]
        await asyncio.sleep(0)
        running = asyncio.create_task(journal.run())
        await asyncio.gather(*work)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await journal.close()
        assert begun.count("BEGIN IMMEDIATE") == 1
        with closing(open_ledger(tmp_path / "ledger.db")) as again:
            assert len(states(again)) == 20

    async def test_a_disk_that_refuses_is_waited_for(self, tmp_path: Path) -> None:
        db = open_ledger(tmp_path / "ledger.db")
        db.execute("PRAGMA busy_timeout = 0")
        clock = FakeClock()
        journal = Journal(db, tmp_path / "ledger.db", clock)
        running = asyncio.create_task(journal.run())
        with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            work = asyncio.create_task(journal.do(arrivals.record, [found("a")], NOW, TODAY))
            for _ in range(20):
                await clock.advance(1)
                await asyncio.sleep(0.001)
            assert not work.done()
            blocker.execute("ROLLBACK")
        while not work.done():
            await clock.advance(1)
            await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await journal.close()

    async def test_broken_work_ends_the_journal_and_leaves_no_trace(self, tmp_path: Path) -> None:
        def broken(db: sqlite3.Connection) -> None:
            arrivals.record(db, [found("a")], NOW, TODAY)
            raise LookupError("broken")

        journal = Journal(open_ledger(tmp_path / "ledger.db"), tmp_path / "ledger.db", FakeClock())
        work = asyncio.create_task(journal.do(broken))
        with pytest.raises(LookupError):
            await journal.run()
        work.cancel()
        await journal.close()
        with closing(open_ledger(tmp_path / "ledger.db")) as db:
            assert states(db) == {}
