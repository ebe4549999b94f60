"""A module's process, and all that it starts."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from edge_simulator.errors import CommandMissingError

# Docker's time between SIGTERM and SIGKILL.
STOP_TIMEOUT_S: Final = 10.0


def find(command: tuple[str, ...], module: str, search_path: str) -> tuple[str, ...]:
    """Return the command with the path of its program.

    Raises:
        CommandMissingError: there is no command, or no such program.
    """
    hint = f"start it by hand with the environment from `edge-simulator credentials {module}`"
    if not command:
        raise CommandMissingError(f"neither createOptions nor a Dockerfile says what {module} runs: {hint}")
    program = shutil.which(command[0], path=search_path)
    if program is None:
        raise CommandMissingError(f"{module} runs {command[0]!r}, which is not installed here: install it, or {hint}")
    return (program, *command[1:])


async def start(command: tuple[str, ...], env: Mapping[str, str], folder: Path, log: Path) -> Process:
    """Start a program in a session of its own, in `folder`; what it prints is added to `log`."""
    _make_folders(folder, log.parent)
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command, env=env, cwd=folder, stdin=DEVNULL, stdout=output, stderr=STDOUT, start_new_session=True
        )


def _make_folders(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)


async def stop(process: Process) -> None:
    """End a process as Docker ends a container: SIGTERM, and SIGKILL for all that is left after the timeout.

    A frozen one goes on, so that it can end.
    """
    with suppress(ProcessLookupError):
        process.terminate()
    signal_group(process, signal.SIGCONT)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    signal_group(process, signal.SIGKILL)
    await process.wait()


def signal_group(process: Process, number: signal.Signals) -> None:
    """Send a signal to a process, if it is still there, and to those that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
