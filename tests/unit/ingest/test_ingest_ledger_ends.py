"""The ledger, on a real disk: how items end, and what is told of all of them."""

import sqlite3

import pytest

from edge_common.messages import ReceiptStatus
from edge_ingest.flights import Loss
from edge_ingest.ledger import arrivals, deliveries, endings
from edge_ingest.ledger.deliveries import Answered
from edge_ingest.ledger.schema import State
from edge_ingest.ledger.summary import summary
from edge_ingest.sight import Refusal
from unit.ingest.ledgers import NOW, TODAY, found, given_up, receive, reject, sent, settle, sight, states


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
