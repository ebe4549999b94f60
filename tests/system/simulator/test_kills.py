"""The simulator killed a dozen times while modules send and receive."""

import asyncio
from pathlib import Path

from support.simulator import deployment, simulator
from system.simulator.conftest import Make

ROUTES = {"in": 'FROM /messages/modules/src/outputs/o INTO BrokeredEndpoint("/modules/dst/inputs/i")'}
KILLS = 12
LANES = 8
MESSAGES_BETWEEN = 40


async def test_every_acknowledged_message_survives_a_dozen_kills(tmp_path: Path, module: Make) -> None:
    manifest = deployment(routes=ROUTES, ttl_s=-1)
    with simulator(tmp_path, manifest, "--module", "src", "--module", "dst") as running:
        src, dst = await module(running, "src").connect(), await module(running, "dst").listen()
        acknowledged: list[bytes] = []
        over = asyncio.Event()

        async def send_on(lane: int) -> None:
            number = 0
            while not over.is_set():
                number += 1
                body = b"%d-%d" % (lane, number)
                await src.send(body)
                acknowledged.append(body)

        async with asyncio.TaskGroup() as lanes:
            for lane in range(LANES):
                lanes.create_task(send_on(lane))
            for _ in range(KILLS):
                enough = len(acknowledged) + MESSAGES_BETWEEN
                while len(acknowledged) < enough:
                    await asyncio.sleep(0.01)
                await asyncio.to_thread(running.kill)
                await asyncio.to_thread(running.start)
            over.set()
        assert len(acknowledged) >= KILLS * MESSAGES_BETWEEN
        missing = set(acknowledged)
        while missing:
            missing.difference_update(await dst.bodies(1))
