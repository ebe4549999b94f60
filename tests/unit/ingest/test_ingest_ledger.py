"""The ledger, on a real disk."""

import asyncio
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from edge_common.errors import ConfigurationError
from edge_common.fakes import FakeClock
from edge_common.messages import Item, Receipt, ReceiptStatus, Reject
from edge_ingest.flights import Loss
from edge_ingest.ledger import arrivals, deliveries, endings
from edge_ingest.ledger.deliveries import Answered
from edge_ingest.ledger.journal import Journal
from edge_ingest.ledger.schema import MIGRATIONS, State, open_ledger
from edge_ingest.ledger.summary import summary
from edge_ingest.sight import Found, Refusal, Sight

TODAY = date(2026, 1, 2)
NOW = datetime(2026, 1, 2, tzinfo=UTC).timestamp()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_ledger(tmp_path / "ledger.db")) as db:
        yield db


def sight(path: str, size: int = 4, mtime_ns: int = 10**18) -> Sight:
    return Sight(path, stat.S_IFREG, size, mtime_ns, path)


def found(path: str, content: str = "data") -> Found:
    return Found(sight(path, len(content)), sha256(content.encode()).hexdigest())


def sent(db: sqlite3.Connection, *paths: str) -> list[Item]:
    """Record files, and send them."""
    arrivals.record(db, [found(path) for path in paths], NOW, TODAY)
    return deliveries.claim(db, [], len(paths), NOW)


def receive(db: sqlite3.Connection, item: Item, status: ReceiptStatus, attempt: int | None = None) -> Answered:
    return deliveries.receive(db, [Receipt(id=item.id, attempt=attempt or item.attempt, status=status)], NOW + 5)


def reject(
    db: sqlite3.Connection, item: Item, code: str, *, retryable: bool = False, attempt: int | None = None
) -> Answered:
    answered = Answered()
    refused = Reject(
        id=item.id,
        attempt=attempt or item.attempt,
        stage="transform",
        code=code,
        message="No.",
        retryable=retryable,
    )
    deliveries.reject(db, [refused], answered)
    return answered


def given_up(db: sqlite3.Connection, path: str) -> Item:
    """Send a file, hear nothing, and hear from upload that it has not heard of it either."""
    [item] = sent(db, path)
    deliveries.lose(db, [Loss(item.id, 6, 3, given_up=True)], Answered())
    receive(db, item, ReceiptStatus.UNKNOWN)
    return item


def states(db: sqlite3.Connection) -> dict[str, str]:
    return dict(db.execute("SELECT path, state FROM item ORDER BY rowid").fetchall())


def settle(db: sqlite3.Connection) -> None:
    """Deal with all that is settled."""
    endings.end(db, endings.settling(db, "", 1000), NOW + 9)


class TestArrivals:
    def test_a_new_file_is_ready_with_what_first_sight_fixes(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        assert item.date == TODAY
        assert item.captured == datetime.fromtimestamp(10**9, UTC)
        assert (item.path, item.size, item.generation, item.attempt) == ("a", 4, 0, 1)

    @pytest.mark.parametrize(("mtime_ns", "year"), [(2**62, 2116), (-(2**62), 1823), (10**27, 9999), (-(10**27), 1)])
    def test_times_beyond_the_calendar_are_its_ends(self, mtime_ns: int, year: int) -> None:
        assert deliveries._moment(mtime_ns).year == year

    def test_the_same_file_again_is_known(self, db: sqlite3.Connection) -> None:
        sent(db, "a")
        same, touched, other = sight("a"), sight("a", mtime_ns=1), sight("b")
        assert arrivals.unknown(db, [same, touched, other], keep=True) == [touched, other]

    def test_a_touched_file_stays_what_it_is(self, db: sqlite3.Connection) -> None:
        sent(db, "a")
        arrivals.record(db, [Found(sight("a", mtime_ns=1), found("a").sha256)], NOW + 99, date(2026, 1, 3))
        row = db.execute("SELECT * FROM item").fetchone()
        assert (row["mtime_ns"], row["captured_ns"], row["date"], row["state"]) == (1, 10**18, "2026-01-02", "sent")
        assert arrivals.unknown(db, [sight("a", mtime_ns=1)], keep=True) == []

    def test_done_files_are_known_only_where_they_are_kept(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        receive(db, item, ReceiptStatus.UPLOADED)
        settle(db)
        assert arrivals.unknown(db, [sight("a")], keep=True) == []
        assert arrivals.unknown(db, [sight("a")], keep=False) == [sight("a")]

    def test_other_content_ends_what_still_waited_to_be_sent(self, db: sqlite3.Connection) -> None:
        arrivals.record(db, [found("a", "old"), found("b", "old")], NOW, TODAY)
        arrivals.record(db, [found("a", "new")], NOW, TODAY)
        rows = db.execute("SELECT path, size, state, code FROM item ORDER BY rowid").fetchall()
        assert [tuple(row) for row in rows] == [
            ("a", 3, "gone", "CHANGED"),
            ("b", 3, "ready", None),
            ("a", 3, "ready", None),
        ]

    def test_other_content_leaves_what_is_under_way(self, db: sqlite3.Connection) -> None:
        sent(db, "a")
        arrivals.record(db, [found("a", "new")], NOW, TODAY)
        assert [row["state"] for row in db.execute("SELECT state FROM item ORDER BY rowid")] == ["sent", "ready"]

    def test_what_waits_again_after_other_content_was_done_is_gone(self, db: sqlite3.Connection) -> None:
        [old] = sent(db, "a")
        new = found("a", "newer")
        arrivals.record(db, [new], NOW, TODAY)
        reject(db, old, arrivals.CHANGED_CODE)
        assert [row["state"] for row in db.execute("SELECT state FROM item ORDER BY rowid")] == ["waiting", "ready"]
        arrivals.supplant(db, [new.sight], NOW)
        assert [row["state"] for row in db.execute("SELECT state FROM item ORDER BY rowid")] == ["gone", "ready"]

    def test_what_is_missing_and_waited_is_gone(self, db: sqlite3.Connection) -> None:
        arrivals.record(db, [found("a"), found("b")], NOW, TODAY)
        arrivals.missing(db, ["a", "never seen"], NOW)
        assert states(db) == {"a": "gone", "b": "ready"}
        arrivals.record(db, [found("a")], NOW, TODAY)
        assert states(db) == {"a": "ready", "b": "ready"}

    def test_refusals_wait_for_the_quarantine(self, db: sqlite3.Connection) -> None:
        for _ in range(2):
            arrivals.refuse(db, [Refusal(sight("a"), "SYMLINK", "it is a symbolic link")], NOW, TODAY)
        [item] = endings.settling(db, "", 10)
        assert (item.path, item.state, item.code, item.stage) == ("a", State.REFUSED, "SYMLINK", "ingest")
        settle(db)
        assert states(db) == {"a": "quarantined"}


class TestDeliveries:
    def test_the_first_seen_go_first(self, db: sqlite3.Connection) -> None:
        for number in range(5):
            arrivals.record(db, [found(f"{number}")], NOW + number, TODAY)
        assert {item.path for item in deliveries.claim(db, [], 2, NOW)} == {"0", "1"}
        assert {item.path for item in deliveries.claim(db, [], 9, NOW)} == {"2", "3", "4"}
        assert deliveries.claim(db, [], 9, NOW) == []

    def test_items_to_send_again_are_sent_only_if_they_still_wait(self, db: sqlite3.Connection) -> None:
        waiting, accepted = sent(db, "a", "b")
        reject(db, waiting, "BUSY", retryable=True)
        receive(db, accepted, ReceiptStatus.ACCEPTED)
        [again] = deliveries.claim(db, [waiting.id, accepted.id], 0, NOW)
        assert (again.id, again.attempt) == (waiting.id, 2)

    @pytest.mark.parametrize("status", [ReceiptStatus.ACCEPTED, ReceiptStatus.UPLOADED])
    def test_good_news_of_any_attempt_is_taken(self, db: sqlite3.Connection, status: ReceiptStatus) -> None:
        [item] = sent(db, "a")
        reject(db, item, "BUSY", retryable=True)
        deliveries.claim(db, [item.id], 0, NOW)
        receive(db, item, status, attempt=1)
        assert states(db) == {"a": status.value}

    def test_acceptance_says_how_long_it_took_once(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        assert receive(db, item, ReceiptStatus.ACCEPTED).waits == [5]
        assert receive(db, item, ReceiptStatus.ACCEPTED).waits == []

    def test_uploaded_is_never_taken_back(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        assert receive(db, item, ReceiptStatus.UPLOADED).settled
        for status in ReceiptStatus:
            receive(db, item, status)
        reject(db, item, "DECODE_FAILED")
        assert states(db) == {"a": "uploaded"}
        settle(db)
        assert not receive(db, item, ReceiptStatus.UPLOADED).settled
        assert states(db) == {"a": "done"}

    def test_quarantined_is_never_taken_back(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        assert reject(db, item, "DECODE_FAILED").settled
        for status in ReceiptStatus:
            receive(db, item, status)
        assert states(db) == {"a": "refused"}

    @pytest.mark.parametrize("code", ["CHANGED", "GONE"])
    def test_what_is_not_what_it_was_is_looked_at_again(self, db: sqlite3.Connection, code: str) -> None:
        [item] = sent(db, "a")
        assert reject(db, item, code).look_again == ["a"]
        assert states(db) == {"a": "waiting"}

    @pytest.mark.parametrize("retryable", [True, False])
    def test_bad_news_of_an_older_attempt_is_ignored(self, db: sqlite3.Connection, retryable: bool) -> None:  # noqa: FBT001
        [item] = sent(db, "a")
        reject(db, item, "BUSY", retryable=True)
        deliveries.claim(db, [item.id], 0, NOW)
        reject(db, item, "LATE", retryable=retryable, attempt=1)
        receive(db, item, ReceiptStatus.UNKNOWN, attempt=1)
        assert states(db) == {"a": "sent"}

    def test_bad_news_from_before_a_restart_is_taken(self, db: sqlite3.Connection) -> None:
        final, busy = sent(db, "a", "b")
        deliveries.recover(db)
        reject(db, final, "DECODE_FAILED")
        reject(db, busy, "BUSY", retryable=True)
        # Nobody else would send it again.
        assert states(db) == {"a": "refused", "b": "ready"}

    def test_unknown_means_send_again(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        receive(db, item, ReceiptStatus.ACCEPTED)
        receive(db, item, ReceiptStatus.UNKNOWN)
        assert [again.attempt for again in deliveries.claim(db, [], 1, NOW)] == [2]

    def test_losses_are_kept_and_the_last_strike_ends_it(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        answered = Answered()
        deliveries.lose(db, [Loss(item.id, 3, 1, given_up=False)], answered)
        assert states(db) == {"a": "waiting"}
        assert deliveries.recover(db) == [(item.id, 3, 1)]
        deliveries.lose(db, [Loss(item.id, 6, 3, given_up=True)], answered)
        assert answered.doubted
        assert [inquiry.id for inquiry in endings.ask(db, NOW, 60)] == [item.id]
        assert receive(db, item, ReceiptStatus.UNKNOWN).settled
        assert endings.settling(db, "", 1)[0].code == "LOST"

    def test_a_restart_makes_ready_what_was_sent(self, db: sqlite3.Connection) -> None:
        sent(db, "a")
        assert deliveries.recover(db) == []
        assert states(db) == {"a": "ready"}


class TestEndings:
    def test_accepted_items_are_asked_about_once_they_are_old(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        receive(db, item, ReceiptStatus.ACCEPTED)
        assert endings.ask(db, NOW + 6, 60) == []
        assert [inquiry.id for inquiry in endings.ask(db, NOW + 66, 60)] == [item.id]
        assert endings.ask(db, NOW + 67, 60) == []
        assert endings.ask(db, NOW + 127, 60) != []

    def test_a_restart_asks_about_all(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        receive(db, item, ReceiptStatus.ACCEPTED)
        deliveries.recover(db)
        assert len(endings.ask(db, NOW + 6, 60)) == 1

    def test_a_clock_that_was_set_back_is_no_excuse(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        receive(db, item, ReceiptStatus.ACCEPTED)
        assert len(endings.ask(db, NOW - 10**6, 60)) == 1

    def test_upload_is_told_of_each_end_of_what_was_ever_sent(self, db: sqlite3.Connection) -> None:
        uploaded, refused = sent(db, "a", "b")
        arrivals.refuse(db, [Refusal(sight("never sent"), "EMPTY", "it is empty")], NOW, TODAY)
        receive(db, uploaded, ReceiptStatus.UPLOADED)
        reject(db, refused, "DECODE_FAILED")
        assert endings.untold(db, NOW) == []
        settle(db)
        assert set(endings.untold(db, NOW)) == {uploaded.id, refused.id}
        endings.told(db, [uploaded.id])
        assert endings.untold(db, NOW) == [refused.id]

    def test_what_is_gone_is_asked_about_until_no_result_of_it_can_come(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        deliveries.lose(db, [Loss(item.id, 1, 0, given_up=False)], Answered())
        arrivals.missing(db, ["a"], NOW + 10)
        assert states(db) == {"a": "gone"}
        late = NOW + 2 * endings.LATE_S
        assert [inquiry.id for inquiry in endings.doubtful(db, NOW + 10)] == [item.id]
        assert endings.untold(db, NOW + 10) == []
        assert endings.doubtful(db, late) == []
        assert endings.untold(db, late) == [item.id]
        receive(db, item, ReceiptStatus.UPLOADED)
        assert states(db) == {"a": "uploaded"}

    def test_what_ended_in_the_future_is_asked_about_as_if_it_had_ended_now(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        deliveries.recover(db)
        arrivals.missing(db, ["a"], NOW + 10**6)
        assert [inquiry.id for inquiry in endings.doubtful(db, NOW)] == [item.id]
        assert endings.untold(db, NOW) == []
        assert endings.untold(db, NOW + 2 * endings.LATE_S) == [item.id]

    def test_what_was_given_up_is_asked_about_until_no_result_of_it_can_come(self, db: sqlite3.Connection) -> None:
        item = given_up(db, "a")
        settle(db)
        assert states(db) == {"a": "quarantined"}
        late = NOW + 2 * endings.LATE_S
        assert [inquiry.id for inquiry in endings.doubtful(db, NOW + 10)] == [item.id]
        assert endings.untold(db, NOW + 10) == []
        assert endings.doubtful(db, late) == []
        assert endings.untold(db, late) == [item.id]

    @pytest.mark.parametrize("before", ["refused", "quarantined"])
    def test_good_news_wins_over_a_quarantine_that_came_from_losses(self, db: sqlite3.Connection, before: str) -> None:
        item = given_up(db, "a")
        if before == "quarantined":
            settle(db)
        endings.told(db, [item.id])
        receive(db, item, ReceiptStatus.ACCEPTED)
        assert states(db) == {"a": "accepted"}
        receive(db, item, ReceiptStatus.UPLOADED)
        assert endings.settling(db, "", 1)[0].code == "LOST"  # its file may be in quarantine
        settle(db)
        assert states(db) == {"a": "done"}
        assert endings.untold(db, NOW) == [item.id]

    def test_good_news_does_not_win_over_a_reject(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        reject(db, item, "DECODE_FAILED")
        settle(db)
        receive(db, item, ReceiptStatus.ACCEPTED)
        receive(db, item, ReceiptStatus.UPLOADED)
        assert states(db) == {"a": "quarantined"}

    def test_what_is_reopened_is_dealt_with_again(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        receive(db, item, ReceiptStatus.UPLOADED)
        settle(db)
        assert endings.reopen(db, [item.id, "stranger"]) == {item.id}
        assert states(db) == {"a": "uploaded"}


class TestSummary:
    def test_counts_are_those_of_the_table(self, db: sqlite3.Connection) -> None:
        items = sent(db, *"abcdefgh")
        arrivals.record(db, [found("i")], NOW, TODAY)
        for item in items[:3]:
            receive(db, item, ReceiptStatus.ACCEPTED)
        for item in items[3:6]:
            reject(db, item, "DECODE_FAILED")
        settle(db)
        counted = dict(db.execute("SELECT state, count(*) FROM item GROUP BY state").fetchall())
        assert {state.value: number for state, number in summary(db).items.items() if number} == counted
        assert set(summary(db).items) == set(State)

    def test_the_latest_quarantined_are_named(self, db: sqlite3.Connection) -> None:
        for number, item in enumerate(sent(db, *"abcdefg")):
            reject(db, item, f"CODE_{item.path.upper()}")
            endings.end(db, endings.settling(db, "", 10), NOW + number)
        latest = summary(db).quarantined
        assert len(latest) == 5
        assert latest[0] == (latest[0][0], f"CODE_{latest[0][0].upper()}")


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


def finish(db: sqlite3.Connection) -> None:
    """Play on, with a chain that is well."""
    for item in deliveries.claim(db, [], 10, NOW):
        receive(db, item, ReceiptStatus.ACCEPTED)
    for inquiry in endings.ask(db, NOW + 1000, 60):
        deliveries.receive(
            db, [Receipt(id=inquiry.id, attempt=inquiry.attempt, status=ReceiptStatus.UPLOADED)], NOW + 1000
        )
    settle(db)


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
