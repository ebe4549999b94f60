"""The module as a whole: real files, a real ledger, and a hub whose other side is the test."""

from pathlib import Path

from edge_common.messages import ItemsMessage, ReceiptStatus
from unit.ingest.rig import MARK, accepting, files, put, receipt, running, silent


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
        kinds = {(message.output, message.properties["kind"]) for message in rig.hub.sent}
        assert kinds - {("history", "history")} == {("items", "items")}
    dropped = {"before.png", "deep/down/before.png", "after.png", "new/folder/after.png"}
    assert files(folder) == {*dropped, MARK}


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


async def test_malformed_messages_are_counted_and_dropped(folder: Path) -> None:
    async with running(folder) as rig:
        rig.hub.deliver("receipts", b"not JSON")
        rig.hub.deliver("rejects", b'{"schema": 99}')
        counted = rig.metrics.registry.get_sample_value
        await rig.until(lambda: counted("edge_messages_malformed_total", {"input": "rejects"}) == 1)
        assert counted("edge_messages_malformed_total", {"input": "receipts"}) == 1
