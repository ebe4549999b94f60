"""``edge-verify`` on what the whole suite has stored."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_examples.digits import drops as digits
from edge_examples.suite import Suite
from support.suite import Plant, kill

pytestmark = pytest.mark.system


def verify(store: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    command = Path(sys.executable).with_name("edge-verify")
    done = subprocess.run(
        [command, "--store", store, "--json", *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


async def until_told(suite: Suite, store: Path, items: int) -> None:
    """Wait until the ledger in the store has the end of so many items."""
    told = 0
    while told < items:
        await suite.pause()
        _, lines = verify(store)
        told = sum(line["done"] + line["quarantined"] for line in lines if line["type"] == "day")


async def test_what_a_run_has_stored_is_what_its_ledger_says(tmp_path: Path) -> None:
    plant = Plant.build(tmp_path, 40)
    bad = digits.bad(next(drop for drop in plant.drops if drop.path.endswith(".jpg")))
    store = plant.folders.cloud
    async with plant.running() as suite:
        await suite.edit_twin("upload", {"shardSeconds": 0.5})
        await suite.edit_twin("ingest", {"leaseSeconds": 2})
        await suite.swap(plant.models[0].desired())
        await plant.feed([*plant.drops[:20], *bad])
        await kill(suite, "ingest")
        await kill(suite, "upload")
        await plant.feed(plant.drops[20:])
        await suite.until_settled(len(plant.drops) + len(bad))
        await until_told(suite, store, len(plant.drops) + len(bad))
    status, lines = verify(store, "--deep")
    summary = lines[-1]
    assert (status, summary["clean"], summary["pending"]) == (0, True, 0), lines
    assert summary["quarantined"] == len(bad)
    assert sum(line["done"] for line in lines if line["type"] == "day") == len(plant.drops)

    path = plant.drops[0].path
    status, (traced,) = verify(store, "trace", path)
    assert (status, traced["path"]) == (0, path)
    assert {"seen", "sent", "accepted", "stored", "done"} <= {event["event"] for event in traced["events"]}
    held = next(event for event in traced["events"] if event["event"] == "stored")
    (store / held["object"]).unlink()
    status, lines = verify(store)
    assert (status, lines[-1]["missing"]) == (1, 1)
