"""Modules as real processes: how they start, end, and leave nothing behind."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge_simulator.agent import guard, process
from edge_simulator.agent.environment import search_path
from edge_simulator.errors import CommandMissingError

CHILD = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); input_ = sys.stdin.read()"


def _alive(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be reaped does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def _line(log: Path) -> str:
    """Wait for a log's first line."""
    while not (text := _text(log)).endswith("\n"):
        await asyncio.sleep(0.01)
    return text


def _text(log: Path) -> str:
    return log.read_text()


class Folder:
    """Starts programs, and stops them all in the end."""

    def __init__(self, path: Path) -> None:
        self.log = path / "logs" / "m.log"
        self.work = path / "work" / "m"
        self.started: list[process.ModuleProcess] = []

    async def python(self, code: str) -> process.ModuleProcess:
        command = (sys.executable, "-c", code)
        running = await process.start(command, {"PATH": os.environ["PATH"]}, self.work, self.log)
        self.started.append(running)
        return running


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    for running in folder.started:
        await running.stop()


def test_programs_are_found_beside_this_python_first() -> None:
    assert process.find(("edge-simulator", "run"), "m", search_path()) == (
        str(Path(sys.executable).with_name("edge-simulator")),
        "run",
    )


def test_and_then_on_the_path() -> None:
    assert Path(process.find(("sleep", "1"), "m", search_path())[0]).is_absolute()


@pytest.mark.parametrize("command", [(), ("no-such-program",)])
def test_a_missing_command_says_what_to_do(command: tuple[str, ...]) -> None:
    with pytest.raises(CommandMissingError, match="edge-simulator credentials m"):
        process.find(command, "m", search_path())


async def test_output_is_added_to_the_log(folder: Folder) -> None:
    for text in ("one", "two"):
        running = await folder.python(f"import os, sys; print('{text}', file=sys.stderr); print(os.getcwd())")
        await running.wait()
    assert folder.log.read_text() == f"one\n{folder.work}\ntwo\n{folder.work}\n"


async def test_a_process_is_asked_to_stop(folder: Folder) -> None:
    code = "import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True); signal.pause()"
    running = await folder.python(code)
    await _line(folder.log)
    assert await running.stop() == 7


async def test_what_a_process_started_ends_with_it(folder: Folder) -> None:
    running = await folder.python(CHILD + "; import signal; signal.pause()")
    child = int(await _line(folder.log))
    assert await running.stop() == -signal.SIGTERM
    while _alive(child):
        await asyncio.sleep(0.01)


SIMULATOR = """
import subprocess, sys, time
from edge_simulator.agent.guard import guard
with guard() as mark:
    subprocess.Popen([sys.executable, "-c", sys.argv[1]], env=dict(mark), start_new_session=True)
    print(*mark.values(), flush=True)
    time.sleep(600)
"""
MODULE = "import subprocess, time; subprocess.Popen(['sleep', '600'], start_new_session=%s); time.sleep(600)"


@pytest.mark.parametrize("detached", [False, True])
async def test_nothing_outlives_a_killed_simulator(*, detached: bool) -> None:
    command = (sys.executable, "-c", SIMULATOR, MODULE % detached)
    simulator = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert simulator.stdout is not None
    mark = f"{guard._VARIABLE}={(await simulator.stdout.readline()).decode().strip()}".encode()
    while len(list(guard._marked(mark))) < 2:
        await asyncio.sleep(0.01)
    simulator.kill()
    await simulator.wait()
    while list(guard._marked(mark)):
        await asyncio.sleep(0.01)


def test_nothing_outlives_a_simulator_that_ends_in_order() -> None:
    program = shutil.which("sleep") or ""
    with guard.guard() as mark:
        left = subprocess.Popen([program, "600"], env=dict(mark), start_new_session=True)
    assert left.wait(timeout=60) == -signal.SIGKILL
