"""Items of many samples: batch after batch, few at a time, and whole or not at all."""

from pathlib import Path

import numpy as np
import pytest

from edge_common.messages import Part, ReceiptStatus
from edge_common.tensors import HEADER_BYTES, TensorReader
from edge_transform.post import parts_of
from edge_transform.tables import Block
from edge_transform.transform import MOST_BATCHES
from support import tables
from unit.transform.pictures import drop, item_of, png
from unit.transform.rig import LEASE, Rig, running

CONTRACT = tables.contract(batch=100).input
LOADS = tables.loads(2550)


def count(rig: Rig, outcome: str) -> float | None:
    return rig.metrics.registry.get_sample_value("edge_transform_items_total", {"outcome": outcome})


@pytest.mark.parametrize(("rows", "last"), [(1, True), (64, False), (65, True), (1000, False)])
def test_parts_cover_a_batch_in_order(rows: int, *, last: bool) -> None:
    parts = parts_of(item_of(b""), 5, rows, last=last)
    assert [part.part for part in parts] == list(range(5, 5 + len(parts)))
    assert [part.first for part in parts] == [sum(before.rows for before in parts[:n]) for n in range(len(parts))]
    assert sum(part.rows for part in parts) == rows
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [last]


async def test_a_table_becomes_batches_whose_receipts_let_the_next_in(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce(CONTRACT)
        item = drop(rig.share, tables.csv(LOADS), "loads.csv")
        rig.send(item)
        rows: list[Block] = []
        parts: list[Part] = []
        for number in range(26):
            message = (await rig.batches(number + 1))[number]
            assert len(rig.stored()) <= MOST_BATCHES
            rows.append(np.array(TensorReader(rig.store).read(message.batch)))
            parts += message.parts
            rig.confirm(message, ReceiptStatus.PART)
    np.testing.assert_array_equal(np.concatenate(rows)[:, 0], LOADS.astype(np.float32))
    assert [(part.item, part.part) for part in parts] == [(item, number) for number in range(len(parts))]
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
    assert count(rig, "ok") == 1


async def test_no_more_is_read_than_is_taken(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce(CONTRACT)
        rig.send(drop(rig.share, tables.csv(LOADS), "loads.csv"))
        await rig.batches(MOST_BATCHES)
        await rig.clock.advance(LEASE - 1)
        assert len(await rig.batches(MOST_BATCHES)) == MOST_BATCHES


async def test_a_file_that_changes_while_it_is_read_never_becomes_whole(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce(CONTRACT)
        item = drop(rig.share, tables.csv(LOADS), "loads.csv")
        rig.send(item)
        seen = await rig.batches(MOST_BATCHES)
        with (rig.share / item.path).open("r+b") as file:
            file.seek(-3, 2)
            file.write(b"x")
        while rig.hub.sent[-1].output != "rejects":
            for message in seen:
                rig.confirm(message, ReceiptStatus.PART)
            await rig.clock.advance(0.1)
            seen = await rig.batches(MOST_BATCHES)
        assert [reject.code for reject in await rig.rejects()] == ["CHANGED"]
        assert not any(part.last for message in seen for part in message.parts)


async def test_tables_and_what_is_none_side_by_side(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce(CONTRACT)
        rig.send(*(drop(rig.share, content, path) for path, content in (("a.png", png()), ("b.csv", b"x\n1\n"))))
        rig.send(drop(rig.share, tables.json_lines(LOADS[:3]), "c.jsonl"))
        [message] = await rig.batches(1)
        assert [part.item.path for part in message.parts] == ["c.jsonl"]
        assert {reject.code for reject in await rig.rejects(2)} == {"UNSUPPORTED", "WRONG_COLUMNS"}


async def test_batches_are_no_larger_than_the_store(tmp_path: Path) -> None:
    async with running(tmp_path, storeBudgetBytes=30 * 2 * 4 + HEADER_BYTES) as rig:
        rig.announce(CONTRACT)
        rig.send(drop(rig.share, tables.csv(LOADS[:40]), "loads.csv"))
        [first] = await rig.batches(1)
        rig.confirm(first, ReceiptStatus.PART)
        [_, second] = await rig.batches(2)
        assert [part.rows for part in (*first.parts, *second.parts)] == [30, 10]
