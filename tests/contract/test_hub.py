"""What every hub does: the fake that the modules' tests use, and the SDK over TLS to the simulator."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.hubs import POLL_S, Bench, Ear, FakeBench, simulator_bench


@pytest.fixture(params=["fake", "simulator"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "fake":
        yield FakeBench()
        return
    async with simulator_bench(tmp_path) as bench:
        yield bench


async def test_a_message_comes_to_its_input_with_body_and_properties(bench: Bench) -> None:
    ear = Ear()
    await bench.hub.start(ear.handlers)
    await bench.deliver(b'{"x": "\xc3\xa4"}', {"kind": "items", "odd key": "a=b&c"})
    message = await ear.messages.get()
    assert (message.input, message.body) == ("in", b'{"x": "\xc3\xa4"}')
    assert message.properties["kind"] == "items"
    assert message.properties["odd key"] == "a=b&c"


async def test_messages_keep_their_order(bench: Bench) -> None:
    ear = Ear()
    await bench.hub.start(ear.handlers)
    for number in range(20):
        await bench.deliver(b"%d" % number, {})
    assert [(await ear.messages.get()).body for _ in range(20)] == [b"%d" % number for number in range(20)]


async def test_what_is_sent_arrives(bench: Bench) -> None:
    await bench.hub.start(Ear().handlers)
    await bench.hub.send("out", b'{"y": 1}', {"model": "digits"})
    assert await bench.arrived() == (b'{"y": 1}', {"model": "digits"})


async def test_all_desired_properties_come_at_the_start_and_at_each_edit(bench: Bench) -> None:
    ear = Ear()
    await bench.hub.start(ear.handlers)
    first = await ear.desired.get()
    await bench.edit_twin({"window": 8, "nested": {"a": 1, "b": 2}})
    await bench.edit_twin({"nested": {"a": None}})
    desired = await ear.desired.get()
    while "a" in desired.get("nested", {"a": 0}):
        desired = await ear.desired.get()
    assert desired["window"] == 8
    assert desired["nested"] == {"b": 2}
    assert desired["$version"] == first["$version"] + 2


async def test_reported_properties_are_merged_and_none_removes(bench: Bench) -> None:
    await bench.hub.start(Ear().handlers)
    await bench.hub.report({"model": {"state": "Idle", "candidate": "x"}, "count": 1})
    await bench.hub.report({"model": {"state": "Active", "candidate": None}})
    while (await bench.reported())["model"]["state"] != "Active":
        await asyncio.sleep(POLL_S)
    assert await bench.reported() == {"model": {"state": "Active"}, "count": 1}


async def test_it_says_whether_it_is_connected(bench: Bench) -> None:
    assert not bench.hub.connected
    await bench.hub.start(Ear().handlers)
    assert bench.hub.connected
    await bench.hub.close()
    assert not bench.hub.connected
