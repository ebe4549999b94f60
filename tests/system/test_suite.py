"""The whole suite, as ``make run`` starts it, while things go wrong."""

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from edge_common.hub import Handlers, Received
from edge_simulator.control.client import ControlClient
from support.hubs import connection_to
from support.suite import Plant, kill, template_with, until_stored

pytestmark = pytest.mark.system

MODULES = ("ingest", "transform", "inference", "upload")


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant.build(tmp_path, 120)


@pytest.mark.parametrize("module", MODULES)
async def test_killing_a_module_changes_nothing_but_time(plant: Plant, module: str) -> None:
    async with plant.running() as suite:
        await suite.edit_twin("ingest", {"leaseSeconds": 2})
        await suite.swap(plant.models[0].desired())
        closed = await plant.feed(plant.drops[:60])
        await until_stored(suite, 10)
        killed = await kill(suite, module)
        closed |= await plant.feed(plant.drops[60:])
        counts = await suite.until_settled(len(plant.drops))
        assert await suite.process_of(module) != killed
    verdict = plant.verdict(closed, counts)
    assert verdict.clean, verdict.wrong
    assert (verdict.predicted, verdict.quarantined) == (len(plant.drops), 0)


async def test_a_full_spool_defers_for_as_long_as_it_takes_and_quarantines_nothing(plant: Plant) -> None:
    lease_s, attempts = 0.5, 2
    async with plant.running() as suite:
        await suite.edit_twin("ingest", {"leaseSeconds": lease_s, "maxAttempts": attempts})
        await suite.edit_twin("upload", {"spoolBudgetBytes": 1 << 16, "shardSeconds": 3600})
        await suite.swap(plant.models[0].desired())
        closed = await plant.feed(plant.drops)
        await until_stored(suite, 1)
        full_since = time.monotonic()
        while time.monotonic() - full_since < 4 * lease_s * attempts:
            await suite.pause()
            counts = await suite.ledger()
            assert counts.get("quarantined", 0) == 0
            assert counts.get("accepted", 0) < len(plant.drops), "the spool was to be full"
        await suite.edit_twin("upload", {"spoolBudgetBytes": 1 << 30, "shardSeconds": 1})
        counts = await suite.until_settled(len(plant.drops))
    verdict = plant.verdict(closed, counts)
    assert verdict.clean, verdict.wrong


async def test_an_operator_asks_about_one_file(plant: Plant) -> None:
    """The file is on no share: it goes to transform and back over the template's routes."""

    async def predict(content: bytes) -> tuple[int, dict[str, Any]]:
        payload = {"file": base64.b64encode(content).decode()}
        answer = await control.call("inference", "predict", payload, 30)
        return answer["status"], answer["payload"]

    async with plant.running() as suite, ControlClient.connect(plant.folders.state) as control:
        await suite.swap(plant.models[0].desired())
        status, body = await predict(plant.drops[0].content)
        assert (status, body["model"]["version"], len(body["predictions"])) == (200, plant.models[0].version, 1)
        status, body = await predict(b"just text")
        assert (status, body["error"].partition(":")[0]) == (400, "UNSUPPORTED")


async def test_lost_receipts_are_asked_for(plant: Plant, tmp_path: Path) -> None:
    """Receipts pass through a module of the test, which loses the first ones."""
    lost, most = 0, 40

    async with plant.running("--module", "sieve", manifest=with_a_sieve(tmp_path)) as suite:
        sieve = await connection_to(plant.folders.state, "sieve")
        passing: asyncio.Queue[Received] = asyncio.Queue()
        await sieve.start(Handlers(passing.put_nowait, lambda _: None, {}))

        async def pass_on() -> None:
            nonlocal lost
            while True:
                message = await passing.get()
                if lost < most:
                    lost += len(json.loads(message.body)["receipts"])
                else:
                    await sieve.send("receipts", message.body, message.properties)

        passing_on = asyncio.create_task(pass_on())
        await suite.edit_twin("ingest", {"leaseSeconds": 2, "inquirySeconds": 1})
        await suite.swap(plant.models[0].desired())
        closed = await plant.feed(plant.drops)
        counts = await suite.until_settled(len(plant.drops))
        passing_on.cancel()
        await sieve.close()
    assert lost >= most
    verdict = plant.verdict(closed, counts)
    assert verdict.clean, verdict.wrong


def with_a_sieve(folder: Path) -> Path:
    """The template with its receipts led through a further module."""
    source, target = "/messages/modules/upload/outputs/receipts", "/modules/ingest/inputs/receipts"
    detour = {"route": f'FROM {source} INTO BrokeredEndpoint("/modules/sieve/inputs/receipts")', "priority": 0}
    direct = json.dumps(f'FROM {source} INTO BrokeredEndpoint("{target}")')
    added = '"routes": {'
    return template_with(
        folder,
        {direct: direct.replace("modules/upload", "modules/sieve"), added: f'{added}"detour": {json.dumps(detour)},'},
    )
