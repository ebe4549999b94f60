"""Modules as processes of a running simulator, and the commands that look at them."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.simulator import COMMAND, SimulatorProcess, deployment, simulator
from support.simulator import module as entry
from system.simulator.conftest import Make

BACKOFF = ("--restart-backoff", "0.05")
# Writes its environment to OUT once it can be asked to stop, and notes beside it when it is.
WITNESS = """
import json, os, pathlib, signal, sys
out = pathlib.Path(os.environ["OUT"])
def stop(*_):
    out.with_name("stopped").touch()
    sys.exit()
signal.signal(signal.SIGTERM, stop)
out.with_suffix(".new").write_text(json.dumps({**os.environ, "folder": os.getcwd()}))
out.with_suffix(".new").rename(out)
signal.pause()
"""
ECHO = """
import asyncio
from azure.iot.device.aio import IoTHubModuleClient
async def main():
    client = IoTHubModuleClient.create_from_edge_environment()
    async def echo(message):
        await client.send_message_to_output(message.data[::-1], "back")
    client.on_message_received = echo
    await client.connect()
    await asyncio.Event().wait()
asyncio.run(main())
"""
REPORT = """
import itertools
from azure.iot.device import IoTHubModuleClient
client = IoTHubModuleClient.create_from_edge_environment()
client.connect()
for number in itertools.count():
    client.patch_twin_reported_properties({"number": number})
"""


def _until(what: Callable[[], Any]) -> Any:
    """Wait until `what` gives something, and return that."""
    while not (answer := what()):
        time.sleep(0.02)
    return answer


def _status(running: SimulatorProcess, name: str) -> dict[str, Any]:
    modules = json.loads(running.run("status", "--json"))["modules"]
    found: dict[str, Any] = next(module for module in modules if module["name"] == name)
    return found


def _pid(running: SimulatorProcess, name: str) -> int:
    """Wait until a module runs, and return its process."""
    return int(_until(lambda: _status(running, name)["pid"]))


def _witness(**changes: Any) -> dict[str, Any]:
    create_options = {
        "Env": ["OUT=/data/env", "FROM_OPTIONS=/data", "BOTH=options"],
        "WorkingDir": "/data/work",
        "HostConfig": {"Binds": ["/srv/in:/in:ro", "data:/data"], "Tmpfs": {"/memory": ""}},
    }
    env = {"BOTH": {"value": "manifest"}, "IN": {"value": "/in/a"}, "N": {"value": 7}, "S": {"value": "/memory/s"}}
    return entry("python", "-c", WITNESS, create_options=create_options, env=env, **changes)


def _seen(running: SimulatorProcess) -> dict[str, str]:
    path = running.state / "volumes" / "data" / "env"
    _until(path.exists)
    seen: dict[str, str] = json.loads(path.read_text())
    return seen


def test_a_module_finds_its_folders_and_its_credentials(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    manifest = deployment(routes={}, modules={"m": _witness()})
    with simulator(tmp_path, manifest, "--mount", f"/srv/in={shared}") as running:
        seen = _seen(running)
        data = running.state / "volumes" / "data"
        assert (seen["IN"], seen["S"]) == (f"{shared}/a", str(running.state / "tmpfs" / "m" / "memory" / "s"))
        assert (seen["FROM_OPTIONS"], seen["BOTH"], seen["N"]) == (str(data), "manifest", "7")
        assert {name: seen[name] for name in seen if name.startswith("IOTEDGE_")} == running.credentials("m")
        assert seen["folder"] == str(data / "work")
        assert shared.is_dir()


def test_a_simulator_that_is_stopped_stops_its_modules_in_order(tmp_path: Path) -> None:
    with simulator(tmp_path, deployment(routes={}, modules={"m": _witness()})) as running:
        _seen(running)
        pid = _pid(running, "m")
        assert running.stop() == 0
        assert (running.state / "volumes" / "data" / "stopped").exists()
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_either_signal_ends_it_well(tmp_path: Path, signal_number: int) -> None:
    with simulator(tmp_path, deployment(routes={})) as running:
        assert running.process is not None
        running.process.send_signal(signal_number)
        assert running.process.wait(timeout=30) == 0


def test_a_killed_simulator_leaves_no_module_behind(tmp_path: Path) -> None:
    with simulator(tmp_path, deployment(routes={}, modules={"m": _witness()})) as running:
        _seen(running)
        pid = _pid(running, "m")
        running.kill()
        _until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_killed_module_starts_again(tmp_path: Path) -> None:
    with simulator(tmp_path, deployment(routes={}, modules={"m": _witness()}), *BACKOFF) as running:
        _seen(running)
        before = _status(running, "m")
        assert (before["status"], before["restarts"]) == ("running", 0)
        os.kill(before["pid"], signal.SIGKILL)
        after = _until(lambda: (now := _status(running, "m"))["restarts"] == 1 and now["pid"] and now)
        assert (after["exitCode"], after["status"]) == (-signal.SIGKILL, "running")
        assert after["pid"] != before["pid"]


def test_modules_start_in_their_order(tmp_path: Path) -> None:
    orders = {"last": None, "second": 2, "first": 1, "third": 2}
    modules = {
        name: entry("sleep", "600", **({"startupOrder": order} if order else {})) for name, order in orders.items()
    }
    with simulator(tmp_path, deployment(routes={}, modules=modules)) as running:
        assert running.process is not None
        before, most = running.process.pid, int(Path("/proc/sys/kernel/pid_max").read_text())
        since = {name: (_pid(running, name) - before) % most for name in modules}  # numbers begin anew at some time
        assert sorted(since, key=lambda name: since[name]) == ["first", "second", "third", "last"]


def test_a_module_that_cannot_run_here_does_not_stop_the_others(tmp_path: Path) -> None:
    modules = {"foreign": entry("no-such-program"), "m": _witness(), "off": _witness(status="stopped")}
    with simulator(tmp_path, deployment(routes={}, modules=modules)) as running:
        _seen(running)
        foreign = _status(running, "foreign")
        assert foreign["status"] == "failed"
        assert "edge-simulator credentials foreign" in foreign["reason"]
        assert _status(running, "off")["status"] == "stopped"
        assert "foreign: program 'no-such-program' is not installed here" in running.run("status")


def test_the_output_of_a_module_is_kept(tmp_path: Path) -> None:
    manifest = deployment(routes={}, modules={"m": entry("echo", "hello", restartPolicy="never")})
    with simulator(tmp_path, manifest) as running:
        _until(lambda: _status(running, "m")["exitCode"] == 0)
        assert (running.state / "logs" / "m.log").read_text() == "hello\n"


async def test_a_module_with_the_sdk_does_its_work(tmp_path: Path, module: Make) -> None:
    routes = {
        "in": 'FROM /messages/modules/peer/outputs/o INTO BrokeredEndpoint("/modules/echo/inputs/i")',
        "back": 'FROM /messages/modules/echo/outputs/back INTO BrokeredEndpoint("/modules/peer/inputs/i")',
    }
    manifest = deployment(routes=routes, modules={"echo": entry("python", "-c", ECHO)})
    with simulator(tmp_path, manifest, "--module", "peer", *BACKOFF) as running:
        peer = await module(running, "peer").listen()
        await peer.send(b"abc")
        assert await peer.bodies(1) == [b"cba"]
        os.kill(_pid(running, "echo"), signal.SIGKILL)
        await peer.send(b"def")
        assert await peer.bodies(1) == [b"fed"]


def test_twins_are_read_and_set_from_the_command_line(tmp_path: Path) -> None:
    with simulator(tmp_path, deployment(routes={}, twins={"m": {"a": 1, "b": {"c": 2}}})) as running:
        assert "version 2" in running.run("twin", "set", "m", "a=null", "b.d=text", 'e=[1, "x"]')
        twin = json.loads(running.run("twin", "get", "m"))
        assert twin["desired"] == {"b": {"c": 2, "d": "text"}, "e": [1, "x"], "$version": 2}
        with pytest.raises(subprocess.CalledProcessError) as refused:
            running.run("twin", "set", "m", "a=1", 'bad={"x.y": 1}')
        assert "bad.x.y: a name may not hold" in refused.value.stderr
        with pytest.raises(subprocess.CalledProcessError) as unknown:
            running.run("twin", "get", "nobody")
        assert "there is no module 'nobody'" in unknown.value.stderr
        running.kill()
        running.start()
        assert json.loads(running.run("twin", "get", "m")) == twin


async def test_the_monitor_prints_what_goes_to_the_cloud(tmp_path: Path, module: Make) -> None:
    manifest = deployment(routes={"up": "FROM /messages/* INTO $upstream"})
    with simulator(tmp_path, manifest, "--module", "m") as running:
        sender = await module(running, "m").connect()
        for arguments, expected in (((), "m sent {"), (("--json",), '{"kind": "message"')):
            command = [str(COMMAND), "monitor", "--state", str(running.state), *arguments]
            monitor = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            assert monitor.stdout is not None
            line = asyncio.create_task(monitor.stdout.readline())
            while not line.done():
                await sender.send(b"body", k="v")
                await asyncio.wait([line], timeout=0.1)
            assert line.result().decode().startswith(expected)
            monitor.terminate()
            await monitor.wait()


@pytest.mark.parametrize(("killed", "exit_code"), [(False, 0), (True, 1)])
def test_the_monitor_ends_with_the_simulator(tmp_path: Path, *, killed: bool, exit_code: int) -> None:
    routes = {"up": "FROM /* INTO $upstream"}
    manifest = deployment(routes=routes, modules={"m": entry("python", "-c", REPORT)})
    with simulator(tmp_path, manifest, *BACKOFF) as running:
        command = [str(COMMAND), "monitor", "--state", str(running.state)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as monitor:
            assert monitor.stdout is not None
            monitor.stdout.readline()
            end = running.kill if killed else running.stop
            end()
            _, errors = monitor.communicate(timeout=30)
        assert (monitor.returncode, "Traceback" in errors) == (exit_code, False)


def test_a_second_simulator_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with simulator(tmp_path, deployment(routes={})) as running:
        second = SimulatorProcess(running.manifest, running.state)
        with pytest.raises(AssertionError, match="another simulator runs on state folder"):
            second.start()


def test_a_state_folder_may_have_a_long_path(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    with simulator(folder, deployment(routes={}), "--module", "m") as running:
        uri = running.credentials("m")["IOTEDGE_WORKLOADURI"]
        assert len(uri.removeprefix("unix://")) <= 107


def test_an_env_file_expands_the_template(tmp_path: Path) -> None:
    env_file = tmp_path / "site.env"
    env_file.write_text("GREETING=hello\n")
    modules = {"m": entry("echo", "${GREETING}", restartPolicy="never")}
    with simulator(tmp_path, deployment(routes={}, modules=modules), "--env-file", str(env_file)) as running:
        _until(lambda: _status(running, "m")["exitCode"] == 0)
        assert (running.state / "logs" / "m.log").read_text() == "hello\n"


def test_an_address_can_be_asked_for(tmp_path: Path) -> None:
    with simulator(tmp_path, deployment(routes={}), "--module", "m", "--address", "127.0.0.210") as running:
        assert running.credentials("m")["IOTEDGE_GATEWAYHOSTNAME"] == "127.0.0.210"
        assert json.loads(running.run("status", "--json"))["address"] == "127.0.0.210:8883"
