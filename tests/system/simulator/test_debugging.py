"""A module started by hand in the place of one of the deployment."""

import asyncio
import base64
import json
import shlex
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import IoTHubModuleClient, Message

from support.simulator import COMMAND, SimulatorProcess, deployment, edge_environment, simulator
from support.simulator import module as entry
from system.simulator.conftest import Make


@pytest.fixture
def running(tmp_path: Path) -> Iterator[SimulatorProcess]:
    manifest = deployment(routes={"up": "FROM /messages/* INTO $upstream"}, modules={"echo": entry("echo", "hello")})
    with simulator(tmp_path, manifest, "--module", "m") as running:
        yield running


@asynccontextmanager
async def _following(running: SimulatorProcess, *arguments: str) -> AsyncIterator[asyncio.StreamReader]:
    """Give what a command prints while it runs."""
    command = [str(COMMAND), *arguments, "--state", str(running.state)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.terminate()
        await process.wait()


def test_a_connection_string_takes_the_place_of_the_workload_api(running: SimulatorProcess) -> None:
    given = running.credentials("m", "--connection-string")
    assert set(given) == {"EdgeHubConnectionString", "EdgeModuleCACertificateFile"}
    with edge_environment(given):
        client = IoTHubModuleClient.create_from_edge_environment()
    client.connect()
    assert client.get_twin()["desired"] == {"$version": 1}
    client.shutdown()


SLEEPER = entry("sh", "-c", "echo started; exec sleep 1000")


def _module(running: SimulatorProcess, name: str) -> dict[str, Any]:
    modules = json.loads(running.run("status", "--json"))["modules"]
    found: dict[str, Any] = next(module for module in modules if module["name"] == name)
    return found


@pytest.mark.parametrize("form", [(), ("--connection-string",)])
def test_a_process_started_by_hand_takes_a_modules_place_until_it_is_taken_back(
    tmp_path: Path, form: tuple[str, ...]
) -> None:
    with simulator(tmp_path, deployment(routes={}, modules={"m": SLEEPER})) as running:
        while not (supervised := _module(running, "m")["pid"]):
            pass
        command = [str(COMMAND), "credentials", "m", *form, "--state", str(running.state)]
        given = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
        assert not Path(f"/proc/{supervised}").exists()
        assert (_module(running, "m")["status"], _module(running, "m")["pid"]) == ("stopped", None)
        _, back, _ = given.stderr.split("`")
        with edge_environment(dict(word.split("=", 1) for word in shlex.split(given.stdout) if word != "export")):
            client = IoTHubModuleClient.create_from_edge_environment()
        client.connect()
        assert _module(running, "m")["connected"]
        client.shutdown()
        running.run(*shlex.split(back)[1:-2])
        while _module(running, "m")["status"] != "running":
            pass


def test_a_guests_credentials_stop_nothing(running: SimulatorProcess) -> None:
    command = [str(COMMAND), "credentials", "m", "--state", str(running.state)]
    given = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    assert given.stderr == ""


def test_a_module_in_other_hands_stays_there_when_its_deployment_changes(tmp_path: Path) -> None:
    with simulator(tmp_path, deployment(routes={}, modules={"m": SLEEPER})) as running:
        running.credentials("m")
        running.run("twin", "set", "$edgeAgent", "modules.m.restartPolicy=never")
        assert (_module(running, "m")["status"], _module(running, "m")["pid"]) == ("stopped", None)
        assert "by hand" in _module(running, "m")["reason"]
        running.run("fault", "module", "m", "restart")
        while _module(running, "m")["status"] != "running":
            pass


async def test_a_message_by_hand_comes_with_all_it_carries(
    running: SimulatorProcess, module: Make, tmp_path: Path
) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"\x00\xff")
    properties = ("--property", "k ey=v/ä&=+", "--property", "$.ct=application/json", "--property", "$.mid=7")
    running.run("send", "m", "in/put", "--file", str(body), *properties)
    running.run("send", "m", "empty")
    m = await module(running, "m").listen()
    first, second = await m.messages.get(), await m.messages.get()
    assert (first.input_name, first.data, first.content_type) == ("in/put", b"\x00\xff", "application/json")
    assert (first.message_id, first.custom_properties) == ("7", {"k ey": "v/ä&=+"})
    assert (second.input_name, second.data) == ("empty", b"")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("nobody", "in"), "--module nobody"),
        (("m", "in", "--property", "k"), "is not KEY=VALUE"),
        (("m", "in", "--file", "large"), "256 KiB"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    running: SimulatorProcess, tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(262_145))
    with pytest.raises(subprocess.CalledProcessError) as refused:
        running.run("send", *(str(large) if word == "large" else word for word in arguments))
    assert problem in refused.value.stderr


async def test_logs_go_on_while_the_module_prints(running: SimulatorProcess) -> None:
    log = running.state / "logs" / "echo.log"
    while not log.exists():
        await asyncio.sleep(0.01)
    async with _following(running, "logs", "-f", "echo") as lines:
        assert await lines.readline() == b"hello\n"
        with log.open("a") as output:
            output.write("more\n")
        while await lines.readline() != b"more\n":
            pass


def test_a_module_that_never_ran_has_no_log(running: SimulatorProcess) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        running.run("logs", "m")
    assert "m has never run" in refused.value.stderr


async def test_the_monitor_shows_messages_and_reported_patches_as_they_are(
    running: SimulatorProcess, module: Make
) -> None:
    m = await module(running, "m").connect()
    async with _following(running, "monitor", "--json") as lines:
        # Until the monitor listens, nothing is there to be seen.
        first = asyncio.create_task(_event(lines))
        while not first.done():
            await m.client.patch_twin_reported_properties({"ready": True})
            await asyncio.wait([first], timeout=0.1)
        await m.client.patch_twin_reported_properties({"a": {"b": None}, "c": None})
        message = Message(b"\x00\xff", message_id="7", content_encoding="utf-8", content_type="application/json")
        message.custom_properties = {"k": "v"}
        await m.client.send_message_to_output(message, "o")
        while (event := await _event(lines))["patch"] == {"ready": True}:
            pass
        assert event == {"kind": "reported", "module": "m", "patch": {"a": {"b": None}, "c": None}}
        assert await _event(lines) == {
            "kind": "message",
            "messageId": "7",
            "properties": {"k": "v"},
            "systemProperties": {
                "messageId": "7",
                "contentType": "application/json",
                "contentEncoding": "utf-8",
                "outputName": "o",
                "connectionDeviceId": "edge",
                "connectionModuleId": "m",
            },
            "body": base64.b64encode(b"\x00\xff").decode(),
        }


async def _event(lines: asyncio.StreamReader) -> Any:
    return json.loads(await lines.readline())
