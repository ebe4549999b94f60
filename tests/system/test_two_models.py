"""Two models on one device: each gets the files of its kind, and no others."""

import asyncio
from collections import Counter
from hashlib import sha256
from itertools import chain
from pathlib import Path

import pytest

from edge_examples.catalogue import EXAMPLES
from edge_examples.packages import prepare
from edge_examples.verdict import collect, judge
from support.suite import Plant, kill

pytestmark = pytest.mark.system

TEMPLATE = Path("deployment.two-models.template.json")
MODULES = {"digits": "inference", "telecom": "inference-tables"}
FILES = 40


@pytest.mark.timeout(600)
@pytest.mark.parametrize("killed", [None, "inference-tables", "transform"])
async def test_two_examples_at_once(tmp_path: Path, killed: str | None) -> None:
    plant = Plant.build(tmp_path, FILES)
    folders = plant.folders
    packed = {name: prepare(EXAMPLES[name], folders.models, folders.trust) for name in MODULES}
    files = {name: EXAMPLES[name].drops(FILES) for name in MODULES}
    drops = sorted(chain(*files.values()), key=lambda drop: sha256(drop.path.encode()).digest())
    async with plant.running(manifest=TEMPLATE) as suite:
        await suite.edit_twin("ingest", {"leaseSeconds": 5})
        for name, module in MODULES.items():
            await suite.swap(packed[name][0].desired(), module)
        closed = await plant.feed(drops[: len(drops) // 2])
        if killed:
            await kill(suite, killed)
        async with asyncio.TaskGroup() as swaps:
            for name, module in MODULES.items():
                swaps.create_task(suite.swap(packed[name][1].desired(), module))
            closed |= await plant.feed(drops[len(drops) // 2 :])
        counts = await suite.until_settled(len(drops))
    settled = counts.get("uploaded", 0) + counts.get("done", 0)
    evidence = collect(folders.share, folders.cloud, settled, ("model_name",))
    verdict = judge(drops, closed, evidence, lambda *_: True)
    assert verdict.clean, verdict.wrong
    models = {record["path"]: record["model_name"] for record in evidence.records}
    assert Counter(models.values()) == dict.fromkeys(MODULES, FILES)
    for name, some in files.items():
        assert {models[drop.path] for drop in some if not drop.code} == {name}
