"""What ingest tells of its items, and until when it keeps that."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from edge_common.messages import MAX_BODY_BYTES, HistoryMessage, KeptMessage
from edge_ingest.historian import PATIENCE_S, WINDOW
from edge_ingest.ledger import arrivals, deliveries, history
from edge_ingest.ledger.schema import open_ledger
from edge_ingest.sight import Found, Sight
from unit.ingest.rig import Rig, reject, running, silent, uploading

TODAY = date(2026, 1, 1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_ledger(tmp_path / "ledger.db")) as db:
        yield db


def find(db: sqlite3.Connection, files: int) -> None:
    sights = [Sight(f"{number}.png", 0o100644, 4, 1, f"{number}.png") for number in range(files)]
    arrivals.record(db, [Found(sight, "0" * 64) for sight in sights], 1.0, TODAY)


def numbers(messages: list[HistoryMessage]) -> list[int]:
    return [event.number for message in messages for item in message.items for event in item.events]


def told(rig: Rig, path: str) -> list[str]:
    """The events of a path that were told, each once."""
    events = {
        event.number: event.event
        for message in rig.history
        for item in message.items
        if item.path == path
        for event in item.events
    }
    return [event for _, event in sorted(events.items())]


def kept(rig: Rig) -> int:
    with closing(sqlite3.connect(rig.state / "ledger.db")) as db:
        return int(db.execute("SELECT count(*) FROM history").fetchone()[0])


async def test_an_items_way_is_told(folder: Path) -> None:
    async with running(folder, uploading) as rig:
        rig.put("a.png")
        await rig.until(lambda: told(rig, "a.png") == ["seen", "sent", "done"])
        await rig.until(lambda: kept(rig) == 0)
    item = rig.history[0].items[0]
    assert (item.id, item.sha256, item.size, item.generation) == (rig.items[0].id, rig.items[0].sha256, 4, 0)


async def test_refusals_are_told_with_their_reason(folder: Path) -> None:
    async with running(folder, lambda item: [reject(item, "DECODE_FAILED")]) as rig:
        rig.put("a.png")
        await rig.until(lambda: "quarantined" in told(rig, "a.png"))
    events = [event for message in rig.history for item in message.items for event in item.events]
    last = next(event for event in events if event.event == "quarantined")
    assert (last.code, last.stage, last.reason, last.attempt) == ("DECODE_FAILED", "transform", "No.", 1)


async def test_what_nobody_confirms_is_told_again_also_by_the_next_life(folder: Path) -> None:
    async with running(folder, uploading) as rig:
        rig.keeping = False
        rig.put("a.png")
        await rig.until_state(a__png="done")
        await rig.until(lambda: len(rig.history) > 1, step=PATIENCE_S / 4)
        assert kept(rig) == 3
    async with running(folder, uploading) as rig:
        await rig.until(lambda: told(rig, "a.png")[:3] == ["seen", "sent", "done"])
        await rig.until(lambda: kept(rig) == 0)


async def test_confirmations_of_another_ledger_count_for_nothing(folder: Path) -> None:
    async with running(folder, silent) as rig:
        rig.keeping = False
        rig.put("a.png")
        await rig.until(lambda: bool(rig.history))
        before = kept(rig)
        rig.hub.deliver("kept", KeptMessage(ledger="f" * 32, numbers=(1, 2)).encode())
        rig.hub.deliver("kept", b"{}")
        await rig.pass_time(1)
        assert kept(rig) == before > 0


def test_numbers_are_never_used_again(ledger: sqlite3.Connection) -> None:
    history.follow(ledger, lambda: 1.0)
    find(ledger, 2)
    messages = history.untold(ledger, WINDOW)
    assert numbers(messages) == [1, 2]
    history.forget(ledger, [KeptMessage(ledger=messages[0].ledger, numbers=(1, 2))])
    deliveries.claim(ledger, [], 1, 2.0)
    assert numbers(history.untold(ledger, WINDOW)) == [3]


def test_what_an_older_release_wrote_is_told_as_far_as_it_is_known(ledger: sqlite3.Connection) -> None:
    find(ledger, 1)
    deliveries.claim(ledger, [], 1, 2.0)
    history.follow(ledger, lambda: 3.0)
    (message,) = history.untold(ledger, WINDOW)
    assert [(event.event, event.at) for event in message.items[0].events] == [("seen", 1.0), ("sent", 2.0)]


def test_an_older_release_can_go_on_with_the_ledger(ledger: sqlite3.Connection, tmp_path: Path) -> None:
    history.follow(ledger, lambda: 1.0)
    find(ledger, 1)
    with closing(open_ledger(tmp_path / "ledger.db")) as older:
        deliveries.claim(older, [], 1, 2.0)
        assert older.execute("SELECT state FROM item").fetchone()["state"] == "sent"


def test_messages_stay_small(ledger: sqlite3.Connection) -> None:
    history.follow(ledger, lambda: 1.0)
    find(ledger, 500)
    messages = history.untold(ledger, WINDOW)
    assert sorted(numbers(messages)) == list(range(1, 501))
    assert max(len(message.encode()) for message in messages) <= MAX_BODY_BYTES


def test_events_that_make_no_sense_are_dropped_and_the_others_told(ledger: sqlite3.Connection) -> None:
    history.follow(ledger, lambda: 1.0)
    find(ledger, 3)
    ledger.execute("UPDATE history SET attempt = -3 WHERE number = 2")
    assert numbers(history.untold(ledger, WINDOW)) == [1, 3]
    assert ledger.execute("SELECT count(*) FROM history").fetchone()[0] == 2


def test_where_nobody_takes_it_the_oldest_goes(ledger: sqlite3.Connection) -> None:
    history.follow(ledger, lambda: 1.0)
    find(ledger, 10)
    ledger.execute("UPDATE history SET number = number + ? WHERE number > 4", (history.MOST_KEPT,))
    assert history.bound(ledger) == 4
    assert history.bound(ledger) == 0
