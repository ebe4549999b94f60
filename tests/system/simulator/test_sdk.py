"""The unmodified SDK against the simulator, over TLS."""

import asyncio
import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import IoTHubModuleClient
from azure.iot.device.exceptions import ClientError, CredentialError

from edge_simulator.identity import Device
from support.simulator import SimulatorProcess, deployment, edge_environment, simulator
from system.simulator.conftest import Make

ROUTES = {
    "in": 'FROM /messages/modules/src/outputs/o INTO BrokeredEndpoint("/modules/dst/inputs/i")',
    "hot": "FROM /messages/modules/src/outputs/t WHERE as_number(t) > 50"
    ' INTO BrokeredEndpoint("/modules/dst/inputs/hot")',
    "up": "FROM /messages/modules/src/outputs/up INTO $upstream",
}
GUESTS = ("--module", "src", "--module", "dst")
SENDER = """
import asyncio, itertools, sys
from azure.iot.device.aio import IoTHubModuleClient

async def main(life):
    client = IoTHubModuleClient.create_from_edge_environment()
    await client.connect()
    async def send_many(lane):
        for number in itertools.count():
            body = f"{life}-{lane}-{number}"
            await client.send_message_to_output(body, "o")
            print(body, flush=True)
    await asyncio.gather(*map(send_many, range(5)))

asyncio.run(main(sys.argv[1]))
"""
"""Prints what was acknowledged."""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[SimulatorProcess]:
    with simulator(tmp_path, deployment(routes=ROUTES, twins={"dst": {"a": 1}}), *GUESTS) as running:
        yield running


async def test_messages_follow_routes_with_all_they_carry(running: SimulatorProcess, module: Make) -> None:
    src, dst = await module(running, "src").connect(), await module(running, "dst").listen()
    await src.send(b"\x00\xffb\xc3\xb6dy", **{"k ey": "v/ä&=+"})
    await src.send(b"cold", "t", t="50")
    await src.send(b"hot", "t", t="51")
    first, second = await dst.messages.get(), await dst.messages.get()
    assert (first.input_name, first.data) == ("i", b"\x00\xffb\xc3\xb6dy")
    assert first.custom_properties == {"k ey": "v/ä&=+", "$.cdid": "edge", "$.cmid": "src"}
    assert (second.input_name, second.data) == ("hot", b"hot")


async def test_a_message_may_be_as_large_as_the_sdk_allows(running: SimulatorProcess, module: Make) -> None:
    src, dst = await module(running, "src").connect(), await module(running, "dst").listen()
    body = bytes(range(256)) * 1020
    await src.send(body)
    assert await dst.bodies(1) == [body]


async def test_a_module_reads_and_reports_its_twin(running: SimulatorProcess, module: Make) -> None:
    dst = await module(running, "dst").connect()
    assert await dst.client.get_twin() == {"desired": {"a": 1, "$version": 1}, "reported": {"$version": 1}}
    await dst.client.patch_twin_reported_properties({"b": {"c": 1, "d": 2}})
    await dst.client.patch_twin_reported_properties({"b": {"c": None}})
    assert (await dst.client.get_twin())["reported"] == {"b": {"d": 2}, "$version": 3}
    with pytest.raises(ClientError):
        await dst.client.patch_twin_reported_properties({"text": "x" * 5000})


async def test_a_desired_patch_reaches_the_module(running: SimulatorProcess, module: Make) -> None:
    dst = await module(running, "dst").listen()
    async with running.control() as control:
        assert await control.set_desired("dst", {"a": None, "b": {"c": [1]}}) == 2
    assert await dst.patches.get() == {"a": None, "b": {"c": [1]}, "$version": 2}


async def test_subscriptions_outlive_the_connection(running: SimulatorProcess, module: Make) -> None:
    src, dst = await module(running, "src").connect(), await module(running, "dst").listen()
    await dst.client.disconnect()
    await src.send(b"while away")
    await dst.client.connect()
    await src.send(b"back again")
    assert await dst.bodies(2) == [b"while away", b"back again"]


async def test_messages_wait_for_a_module_that_was_never_there(running: SimulatorProcess, module: Make) -> None:
    src = await module(running, "src").connect()
    expected = [b"%d" % number for number in range(200)]
    for body in expected:
        await src.send(body)
    dst = await module(running, "dst").listen()
    assert await dst.bodies(len(expected)) == expected


async def test_a_second_connection_takes_the_modules_place(running: SimulatorProcess, module: Make) -> None:
    first = await module(running, "dst", reconnects=False).connect()
    second = await module(running, "dst").listen()
    while first.client.connected:
        await asyncio.sleep(0.01)
    await (await module(running, "src").connect()).send(b"body")
    assert await second.bodies(1) == [b"body"]


async def test_sync_clients_and_connection_strings_work_too(running: SimulatorProcess, module: Make) -> None:
    dst = await module(running, "dst").listen()
    given = running.credentials("src")
    device = Device(given["IOTEDGE_GATEWAYHOSTNAME"], (running.state / "device.key").read_bytes())
    environment = {
        "EdgeHubConnectionString": f"HostName={device.hub_host};DeviceId={device.device_id};ModuleId=src;"
        f"SharedAccessKey={base64.b64encode(device.key('src')).decode()};GatewayHostName={device.gateway_host}",
        "EdgeModuleCACertificateFile": str(running.state / "authority" / "ca.pem"),
    }

    def send() -> None:
        with edge_environment(environment):
            client = IoTHubModuleClient.create_from_edge_environment()
        client.connect()
        client.send_message_to_output("from afar", "o")
        client.shutdown()

    await asyncio.to_thread(send)
    assert await dst.bodies(1) == [b"from afar"]


async def test_a_wrong_key_is_told_apart(running: SimulatorProcess) -> None:
    given = running.credentials("src")
    environment = {
        "EdgeHubConnectionString": f"HostName={given['IOTEDGE_IOTHUBHOSTNAME']};DeviceId=edge;ModuleId=src;"
        f"SharedAccessKey=AAAA;GatewayHostName={given['IOTEDGE_GATEWAYHOSTNAME']}",
        "EdgeModuleCACertificateFile": str(running.state / "authority" / "ca.pem"),
    }
    with edge_environment(environment):
        client = IoTHubModuleClient.create_from_edge_environment()
    with pytest.raises(CredentialError):
        await asyncio.to_thread(client.connect)
    client.shutdown()


async def test_what_goes_upstream_can_be_watched(running: SimulatorProcess, module: Make) -> None:
    src, dst = await module(running, "src").connect(), await module(running, "dst").connect()
    async with running.control() as control, control.events() as events:
        await src.send(b"body", "up", k="v")
        await dst.client.patch_twin_reported_properties({"a": {"b": None}})
        message: Any = await anext(events)
        assert base64.b64decode(message["body"]) == b"body"
        assert message["properties"] == {"k": "v"}
        assert message["systemProperties"]["connectionModuleId"] == "src"
        assert await anext(events) == {"kind": "reported", "module": "dst", "patch": {"a": {"b": None}}}


async def test_nonsense_and_half_open_clients_harm_nobody(running: SimulatorProcess, module: Make) -> None:
    address = (running.credentials("src")["IOTEDGE_GATEWAYHOSTNAME"], 8883)
    with socket.create_connection(address) as half_open, socket.create_connection(address) as nonsense:
        half_open.send(b"\x16\x03\x01")
        nonsense.send(b"GET / HTTP/1.0\r\n\r\n")
        src, dst = await module(running, "src").connect(), await module(running, "dst").listen()
        await src.send(b"still here")
        assert await dst.bodies(1) == [b"still here"]


async def test_two_simulators_run_side_by_side(tmp_path: Path, running: SimulatorProcess, module: Make) -> None:
    with simulator(tmp_path / "other", deployment(routes=ROUTES), *GUESTS) as other:
        for place in (running, other):
            src, dst = await module(place, "src").connect(), await module(place, "dst").listen()
            await src.send(str(place.state).encode())
            assert await dst.bodies(1) == [str(place.state).encode()]
            assert dst.messages.empty()


async def test_clients_find_a_restarted_simulator_and_their_subscriptions(
    running: SimulatorProcess, module: Make
) -> None:
    src, dst = await module(running, "src").connect(), await module(running, "dst").listen()
    running.stop()
    running.start()
    await src.insist(b"after")
    assert await dst.bodies(1) == [b"after"]


async def test_nothing_acknowledged_is_lost_when_the_simulator_is_killed(
    running: SimulatorProcess, module: Make
) -> None:
    missing: set[bytes] = set()
    for life, count in enumerate((100, 150, 250)):
        missing |= _acknowledged_until_a_kill(running, life, count)
        running.start()
    dst = await module(running, "dst").listen()
    assert len(missing) == 500
    while missing:
        missing.difference_update(await dst.bodies(1))


def _acknowledged_until_a_kill(running: SimulatorProcess, life: int, count: int) -> set[bytes]:
    """Send from a process of its own: the SDK may never come back from a connection that ends while it writes to it."""
    command = [sys.executable, "-c", SENDER, str(life)]
    environment = {**os.environ, **running.credentials("src")}
    acknowledged: set[bytes] = set()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as sender:
        assert sender.stdout is not None
        while len(acknowledged) < count:
            line = sender.stdout.readline()
            assert line, "the sender has ended"
            acknowledged.add(line.strip())
        running.kill()
        sender.kill()
    return acknowledged
