"""Faults from the command line, and what the unmodified SDK makes of them."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.simulator import SimulatorProcess, deployment, simulator
from support.simulator import module as entry
from system.simulator.conftest import Make

ROUTES = {
    "in": 'FROM /messages/modules/src/outputs/o INTO BrokeredEndpoint("/modules/dst/inputs/i")',
    "up": "FROM /messages/modules/src/outputs/up INTO $upstream",
}
SLEEPER = entry("sh", "-c", "echo started; exec sleep 1000")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[SimulatorProcess]:
    manifest = deployment(routes=ROUTES, modules={"sleeper": SLEEPER})
    with simulator(tmp_path, manifest, "--module", "src", "--module", "dst", "--restart-backoff", "0.05") as running:
        yield running


def _status(running: SimulatorProcess) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(running.run("status", "--json"))
    return status


def _sleeper(running: SimulatorProcess) -> dict[str, Any]:
    [found] = [module for module in _status(running)["modules"] if module["name"] == "sleeper"]
    assert isinstance(found, dict)
    return found


async def _until(what: Callable[[], Any]) -> Any:
    while not (answer := what()):
        await asyncio.sleep(0.02)
    return answer


def _process_state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().split()[2]


def test_status_lists_each_fault_until_it_ends(running: SimulatorProcess) -> None:
    running.run("fault", "upstream", "down", "--for", "1000")
    running.run("fault", "acks", "src", "delay", "--delay", "3")
    upstream, acks = _status(running)["faults"]
    assert (upstream["area"], upstream["module"], upstream["effect"]) == ("upstream", None, "down")
    assert 900 < upstream["secondsLeft"] <= 1000
    assert (acks["area"], acks["module"], acks["effect"], acks["delaySeconds"]) == ("acks", "src", "delay", 3)
    assert "fault: upstream" in running.run("status")
    running.run("fault", "upstream", "up")
    running.run("fault", "acks", "src", "restore")
    assert _status(running)["faults"] == []


def test_a_fault_ends_by_itself(running: SimulatorProcess) -> None:
    running.run("fault", "link", "src", "drop", "--for", "0.1")
    while _status(running)["faults"]:
        pass


@pytest.mark.parametrize(
    "arguments",
    [("link", "nobody", "drop"), ("module", "src", "kill"), ("link", "src", "drop", "--for", "0")],
)
def test_what_cannot_fail_is_refused(running: SimulatorProcess, arguments: tuple[str, ...]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        running.run("fault", *arguments)


async def test_messages_cross_a_dropped_link_once_it_is_restored(running: SimulatorProcess, module: Make) -> None:
    src, dst = await module(running, "src").connect(), await module(running, "dst").listen()
    running.run("fault", "link", "src", "drop")
    sending = asyncio.create_task(src.send(b"late"))
    await asyncio.wait([sending], timeout=0.3)
    assert not sending.done()
    assert src.client.connected
    running.run("fault", "link", "src", "restore")
    await sending
    assert await dst.bodies(1) == [b"late"]


async def test_withheld_acknowledgements_bring_duplicates(running: SimulatorProcess, module: Make) -> None:
    src, dst = await module(running, "src").connect(), await module(running, "dst").listen()
    running.run("fault", "acks", "src", "withhold")
    sending = asyncio.create_task(src.send(b"twice"))
    assert await dst.bodies(1) == [b"twice"]
    running.run("fault", "acks", "src", "restore")
    await sending
    assert await dst.bodies(1) == [b"twice"]


async def test_duplicated_messages_arrive_twice(running: SimulatorProcess, module: Make) -> None:
    src, dst = await module(running, "src").connect(), await module(running, "dst").listen()
    running.run("fault", "messages", "dst", "duplicate")
    await src.send(b"1")
    running.run("fault", "messages", "dst", "expire")
    await src.send(b"2")
    running.run("fault", "messages", "dst", "restore")
    await src.send(b"3")
    assert await dst.bodies(3) == [b"1", b"1", b"3"]


async def test_a_missed_patch_is_found_at_the_next_connection(running: SimulatorProcess, module: Make) -> None:
    dst = await module(running, "dst").listen()
    running.run("fault", "twin", "dst", "miss")
    running.run("twin", "set", "dst", "a=1")
    assert dst.patches.empty()
    running.kill()
    running.start()
    assert (await dst.patches.get())["a"] == 1


async def _until_started(running: SimulatorProcess, times: int) -> None:
    """Wait until the log says so: a process is there before it has done anything."""
    log = running.state / "logs" / "sleeper.log"
    await _until(lambda: log.exists() and log.read_text() == "started\n" * times)


async def test_a_module_is_killed_frozen_and_restarted(running: SimulatorProcess) -> None:
    await _until_started(running, 1)
    first = await _until(lambda: _sleeper(running)["pid"])
    running.run("fault", "module", "sleeper", "freeze")
    await _until(lambda: _process_state(first) == "T")
    running.run("fault", "module", "sleeper", "thaw")
    await _until(lambda: _process_state(first) == "S")
    running.run("fault", "module", "sleeper", "restart")
    await _until_started(running, 2)
    second = await _until(lambda: _sleeper(running)["pid"])
    assert (second != first, _sleeper(running)["restarts"]) == (True, 0)
    running.run("fault", "module", "sleeper", "kill")
    await _until(lambda: _sleeper(running)["pid"] not in {None, second})
    assert _sleeper(running)["restarts"] == 1
    await _until_started(running, 3)
    assert running.run("logs", "sleeper") == "started\n" * 3
