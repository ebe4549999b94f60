"""The module as a whole: real files, a real ledger, and a hub whose other side is the test."""

import asyncio
import json
import os
import tracemalloc
from collections.abc import Sequence
from contextlib import chdir
from hashlib import sha256
from pathlib import Path
from socket import AF_UNIX, socket

import pytest

from edge_common.messages import Item, ItemsMessage, ReceiptStatus
from unit.ingest.rig import Answer, Rig, accepting, receipt, reject, running, silent, unknown, uploading


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "share").mkdir()
    return tmp_path


def put(folder: Path, path: str, data: bytes = b"data") -> Path:
    file = folder / "share" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


def files(folder: Path) -> set[str]:
    share = folder / "share"
    return {str(path.relative_to(share)) for path in share.rglob("*") if not path.is_dir()}


async def test_files_from_before_and_after_the_start_are_sent_accepted_and_done(folder: Path) -> None:
    put(folder, "before.png")
    put(folder, "deep/down/before.png", b"other")
    async with running(folder) as rig:
        await rig.until_state(before__png="done")
        rig.put("after.png")
        rig.put("new/folder/after.png")
        await rig.until(lambda: len(rig.states()) == 4 and set(rig.states().values()) == {"done"})
        assert sorted(item.path for item in rig.items) == sorted(rig.states())
        assert all(item.attempt == 1 for item in rig.items)
        assert {message.properties["kind"] for message in rig.hub.sent} == {"items"}
    assert files(folder) == {"before.png", "deep/down/before.png", "after.png", "new/folder/after.png"}


async def test_items_travel_together(folder: Path) -> None:
    for number in range(50):
        put(folder, f"{number}.png", b"%d" % number)
    async with running(folder, batchItems=32) as rig:
        await rig.until(lambda: len(rig.items) == 50)
        assert max(len(message) for message in rig.messages) == 32


async def test_every_message_has_items_of_one_kind_which_is_its_property(folder: Path) -> None:
    for number in range(10):
        put(folder, f"{number}.png", b"%d" % number)
        put(folder, f"{number}.csv", b"%d" % number)
    async with running(folder, kinds={"tables": ["**/*.csv"]}) as rig:
        await rig.until(lambda: len(rig.items) == 20)
        sent = [message for message in rig.hub.sent if message.output == "items"]
        assert {message.properties["kind"] for message in sent} == {"items", "tables"}
        for message in sent:
            ending = ".csv" if message.properties["kind"] == "tables" else ".png"
            assert all(item.path.endswith(ending) for item in ItemsMessage.decode(message.body).items)


async def test_the_window_holds(folder: Path) -> None:
    for number in range(30):
        put(folder, f"{number}.png", b"%d" % number)
    async with running(folder, silent, window=8) as rig:
        await rig.until(lambda: len(rig.items) == 8)
        for _ in range(20):
            await rig.pass_time(1)
        assert len(rig.items) == 8
        rig.peer = accepting
        rig.answer(receipt(rig.items[0], ReceiptStatus.ACCEPTED))
        await rig.until(lambda: len(rig.items) > 8)


async def test_nothing_is_sent_again_after_a_restart_that_was_accepted(folder: Path) -> None:
    put(folder, "a.png")
    put(folder, "b.png", b"other")
    async with running(folder, accepting) as rig:
        await rig.until_state(a__png="accepted", b__png="accepted")
    async with running(folder, accepting) as rig:
        await rig.until(lambda: bool(rig.inquiries))
        asked = {inquiry.id for message in rig.inquiries for inquiry in message.ask}
        assert asked == {rig.row("a.png")["id"], rig.row("b.png")["id"]}
        for _ in range(10):
            await rig.pass_time(5)
        assert rig.items == []


async def test_a_restart_voids_leases(folder: Path) -> None:
    put(folder, "a.png")
    async with running(folder, silent) as rig:
        await rig.until_state(a__png="sent")
    async with running(folder) as rig:
        await rig.until_state(a__png="done")
        assert [item.attempt for item in rig.items] == [2]


async def test_a_lost_receipt_is_made_good_by_an_inquiry(folder: Path) -> None:
    put(folder, "a.png")
    async with running(folder, accepting, inquirySeconds=60) as rig:
        await rig.until_state(a__png="accepted")
        await rig.until(lambda: any(message.ask for message in rig.inquiries), step=5)
        rig.answer(receipt(rig.items[0], ReceiptStatus.UPLOADED))
        await rig.until_state(a__png="done")
        await rig.until(lambda: any(message.settled for message in rig.inquiries), step=5)
        assert rig.inquiries[-1].settled == (rig.items[0].id,)
        told = len(rig.inquiries)
        for _ in range(30):
            await rig.pass_time(10)
        assert len(rig.inquiries) == told


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


async def test_a_reject_for_good_quarantines_at_once(folder: Path) -> None:
    put(folder, "sub/a.png", b"text")
    async with running(folder, lambda item: [reject(item, "DECODE_FAILED")], reportSeconds=1) as rig:
        await rig.until(lambda: rig.states() == {"sub/a.png": "quarantined"})
        note = json.loads((folder / "share/.edge/quarantine/sub/a.png.reason.json").read_text())
        assert note == {
            "id": rig.items[0].id,
            "path": "sub/a.png",
            "code": "DECODE_FAILED",
            "reason": "No.",
            "stage": "transform",
            "attempts": 1,
            "at": note["at"],
        }
        await rig.until(lambda: rig.hub.reported["ledger"]["items"]["quarantined"] == 1)
        assert rig.hub.reported["ledger"]["quarantined"] == [{"path": "sub/a.png", "code": "DECODE_FAILED"}]
        assert await rig.hub.invoke("ledger") == (200, rig.hub.reported["ledger"])
        counted = rig.metrics.registry.get_sample_value
        assert counted("edge_ingest_quarantined_items_total", {"code": "DECODE_FAILED"}) == 1
        assert counted("edge_ingest_items", {"state": "quarantined"}) == 1
        assert counted("edge_ingest_sent_items_total") == 1


async def test_a_reject_that_another_try_can_help_is_sent_again_without_end(folder: Path) -> None:
    put(folder, "a.png")
    async with running(folder, lambda item: [reject(item, "NO_CONTRACT", retryable=True)]) as rig:
        await rig.until(lambda: len(rig.items) > 8, step=1)
        rig.peer = uploading
        await rig.until_state(step=1, a__png="done")
        assert rig.row("a.png")["strikes"] == 0


async def test_a_file_that_changed_is_a_new_item(folder: Path) -> None:
    file = put(folder, "a.png", b"before")

    def changed(item: Item) -> list[Answer]:
        if item.size == 6:
            file.write_bytes(b"and after")
            return [reject(item, "CHANGED")]
        return uploading(item)

    async with running(folder, changed) as rig:
        await rig.until_state(a__png="done")
        assert rig.items[0].id != rig.items[-1].id
        assert rig.items[-1].size == 9
        await rig.until(lambda: (rig.hub.reported["ledger"]["items"]["gone"]) == 1)
    assert file.read_bytes() == b"and after"


async def test_a_file_that_changed_is_gone_also_if_it_is_said_once_the_new_one_is_done(folder: Path) -> None:
    file = put(folder, "a.png", b"before")

    def late(item: Item) -> list[Answer]:
        if item.size == 6:
            file.write_bytes(b"and after")
            return []
        return uploading(item)

    async with running(folder, late) as rig:
        await rig.until_state(a__png="done")
        rig.peer = lambda item: [reject(item, "CHANGED")]
        await rig.until(lambda: (rig.hub.reported["ledger"]["items"]["gone"]) == 1, step=1)


async def test_a_file_that_vanished_is_gone(folder: Path) -> None:
    file = put(folder, "a.png")

    def vanishing(item: Item) -> list[Answer]:
        file.unlink(missing_ok=True)
        return [reject(item, "GONE", retryable=True)]

    async with running(folder, vanishing) as rig:
        await rig.until_state(a__png="gone")
        rig.peer = uploading
        rig.put("a.png")
        await rig.until_state(a__png="done")


async def test_what_cannot_be_an_item_is_quarantined(folder: Path) -> None:
    put(folder, "folder/empty.png", b"")
    put(folder, "large.png", b"x" * 101)
    put(folder, "fine.png", b"x" * 100)
    os.mkfifo(folder / "share/fifo")
    with chdir(folder / "share"), socket(AF_UNIX) as listener:
        listener.bind("socket")
    (folder / "outside").mkdir()
    (folder / "outside/secret.png").write_bytes(b"secret")
    (folder / "share/link.png").symlink_to(folder / "outside/secret.png")
    (folder / "share/linked").symlink_to(folder / "outside")
    (folder / "share/processes").symlink_to("/proc")
    put(folder, os.fsdecode(b"caf\xe9.png"), b"coffee")
    async with running(folder, maxBytes=100, scanSeconds=5) as rig:
        await rig.until(lambda: len(rig.states()) == 7 and set(rig.states().values()) == {"done", "quarantined"})
        assert [item.path for item in rig.items] == ["fine.png"]
        codes = {path: rig.row(path)["code"] for path in rig.states()}
        assert codes == {
            "folder/empty.png": "EMPTY",
            "large.png": "TOO_LARGE",
            "fine.png": None,
            "link.png": "SYMLINK",
            "linked": "SYMLINK",
            "processes": "SYMLINK",
            "caf\\xe9.png": "BAD_NAME",
        }
        left_alone = rig.metrics.registry.get_sample_value
        await rig.until(lambda: left_alone("edge_ingest_left_alone") == 2, step=1)
    assert (folder / "outside/secret.png").read_bytes() == b"secret"
    assert {path for path in files(folder) if not path.startswith(".edge/")} == {"fine.png", "fifo", "socket"}
    assert len(list((folder / "share/.edge/quarantine").rglob("*.reason.json"))) == 6


async def test_an_empty_file_that_grows_is_taken_whole(folder: Path) -> None:
    async with running(folder, settleSeconds=1) as rig:
        file = rig.put("growing.png", b"")
        await rig.pass_time(2)
        file.write_bytes(b"x" * 50)
        await rig.until_state(growing__png="done")
        assert [item.size for item in rig.items] == [50]


async def test_many_names_of_one_file_are_an_item_each(folder: Path) -> None:
    first = put(folder, "a/first.png")
    (folder / "share/b").mkdir()
    for number in range(5):
        (folder / f"share/b/{number}.png").hardlink_to(first)
    async with running(folder) as rig:
        await rig.until(lambda: list(rig.states().values()) == ["done"] * 6)


async def test_a_file_that_changes_without_a_new_look_is_read_again(folder: Path) -> None:
    file = put(folder, "a.png", b"before")

    def changed(item: Item) -> list[Answer]:
        if item.sha256 == sha256(b"before").hexdigest():
            times = file.stat()
            file.write_bytes(b"after!")
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
            return [reject(item, "CHANGED")]
        return uploading(item)

    async with running(folder, changed) as rig:
        await rig.until(lambda: "done" in rig.states().values())
        assert rig.items[-1].sha256 == sha256(b"after!").hexdigest()


async def test_a_file_that_is_written_slowly_is_taken_once_and_whole(folder: Path) -> None:
    async with running(folder, settleSeconds=1) as rig:
        with (folder / "share/slow.png").open("wb") as file:
            for _ in range(30):
                file.write(b"x" * 10)
                file.flush()
                await rig.pass_time(0.5)
        await rig.until_state(slow__png="done")
        assert [item.size for item in rig.items] == [300]


async def test_a_file_renamed_into_place_is_taken_at_once(folder: Path) -> None:
    async with running(folder, settleSeconds=1000, scanSeconds=10_000) as rig:
        await rig.pass_time(1)
        await asyncio.to_thread(rig.put, "a.png.part")
        (folder / "share/a.png.part").rename(folder / "share/a.png")
        await rig.until(lambda: len(rig.items) == 1, step=0.01)
        assert rig.clock.monotonic() < 100


async def test_without_inotify_scans_find_everything(folder: Path) -> None:
    async with running(folder, watch="poll", scanSeconds=5) as rig:
        await rig.pass_time(1)
        rig.put("a.png")
        await rig.until_state(a__png="done")


async def test_temporary_names_are_left_alone_until_the_twin_says_otherwise(folder: Path) -> None:
    put(folder, "a.tmp")
    async with running(folder) as rig:
        for _ in range(10):
            await rig.pass_time(5)
        assert rig.states() == {}
        rig.hub.edit_twin({"exclude": []})
        await rig.until_state(a__tmp="done")


@pytest.mark.parametrize(
    ("retention", "left"),
    [
        ("keep", {"a/b.png"}),
        ("delete", set()),
        ("archive", {".edge/archive/2026-01-01/a/b.png"}),
    ],
)
async def test_retention(folder: Path, retention: str, left: set[str]) -> None:
    put(folder, "a/b.png")
    async with running(folder, retention=retention) as rig:
        await rig.until(lambda: rig.states() == {"a/b.png": "done"})
    assert files(folder) == left


async def test_nothing_is_removed_before_it_is_uploaded(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder, accepting, retention="delete") as rig:
        await rig.until_state(a__png="accepted")
        for _ in range(20):
            await rig.pass_time(10)
        assert file.exists()


async def test_a_settled_file_that_is_dropped_again_gets_retention_at_once(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder, retention="delete") as rig:
        await rig.until(lambda: not file.exists())
        await rig.until_state(a__png="done")
        rig.put("a.png")
        await rig.until(lambda: not file.exists())
        assert len(rig.items) == 1


async def test_kept_files_get_the_retention_that_is_set_later(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder) as rig:
        await rig.until_state(a__png="done")
        rig.hub.edit_twin({"retention": "delete"})
        await rig.until(lambda: not file.exists())
        assert len(rig.items) == 1


async def test_a_quarantined_file_that_is_put_back_is_tried_anew(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder, lambda item: [reject(item, "UNSUPPORTED")]) as rig:
        await rig.until_state(a__png="quarantined")
        rig.peer = uploading
        (folder / "share/.edge/quarantine/a.png").rename(file)
        await rig.until_state(a__png="done")
        assert [item.attempt for item in rig.items] == [1, 2]


async def test_what_was_being_retired_when_an_earlier_life_ended_is_finished(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder, retention="delete") as rig:
        await rig.until_state(a__png="done")
        item = rig.items[0].id
    file.write_bytes(b"data")
    retiring = folder / f"share/.edge/retiring/{item}"
    file.rename(retiring)
    stranger = put(folder, ".edge/retiring/stranger")
    async with running(folder, retention="delete") as rig:
        await rig.until(lambda: not retiring.exists())
    assert stranger.exists()


async def test_a_share_that_is_away_is_waited_for(folder: Path) -> None:
    share = folder / "share"
    share.rmdir()
    async with running(folder) as rig:
        for _ in range(10):
            await rig.pass_time(5)
        share.mkdir()
        rig.put("a.png")
        await rig.until_state(a__png="done")
        share.rename(folder / "elsewhere")
        for _ in range(10):
            await rig.pass_time(5)
        share.mkdir()
        rig.put("b.png")
        await rig.until_state(b__png="done")
        # The watch is on the new root.
        rig.hub.edit_twin({"scanSeconds": 10_000})
        await rig.pass_time(1)
        began = rig.clock.monotonic()
        rig.put("c.png")
        await rig.until_state(c__png="done")
        assert rig.clock.monotonic() < began + 1000


async def test_known_files_are_not_read_again_after_a_restart(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder) as rig:
        await rig.until_state(a__png="done")
    accessed = file.stat().st_atime_ns
    os.utime(file, ns=(0, file.stat().st_mtime_ns))
    async with running(folder, scanSeconds=1) as rig:
        for _ in range(20):
            await rig.pass_time(1)
        assert rig.items == []
    assert file.stat().st_atime_ns == 0 < accessed


async def test_malformed_messages_are_counted_and_dropped(folder: Path) -> None:
    async with running(folder) as rig:
        rig.hub.deliver("receipts", b"not JSON")
        rig.hub.deliver("rejects", b'{"schema": 99}')
        counted = rig.metrics.registry.get_sample_value
        await rig.until(lambda: counted("edge_messages_malformed_total", {"input": "rejects"}) == 1)
        assert counted("edge_messages_malformed_total", {"input": "receipts"}) == 1


async def test_twenty_thousand_files_need_little_memory(folder: Path) -> None:
    first = put(folder, "0/0.png")
    for number in range(1, 20_000):
        parent = folder / f"share/{number // 1000}"
        parent.mkdir(exist_ok=True)
        (parent / f"{number}.png").hardlink_to(first)
    async with running(folder, silent, settleSeconds=0, watch="poll") as rig:
        rig.deaf = True
        await rig.until(lambda: "ledger" in rig.hub.reported, step=0)
        tracemalloc.start()
        try:
            await rig.until(lambda: rig.hub.reported["ledger"]["items"]["ready"] > 19_700, step=1)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 8_000_000
