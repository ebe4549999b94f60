"""Each example's own route to IoT Hub: what it asks for comes there, and nothing else."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from edge_common.messages import PredictionsMessage
from edge_examples.catalogue import EXAMPLES
from edge_examples.deployment import deployment
from edge_examples.drops import deliver
from edge_examples.packages import prepare
from edge_examples.suite import Folders, running
from edge_simulator.control.client import ControlClient

pytestmark = pytest.mark.system

FILES = 15
KINDS = {"anomaly", "classification", "detection"}


async def listen(events: AsyncIterator[dict[str, Any]], paths: set[str]) -> None:
    """Note which files' predictions reach IoT Hub, until cancelled."""
    async for event in events:
        if event["kind"] == "message" and event["properties"].get("kind") in KINDS:
            parts = PredictionsMessage.decode(base64.b64decode(event["body"])).parts
            paths |= {part.item.path for part in parts}


@pytest.mark.parametrize("name", ["telecom", "sound", "detection"])
async def test_only_what_the_route_asks_for_is_sent(name: str, tmp_path: Path) -> None:
    example, folders = EXAMPLES[name], Folders(tmp_path / "run", tmp_path / "models")
    packed = prepare(example, folders.models, folders.trust)
    manifest = deployment(example, tmp_path / "deployment")
    drops = example.drops(FILES)
    told: set[str] = set()
    async with (
        running(folders, manifest=manifest) as suite,
        ControlClient.connect(folders.state) as control,
        control.events() as events,
        asyncio.TaskGroup() as tasks,
    ):
        listening = tasks.create_task(listen(events, told))
        await suite.swap(packed[1].desired())
        for drop in drops:
            await asyncio.to_thread(deliver, drop, folders.share)
        await suite.until_settled(len(drops))
        table = ds.dataset(sorted(folders.cloud.glob("records/**/*.parquet"))).to_table(columns=["path", "alert"])
        alerts = {row["path"] for row in table.to_pylist() if row["alert"]}
        while not told >= alerts:  # they come by another way than what settles a file
            await suite.pause()
        listening.cancel()
    assert told == alerts
    assert len(alerts) > 0
