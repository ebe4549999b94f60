"""``make simulate``, and Ctrl-C."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from edge_examples.suite import POLL_S
from edge_simulator.control.client import ControlClient
from edge_simulator.errors import SimulatorError

pytestmark = pytest.mark.system

COMMAND = Path(sys.executable).with_name("edge-run")


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def processes(state: Path) -> list[int]:
    """The modules' processes, once all run."""
    found: list[int] = []
    while len(found) < 4:
        await asyncio.sleep(POLL_S)
        try:
            async with ControlClient.connect(state) as control:
                found = [module["pid"] for module in (await control.status())["modules"] if module["pid"]]
        except SimulatorError:
            continue
    return found


async def test_ctrl_c_leaves_nothing_running_and_is_no_failure(tmp_path: Path) -> None:
    stay = await asyncio.create_subprocess_exec(
        COMMAND, "stay", "--folder", tmp_path, stdout=asyncio.subprocess.DEVNULL, start_new_session=True
    )
    modules = await processes(tmp_path / "simulator")
    stay.send_signal(signal.SIGINT)
    assert await stay.wait() == 0
    assert not [process for process in modules if alive(process)]


async def test_a_killed_run_leaves_nothing_running_either(tmp_path: Path) -> None:
    stay = await asyncio.create_subprocess_exec(
        COMMAND, "stay", "--folder", tmp_path, stdout=asyncio.subprocess.DEVNULL, start_new_session=True
    )
    modules = await processes(tmp_path / "simulator")
    stay.kill()
    await stay.wait()
    while [process for process in modules if alive(process)]:
        await asyncio.sleep(POLL_S)
