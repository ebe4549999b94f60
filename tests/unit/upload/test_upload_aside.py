"""What cannot be stored is set aside with a reason, and the rest goes on."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_common.messages import ReceiptStatus
from edge_upload.database import Database
from support.upload import Bench, HurriedClock, far_window, inquiry, item, kept, predicted, predictions, stored


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def accepted(bench: Bench, *names: str, **settings: Any) -> None:
    """Have items accepted and not yet stored."""
    async with bench.running(shardSeconds=3600, uploadWindows=[far_window()], **settings) as hub:
        hub.deliver("records", predictions(*(predicted(kept(bench.share, item(name))) for name in names)))
        await bench.receipts(ReceiptStatus.ACCEPTED, len(names))


def damage(bench: Bench, update: str, cargo: str) -> None:
    """Damage what is kept of the first item."""
    with closing(Database(bench.state / "spool.db")) as database:
        first = database.execute("SELECT MIN(number) FROM parts WHERE cargo = ?", [cargo]).fetchone()
        database.execute(update, first)


@pytest.mark.parametrize(
    ("update", "cargo", "reason"),
    [
        ("UPDATE records SET record = '{' WHERE number = ?", "results", "damaged"),
        ("UPDATE records SET record = replace(record, '0.75', '\"high\"') WHERE number = ?", "results", "high"),
        (
            "UPDATE records SET record = replace(record, '\"rows\":1', '\"rows\":2') WHERE number = ?",
            "results",
            "length",
        ),
        ("UPDATE records SET features = x'00' WHERE number = ?", "features", "buffer"),
        ("UPDATE records SET record = '{}' WHERE number = ?", "original", "damaged"),
    ],
)
async def test_a_damaged_part_stops_neither_the_others_nor_the_module(
    bench: Bench, update: str, cargo: str, reason: str
) -> None:
    bench.batch("b", np.ones((1, 4), np.float32))
    await accepted(bench, "one", "two", originals="all", features="all")
    damage(bench, update, cargo)
    bench.clock = HurriedClock()
    async with bench.running(originals="all", features="all") as hub:
        await bench.uploaded([item("two")])
        await hub.until_reported("spool.aside", 1)
        await hub.until_reported("spool.items", 1)
        assert reason in hub.reported["spool"]["errors"]["aside"]
        hub.deliver("inquiries", inquiry(ask=[item("one")]))
        (receipt,) = await bench.receipts(ReceiptStatus.ACCEPTED)
        assert receipt.id == item("one").id
    assert item("two").id in {row["id"] for row in stored(bench.cloud / "records")}
