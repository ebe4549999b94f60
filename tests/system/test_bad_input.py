"""The whole suite among files, and messages, that nobody would wish on it."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from corpus import CASES
from corpus.draw import jpeg
from edge_examples.drops import Drop
from edge_examples.suite import Suite
from support import fragile
from support.modules import KINDS, as_json
from support.spoil import wrecks
from support.suite import Plant, quarantined, template_with

pytestmark = pytest.mark.system

GOOD = 60
USER = '"User": "10002:10000",'
"""What the template says of transform alone."""
MOST_MB = 512
"""What a module may have taken at its peak; in the deployment, transform's limit is six times that."""


async def processes(suite: Suite) -> list[int | None]:
    return [await suite.process_of(module) for module in ("ingest", "transform", "inference", "upload")]


def peak_mb(process: int | None) -> int:
    """The most memory that a process has had."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024


async def test_the_corpus_ends_as_it_should_and_harms_nobody(tmp_path: Path) -> None:
    good = Plant.build(tmp_path, GOOD)
    odd = [Drop(case.name, case.build(), truth=(None,) * case.pictures, code=case.code) for case in CASES]
    plant = good.with_drops([*good.drops, *odd])
    async with plant.running() as suite:
        await suite.swap(plant.models[0].desired())
        before = await processes(suite)
        closed = await plant.feed(plant.drops)
        counts = await suite.until_settled(len(plant.drops))
        assert await processes(suite) == before, "a module was started again"
        assert max(map(peak_mb, before)) < MOST_MB
    verdict = plant.verdict(closed, counts)
    assert verdict.clean, verdict.wrong
    told = quarantined(plant.folders.share)
    assert all(f"this is {case.found};" in told[case.name][1] for case in CASES if case.found)


async def test_messages_that_nobody_can_read_harm_nobody(tmp_path: Path) -> None:
    plant = Plant.build(tmp_path, GOOD)
    async with plant.running() as suite:
        await suite.swap(plant.models[0].desired())
        before = await processes(suite)
        async with asyncio.TaskGroup() as tasks:
            feeding = tasks.create_task(plant.feed(plant.drops))
            for module, kind in KINDS.items():
                for name, valid in kind.inputs.items():
                    for body in wrecks(as_json(valid)):
                        await suite.send(module, name, body)
        counts = await suite.until_settled(len(plant.drops))
        assert await processes(suite) == before, "a module was started again"
    verdict = plant.verdict(feeding.result(), counts)
    assert verdict.clean, verdict.wrong


@pytest.mark.timeout(600)
async def test_files_that_bring_down_their_decoder_bring_down_no_other(tmp_path: Path) -> None:
    good = Plant.build(tmp_path, GOOD)
    bad = [
        Drop("bad/crash.jpg", jpeg(comment=fragile.CRASH), code="DECODER_CRASHED"),
        Drop("bad/hang.jpg", jpeg(comment=fragile.HANG), code="DECODE_TIMEOUT"),
    ]
    plant = good.with_drops([*good.drops[: GOOD // 2], *bad, *good.drops[GOOD // 2 :]])
    program = json.dumps([sys.executable, fragile.__file__])
    manifest = template_with(tmp_path, {USER: f'{USER} "Entrypoint": {program},'})
    async with plant.running(manifest=manifest) as suite:
        await suite.edit_twin("ingest", {"leaseSeconds": 10})
        await suite.edit_twin("transform", {"maxDecodeSeconds": 1})
        await suite.swap(plant.models[0].desired())
        closed = await plant.feed(plant.drops)
        counts = await suite.until_settled(len(plant.drops))
    verdict = plant.verdict(closed, counts)
    assert verdict.clean, verdict.wrong
    assert verdict.predicted == GOOD
