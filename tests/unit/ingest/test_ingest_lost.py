"""What is sent and not answered: leases, what is given up, and what comes late."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_common.messages import Item, ReceiptStatus
from unit.ingest.rig import Answer, Rig, accepting, files, put, receipt, reject, running, silent, unknown, uploading


async def test_an_item_that_upload_never_heard_of_is_sent_again(folder: Path) -> None:
    put(folder, "a.png")
    async with running(folder, accepting) as rig:
        await rig.until_state(a__png="accepted")
        rig.peer = uploading
        rig.answer(receipt(rig.items[0].model_copy(update={"attempt": 7}), ReceiptStatus.UNKNOWN))
        rig.answer(receipt(rig.items[0], ReceiptStatus.UNKNOWN))
        await rig.until_state(a__png="done")
        assert [item.attempt for item in rig.items] == [1, 2]


async def test_an_item_without_an_answer_is_sent_again_and_late_good_news_is_taken(folder: Path) -> None:
    put(folder, "a.png")
    async with running(folder, silent) as rig:
        await rig.until(lambda: len(rig.items) == 2, step=1)
        first, second = rig.items
        assert (first.id, first.attempt, second.attempt) == (second.id, 1, 2)
        rig.answer(reject(first, "DECODE_FAILED"))
        await rig.pass_time(1)
        rig.answer(receipt(first, ReceiptStatus.ACCEPTED))
        await rig.until_state(a__png="accepted")


async def test_deferred_for_longer_than_all_attempts_take_quarantines_nothing(folder: Path) -> None:
    for number in range(4):
        put(folder, f"{number}.png", b"%d" % number)

    def deferring(item: Item) -> list[Answer]:
        return [receipt(item, ReceiptStatus.DEFERRED)]

    async with running(folder, deferring, leaseSeconds=10, maxAttempts=3) as rig:
        for _ in range(100):
            await rig.pass_time(1)
        await rig.until(lambda: len(rig.items) >= 4 * 5, step=1)
        rig.peer = uploading
        await rig.until(lambda: set(rig.states().values()) == {"done"}, step=1)


async def others_come_until_state(rig: Rig, **expected: str) -> None:
    """Let others get through, without which nothing is held against an item."""
    wanted = {path.replace("__", "."): state for path, state in expected.items()}
    numbers = iter(range(1000))
    while not wanted.items() <= rig.states().items():
        await rig.pass_time(1)
        number = next(numbers)
        rig.put(f"more-{number}.png", b"more %d" % number)


async def test_an_item_that_brings_the_chain_down_is_quarantined_and_no_other(folder: Path) -> None:
    put(folder, "poison.png", b"poison")
    for number in range(20):
        put(folder, f"{number}.png", b"%d" % number)
    down_until = 0.0

    def crashing(item: Item) -> list[Answer]:
        nonlocal down_until
        if item.path == "poison.png":
            down_until = rig.clock.monotonic() + 3
        return [] if rig.clock.monotonic() < down_until else uploading(item)

    async with running(folder, crashing, window=16, leaseSeconds=10) as rig:
        rig.memory = unknown
        await others_come_until_state(rig, poison__png="quarantined")
        await rig.until(lambda: set(rig.states().values()) == {"done", "quarantined"}, step=1)
        assert [path for path, state in rig.states().items() if state == "quarantined"] == ["poison.png"]
        assert rig.row("poison.png")["code"] == "LOST"
    assert (folder / "share/.edge/quarantine/poison.png").read_bytes() == b"poison"


def all_but_unlucky(item: Item) -> list[Answer]:
    return silent(item) if item.path == "unlucky.png" else uploading(item)


async def test_what_upload_has_is_not_given_up_though_each_receipt_was_lost(folder: Path) -> None:
    put(folder, "unlucky.png")
    async with running(folder, all_but_unlucky, window=16, leaseSeconds=10) as rig:
        await others_come_until_state(rig, unlucky__png="accepted")
        assert rig.row("unlucky.png")["code"] == "LOST"
        rig.memory = lambda inquiry: [receipt(inquiry, ReceiptStatus.UPLOADED)]
        await rig.until_state(unlucky__png="done", step=1)
        assert rig.row("unlucky.png")["code"] is None
        assert rig.metrics.registry.get_sample_value("edge_ingest_quarantined_items_total", {"code": "LOST"}) is None


@pytest.mark.parametrize("retention", ["keep", "archive"])
@pytest.mark.parametrize("news", [("ACCEPTED", "UPLOADED"), ("UPLOADED",)])
async def test_what_was_given_up_leaves_the_quarantine_once_upload_has_stored_it(
    folder: Path, retention: str, news: Sequence[str]
) -> None:
    put(folder, "unlucky.png", b"unlucky")
    async with running(folder, all_but_unlucky, window=16, leaseSeconds=10, retention=retention) as rig:
        rig.memory = unknown
        await others_come_until_state(rig, unlucky__png="quarantined")
        rig.memory = silent
        last = [item for item in rig.items if item.path == "unlucky.png"][-1]
        for status in news:
            rig.answer(receipt(last, ReceiptStatus[status]))
            await rig.pass_time(1)
        await rig.until_state(unlucky__png="done")
        assert rig.row("unlucky.png")["code"] is None
    place = ".edge/archive/2026-01-01/" if retention == "archive" else ""
    assert [path for path in files(folder) if "unlucky" in path] == [f"{place}unlucky.png"]


async def test_what_was_given_up_stays_in_quarantine_where_upload_has_lost_it_again(folder: Path) -> None:
    put(folder, "unlucky.png")
    async with running(folder, all_but_unlucky, window=16, leaseSeconds=10) as rig:
        rig.memory = unknown
        await others_come_until_state(rig, unlucky__png="quarantined")
        rig.memory = silent
        last = [item for item in rig.items if item.path == "unlucky.png"][-1]
        rig.answer(receipt(last, ReceiptStatus.ACCEPTED))
        await rig.until_state(unlucky__png="accepted")
        rig.memory = unknown
        await rig.until_state(unlucky__png="quarantined", step=1)
    assert (folder / "share/.edge/quarantine/unlucky.png").exists()


async def test_an_outage_quarantines_nothing(folder: Path) -> None:
    for number in range(20):
        put(folder, f"{number}.png", b"%d" % number)
    async with running(folder, silent, window=8, leaseSeconds=10) as rig:
        for _ in range(300):
            await rig.pass_time(5)
        rig.peer = uploading
        await rig.until(lambda: len(rig.states()) == 20 and set(rig.states().values()) == {"done"}, step=1)
