"""The hub client when the hub goes away: what only the real one can show."""

import asyncio
from pathlib import Path

import pytest

from edge_common.errors import HubRefusedError
from support.hubs import Ear, simulator_bench


async def test_what_waited_for_a_module_arrives_when_it_connects_again(tmp_path: Path) -> None:
    async with simulator_bench(tmp_path) as bench:
        await bench.hub.start(Ear().handlers)
        await bench.hub.close()
        for number in range(10):
            await bench.deliver(b"%d" % number, {})
        ear, again = Ear(), await bench.connection_of("subject")
        await again.start(ear.handlers)
        assert [(await ear.messages.get()).body for _ in range(10)] == [b"%d" % number for number in range(10)]
        await again.close()


async def test_a_killed_hub_loses_nothing_and_is_found_again(tmp_path: Path) -> None:
    async with simulator_bench(tmp_path) as bench:
        ear = Ear()
        await bench.hub.start(ear.handlers)
        await bench.hub.send("out", b"before", {})
        bench.simulator.kill()
        sending = asyncio.create_task(bench.hub.send("out", b"during", {}))
        reporting = asyncio.create_task(bench.hub.report({"state": "back"}))
        bench.simulator.start()
        await sending
        await reporting
        bodies = {(await bench.arrived())[0]}
        while b"during" not in bodies:
            bodies.add((await bench.arrived())[0])
        assert b"before" in bodies
        await bench.deliver(b"after", {})
        assert (await ear.messages.get()).body == b"after"
        assert await bench.reported() == {"state": "back"}


async def test_an_edit_made_while_the_module_was_away_reaches_it(tmp_path: Path) -> None:
    async with simulator_bench(tmp_path) as bench:
        ear = Ear()
        await bench.hub.start(ear.handlers)
        await ear.desired.get()
        bench.simulator.kill()
        bench.simulator.start()
        await bench.edit_twin({"missed": True})
        while not (await ear.desired.get()).get("missed"):
            pass


async def test_a_patch_over_the_limits_is_refused_in_so_many_words(tmp_path: Path) -> None:
    async with simulator_bench(tmp_path) as bench:
        await bench.hub.start(Ear().handlers)
        with pytest.raises(HubRefusedError, match="400"):
            await bench.hub.report({"text": "x" * 5000})
