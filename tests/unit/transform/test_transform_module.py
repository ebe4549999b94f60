"""The module as a whole, on a hub whose other side is the test."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_common.messages import MAX_BODY_BYTES, ContractMessage, Frame, ReceiptStatus
from edge_common.tensors import HEADER_BYTES, TensorReader
from edge_transform.apart import COMMAND
from edge_transform.prepare import prepare, prepare_into
from edge_transform.workshop import Decoding
from unit.transform.pictures import COLOUR, LUMA, PIXELS, drop, png
from unit.transform.rig import LEASE, running

ONE_ROW = 4 * 8 * 8 + HEADER_BYTES
TWO_ROWS = 2 * 4 * 8 * 8 + HEADER_BYTES
CONFIGURED = LUMA.model_dump(mode="json", by_alias=True)


async def test_items_become_a_batch_that_names_their_rows(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        contents = [png(seed) for seed in range(3)]
        items = [drop(rig.share, content, f"a/{n}.png") for n, content in enumerate(contents)]
        rig.send(*items)
        [message] = await rig.batches(1)
        assert [(part.item, part.first, part.rows, part.last) for part in message.parts] == [
            (item, n, 1, True) for n, item in enumerate(items)
        ]
        assert message.stamp == LUMA.stamp
        assert rig.hub.sent[-1].properties == {"kind": "tensors", "stamp": LUMA.stamp}
        rows = TensorReader(rig.store).read(message.batch)
        np.testing.assert_array_equal(rows, np.stack([prepare(content, LUMA) for content in contents]))


async def test_pixels_that_stay_as_they_are_take_a_quarter_of_the_store(tmp_path: Path) -> None:
    row = PIXELS.sample_shape[0] * PIXELS.sample_shape[1] * PIXELS.sample_shape[2]
    async with running(tmp_path, storeBudgetBytes=2 * row + HEADER_BYTES) as rig:
        rig.announce(PIXELS)
        contents = [png(seed) for seed in range(2)]
        rig.send(*(drop(rig.share, content, f"{n}.png") for n, content in enumerate(contents)))
        [message] = await rig.batches(1)
        rows = TensorReader(rig.store).read(message.batch)
        assert rows.dtype == np.uint8
        np.testing.assert_array_equal(rows, np.stack([prepare(content, PIXELS) for content in contents]))


async def test_a_full_batch_waits_for_no_clock(tmp_path: Path) -> None:
    async with running(tmp_path, batchSeconds=60) as rig:
        rig.announce()
        rig.send(*(drop(rig.share, png(n), f"{n}.png") for n in range(LUMA.batch)))
        [message] = await rig.batches(1)
        assert len(message.parts) == LUMA.batch


async def test_an_item_waits_for_others_only_while_a_batch_is_in_hand(tmp_path: Path) -> None:
    contents, go = [png(n) for n in range(3)], threading.Event()

    def held(content: bytes, *given: Any) -> Frame:
        assert content != contents[0] or go.wait(60)
        return prepare_into(content, *given)

    async with running(tmp_path, Decoding(here=held), batchSeconds=0.02, contract=CONFIGURED) as rig:
        items = [drop(rig.share, content, f"{n}.png") for n, content in enumerate(contents)]
        rig.send(items[0])
        await rig.clock.advance(0)
        rig.send(items[1])
        await rig.clock.advance(0.019)
        rig.send(items[2])
        await rig.clock.advance(0.002)
        [together] = await rig.batches(1)
        go.set()
        _, alone = await rig.batches(2)
        assert [[part.item for part in message.parts] for message in (alone, together)] == [items[:1], items[1:]]


async def test_what_waits_for_others_goes_once_nothing_is_in_hand_any_more(tmp_path: Path) -> None:
    go = threading.Event()

    def held(*given: Any) -> Frame:
        assert go.wait(60)
        return prepare_into(*given)

    async with running(tmp_path, Decoding(here=held), batchSeconds=60, contract=CONFIGURED) as rig:
        for number in range(2):
            rig.send(drop(rig.share, png(number), f"{number}.png"))
            await rig.clock.advance(0)
        go.set()
        assert len(await rig.batches(2)) == 2


async def test_one_bad_file_leaves_the_batch_and_the_others_go_on(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        good = [drop(rig.share, png(n), f"{n}.png") for n in range(3)]
        bad = drop(rig.share, b"just text", "text.png")
        rig.send(good[0], bad, *good[1:])
        [message] = await rig.batches(1)
        assert [(part.item, part.first) for part in message.parts] == list(zip(good, range(3), strict=True))
        rows = TensorReader(rig.store).read(message.batch)
        np.testing.assert_array_equal(rows, np.stack([prepare(png(n), LUMA) for n in range(3)]))
        [reject] = await rig.rejects()
        assert (reject.id, reject.attempt, reject.stage) == (bad.id, 1, "transform")
        assert (reject.code, reject.retryable) == ("UNSUPPORTED", False)
        assert "text/plain" in reject.message


async def test_without_a_contract_items_are_put_off(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.send(drop(rig.share, png()))
        [reject] = await rig.rejects()
        assert (reject.code, reject.retryable) == ("NO_CONTRACT", True)


async def test_the_contract_of_the_twin_serves_until_one_is_announced(tmp_path: Path) -> None:
    async with running(tmp_path, contract=COLOUR.model_dump(mode="json", by_alias=True)) as rig:
        item = drop(rig.share, png())
        rig.send(item)
        assert [message.stamp for message in await rig.batches(1)] == [COLOUR.stamp]
        rig.announce()
        rig.send(item)
        assert [message.stamp for message in await rig.batches(2)] == [COLOUR.stamp, LUMA.stamp]


async def test_the_announced_contract_outlives_the_module(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        rig.send(drop(rig.share, png()))
        await rig.batches(1)
    async with running(tmp_path, contract=COLOUR.model_dump(mode="json", by_alias=True)) as rig:
        rig.send(drop(rig.share, png()))
        assert [message.stamp for message in await rig.batches(1)] == [LUMA.stamp]


async def test_a_contract_that_is_not_its_stamp_is_malformed(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.hub.deliver("contract", ContractMessage(stamp=COLOUR.stamp, input=LUMA).encode())
        rig.send(drop(rig.share, png()))
        assert (await rig.rejects())[0].code == "NO_CONTRACT"
        assert rig.metrics.registry.get_sample_value("edge_messages_malformed_total", {"input": "contract"}) == 1


async def test_a_changed_file_is_rejected_for_ingest_to_look_again(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        item = drop(rig.share, png(1))
        drop(rig.share, png(2))
        rig.send(item)
        [reject] = await rig.rejects()
        assert (reject.code, reject.retryable) == ("CHANGED", False)


@pytest.mark.parametrize("status", [ReceiptStatus.PART, ReceiptStatus.ACCEPTED, ReceiptStatus.UPLOADED])
async def test_a_batch_leaves_the_store_on_its_receipts(tmp_path: Path, status: ReceiptStatus) -> None:
    async with running(tmp_path, storeBudgetBytes=TWO_ROWS) as rig:
        rig.announce()
        items = [drop(rig.share, png(n), f"{n}.png") for n in range(4)]
        rig.send(*items)
        [first] = await rig.batches(1)
        assert rig.stored() == {first.batch}
        rig.confirm(first, status)
        [first, second] = await rig.batches(2)
        assert rig.stored() == {second.batch}
        assert {part.item for part in (*first.parts, *second.parts)} == set(items)


async def test_a_batch_without_receipts_leaves_after_lease_and_grace(tmp_path: Path) -> None:
    async with running(tmp_path, graceSeconds=10, storeBudgetBytes=ONE_ROW) as rig:
        rig.announce()
        rig.send(drop(rig.share, png(1), "1.png"))
        [first] = await rig.batches(1)
        await rig.clock.advance(LEASE + 9)
        rig.send(drop(rig.share, png(2), "2.png"))
        assert rig.stored() == {first.batch}
        await rig.clock.advance(2)
        [_, second] = await rig.batches(2)
        assert rig.stored() == {second.batch}


async def test_a_full_store_holds_batches_back_until_receipts_make_room(tmp_path: Path) -> None:
    async with running(tmp_path, storeBudgetBytes=ONE_ROW) as rig:
        rig.announce()
        items = [drop(rig.share, png(n), f"{n}.png") for n in range(5)]
        rig.send(*items)
        for count in range(1, 6):
            messages = await rig.batches(count)
            assert len(messages) == count
            assert rig.stored() == {messages[-1].batch}
            rig.confirm(messages[-1])
        assert {part.item for message in messages for part in message.parts} == set(items)


async def test_what_waited_longer_than_its_lease_is_dropped(tmp_path: Path) -> None:
    async with running(tmp_path, storeBudgetBytes=ONE_ROW, graceSeconds=3600) as rig:
        rig.announce()
        items = [drop(rig.share, png(n), f"{n}.png") for n in range(40)]
        rig.send(*items)
        [first] = await rig.batches(1)
        await rig.clock.advance(LEASE + 1)
        rig.confirm(first)
        again = items[7].model_copy(update={"attempt": 2})
        rig.send(again)
        messages = await rig.batches(2)
        assert {part.item for part in messages[-1].parts} == {again}


async def test_a_suspect_whose_own_process_outlasts_its_lease_is_delivered(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    held = Decoding(apart=("sh", "-c", f"read line < {gate}; exec {' '.join(COMMAND)}"))
    async with running(tmp_path, held) as rig:
        rig.announce()
        item = drop(rig.share, png(1), "1.png")
        rig.send(item, alone=True)
        with await asyncio.to_thread(gate.open, "w") as opened:  # once the process waits for it
            await rig.clock.advance(LEASE + 1)
            opened.write("go\n")
        [message] = await rig.batches(1)
        assert [part.item for part in message.parts] == [item]
        assert rig.stored() == {message.batch}


async def test_a_sample_over_the_budget_is_rejected_until_an_operator_mends_it(tmp_path: Path) -> None:
    async with running(tmp_path, storeBudgetBytes=ONE_ROW - 1) as rig:
        rig.announce()
        item = drop(rig.share, png())
        rig.send(item)
        [reject] = await rig.rejects()
        assert (reject.code, reject.retryable) == ("TOO_LARGE", True)
        rig.hub.edit_twin({"storeBudgetBytes": ONE_ROW})
        await rig.hub.until_reported("config.version", 2)
        rig.send(item)
        assert len(await rig.batches(1)) == 1


async def test_what_an_earlier_run_left_is_counted_and_removed_in_time(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        rig.send(drop(rig.share, png()))
        [message] = await rig.batches(1)
    async with running(tmp_path, orphanSeconds=120, storeBudgetBytes=ONE_ROW) as rig:
        assert rig.metrics.registry.get_sample_value("edge_transform_store_bytes") == ONE_ROW
        await rig.clock.advance(119)
        rig.send(drop(rig.share, png()))
        assert rig.stored() == {message.batch}
        await rig.clock.advance(2)
        [successor] = await rig.batches(1)
        assert rig.stored() == {successor.batch}


async def test_batches_are_cut_to_what_one_message_can_name(tmp_path: Path) -> None:
    wanted = LUMA.model_copy(update={"batch": 64})
    async with running(tmp_path) as rig:
        rig.announce(wanted)
        items = [drop(rig.share, png(n), f"{'long/' * 400}{n}.png") for n in range(64)]
        rig.send(*items)
        messages = await rig.batches(3)
        assert {part.item for message in messages for part in message.parts} == set(items)
        assert all(len(sent.body) <= MAX_BODY_BYTES for sent in rig.hub.sent)


async def test_what_is_in_hand_is_finished_when_the_module_stops(tmp_path: Path) -> None:
    async with running(tmp_path, batchSeconds=0.02, contract=CONFIGURED) as rig:
        rig.send(drop(rig.share, png()))
        await rig.clock.advance(0.02)
    assert len(await rig.batches(1)) == 1


async def test_a_full_store_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with running(tmp_path, storeBudgetBytes=ONE_ROW) as rig:
        rig.announce()
        rig.send(*(drop(rig.share, png(n), f"{n}.png") for n in range(9)))
        await rig.batches(1)
    assert len(await rig.batches(1)) == 1


async def test_outcomes_are_counted(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        rig.send(drop(rig.share, png(), "1.png"), drop(rig.share, b"", "2.png"))
        await rig.batches(1)

        def count(outcome: str) -> float | None:
            return rig.metrics.registry.get_sample_value("edge_transform_items_total", {"outcome": outcome})

        assert (count("ok"), count("EMPTY")) == (1, 1)
