"""The ledger, on a real disk: what comes in, and what is said of it."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import product

import pytest

from edge_common.messages import Receipt, ReceiptStatus
from edge_ingest.flights import Loss
from edge_ingest.ledger import arrivals, deliveries, endings
from edge_ingest.ledger.deliveries import Answered
from edge_ingest.ledger.schema import State
from edge_ingest.sight import Found, Refusal
from unit.ingest.ledgers import NOW, TODAY, found, given_up, receive, reject, sent, settle, sight, states


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

    def test_receipts_taken_together_mean_what_they_mean_one_by_one(self, db: sqlite3.Connection) -> None:
        items = [*sent(db, "a", "b"), given_up(db, "c")]
        verdicts = [
            Receipt(id=item.id, attempt=item.attempt, status=status)
            for item in items
            for status in (ReceiptStatus.ACCEPTED, ReceiptStatus.UPLOADED, ReceiptStatus.UNKNOWN)
        ]
        for receipts in product(verdicts, repeat=3):
            together = _outcome(db, [receipts])
            assert together == _outcome(db, [[receipt] for receipt in receipts])

    def test_uploaded_is_never_taken_back(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        receive(db, item, ReceiptStatus.UPLOADED)
        assert endings.waiting(db)
        for status in ReceiptStatus:
            receive(db, item, status)
        reject(db, item, "DECODE_FAILED")
        assert states(db) == {"a": "uploaded"}
        settle(db)
        receive(db, item, ReceiptStatus.UPLOADED)
        assert not endings.waiting(db)
        assert states(db) == {"a": "done"}

    def test_quarantined_is_never_taken_back(self, db: sqlite3.Connection) -> None:
        [item] = sent(db, "a")
        reject(db, item, "DECODE_FAILED")
        assert endings.waiting(db)
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
        receive(db, item, ReceiptStatus.UNKNOWN)
        assert endings.waiting(db)
        assert endings.settling(db, "", 1)[0].code == "LOST"

    def test_a_restart_makes_ready_what_was_sent(self, db: sqlite3.Connection) -> None:
        sent(db, "a")
        assert deliveries.recover(db) == []
        assert states(db) == {"a": "ready"}


def _outcome(db: sqlite3.Connection, turns: Sequence[Sequence[Receipt]]) -> object:
    """What some turns of receipts come to, which is undone."""
    db.execute("BEGIN")
    answers = [deliveries.receive(db, receipts, NOW + 5) for receipts in turns]
    rows = [tuple(row) for row in db.execute("SELECT * FROM item ORDER BY id")]
    db.execute("ROLLBACK")
    return rows, [wait for answer in answers for wait in answer.waits]
