"""The whole module on a fake hub."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_common.messages import Part, Receipt, ReceiptStatus
from support.upload import MODEL, STAMP, Bench, inquiry, item, predicted, predictions, stored, table, tensors


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def answered(bench: Bench, count: int) -> tuple[Sequence[Receipt], Sequence[Receipt]]:
    """Wait until so many items have been answered; who was accepted, and who was deferred."""
    while True:
        accepted = await bench.receipts(ReceiptStatus.ACCEPTED, 0)
        deferred = await bench.receipts(ReceiptStatus.DEFERRED, 0)
        if len(accepted) + len(deferred) >= count:
            return accepted, deferred
        await asyncio.sleep(0.01)


async def test_a_result_is_accepted_and_then_uploaded(bench: Bench) -> None:
    one = item("one")
    async with bench.running() as hub:
        hub.deliver("records", predictions(predicted(one)))
        accepted = await bench.receipts(ReceiptStatus.ACCEPTED)
        uploaded = await bench.receipts(ReceiptStatus.UPLOADED)

    assert [(one.id, 1, 0, MODEL.digest)] == [(r.id, r.attempt, r.part, r.model) for r in accepted]
    assert [(one.id, 1, None, "appliance")] == [(r.id, r.attempt, r.part, r.durable) for r in uploaded]
    (file,) = bench.cloud.glob("records/**/*.parquet")
    assert str(file.parent.relative_to(bench.cloud)) == "records/device=edge%207/date=2026-01-01"
    (row,) = stored(bench.cloud)
    assert row.pop("stored_at").year > 2000
    assert row == {
        "id": one.id,
        "path": "in/one.png",
        "captured": one.captured,
        "content_sha256": one.sha256,
        "generation": 0,
        "attempt": 1,
        "part": 0,
        "row": 0,
        "kind": "classification",
        "model_name": "digits",
        "model_version": "1",
        "model_digest": MODEL.digest,
        "contract_stamp": STAMP,
        "sampled": [],
        "label": "in/one.png/0",
        "score": 0.75,
    }


async def test_features_come_from_the_tensor_store(bench: Bench) -> None:
    rows = np.arange(24, dtype=np.float32).reshape(4, 1, 2, 3)
    bench.batch("b", rows)
    one, two = item("one"), item("two")
    async with bench.running(features=True) as hub:
        hub.deliver("records", predictions(predicted(two, first=2, rows=2), predicted(one, first=1)))
        await bench.receipts(ReceiptStatus.UPLOADED, 2)

    assert [row["label"] for row in stored(bench.cloud / "records")] == ["in/two.png/0"] * 2 + ["in/one.png/0"]
    (file,) = bench.cloud.glob("features/**/*.parquet")
    shard = table(file)
    features: Any = shard["features"].combine_chunks()
    assert shard["id"].to_pylist() == [two.id, two.id, one.id]
    np.testing.assert_array_equal(features.to_numpy_ndarray(), rows[[2, 3, 1]])


async def test_a_device_without_a_model_collects(bench: Bench) -> None:
    bench.batch("b", np.full((1, 3), 7, np.uint8))
    async with bench.running() as hub:
        hub.deliver("records", tensors(Part(item=item("one"), first=0, rows=1)), {"kind": "tensors"})
        (receipt,) = await bench.receipts(ReceiptStatus.UPLOADED)

    assert receipt.model is None
    (row,) = stored(bench.cloud)
    assert (row["kind"], row["model_digest"], row["features"]) == ("tensors", None, [7, 7, 7])


async def test_a_batch_that_has_gone_rejects_its_items_only(bench: Bench) -> None:
    bench.batch("here", np.zeros((1, 3), np.float32))
    async with bench.running(features=True) as hub:
        hub.deliver("records", predictions(predicted(item("one")), batch="gone"))
        hub.deliver("records", predictions(predicted(item("two")), batch="here"))
        (accepted,) = await bench.receipts(ReceiptStatus.ACCEPTED)
        rejects = await bench.rejects()

    assert accepted.id == item("two").id
    assert [(r.id, r.code, r.retryable, r.stage) for r in rejects.values()] == [
        (item("one").id, "BATCH_GONE", True, "upload")
    ]


async def test_inquiries_are_answered_and_settled_items_stay_known_for_a_while(bench: Bench) -> None:
    one, never = item("one"), item("never", attempt=4)
    async with bench.running() as hub:
        hub.deliver("records", predictions(predicted(one)))
        await bench.receipts(ReceiptStatus.UPLOADED)
        hub.deliver("inquiries", inquiry(ask=[item("one", attempt=3), never]))
        (unknown,) = await bench.receipts(ReceiptStatus.UNKNOWN)
        uploaded = await bench.receipts(ReceiptStatus.UPLOADED, 2)
        hub.deliver("inquiries", inquiry(settled=[one]))
        hub.deliver("records", predictions(predicted(item("one", attempt=2))))
        late = (await bench.receipts(ReceiptStatus.UPLOADED, 3))[-1]

    assert (unknown.id, unknown.attempt) == (never.id, 4)
    assert (uploaded[1].attempt, uploaded[1].model, uploaded[1].durable) == (3, MODEL.digest, "appliance")
    assert (late.attempt, late.part) == (2, 0)
    assert len(stored(bench.cloud)) == 1


async def test_a_full_spool_defers_until_there_is_room(bench: Bench) -> None:
    names = [f"item-{number}" for number in range(120)]
    async with bench.running(spoolBudgetBytes=1 << 16, shardSeconds=3600) as hub:
        for name in names:
            hub.deliver("records", predictions(predicted(item(name))))
        accepted, deferred = await answered(bench, len(names))
        assert 0 < len(accepted) < len(names)

        hub.edit_twin({"shardSeconds": 0.01})
        await bench.receipts(ReceiptStatus.UPLOADED, len(accepted))
        missing = {receipt.id for receipt in deferred}
        for name in names:
            if item(name).id in missing:
                hub.deliver("records", predictions(predicted(item(name, attempt=2))))
        await bench.receipts(ReceiptStatus.UPLOADED, len(names))

    assert sorted(row["id"] for row in stored(bench.cloud)) == sorted(item(name).id for name in names)


async def test_what_was_accepted_before_a_restart_is_uploaded_after_it(bench: Bench) -> None:
    async with bench.running(shardSeconds=3600) as hub:
        hub.deliver("records", predictions(predicted(item("one"))))
        await bench.receipts(ReceiptStatus.ACCEPTED)
    assert stored(bench.cloud) == []

    async with bench.running(shardSeconds=3600):
        (receipt,) = await bench.receipts(ReceiptStatus.UPLOADED)

    assert receipt.id == item("one").id
    assert len(stored(bench.cloud)) == 1
