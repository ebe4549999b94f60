"""Modules as processes of this machine, with folders in the place of mounts."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from edge_simulator.agent.engine import MakeEngine
from edge_simulator.agent.environment import environment, search_path
from edge_simulator.agent.guard import guard
from edge_simulator.agent.ports import local_ports
from edge_simulator.agent.volumes import Volumes, working_folder
from edge_simulator.errors import CommandMissingError
from edge_simulator.manifest import ModuleSpec
from edge_simulator.state import State

# Docker's time between SIGTERM and SIGKILL.
STOP_TIMEOUT_S: Final = 10.0


class ModuleProcess:
    """A module's process, and all that it starts."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> int:
        return await self._process.wait()

    async def stop(self) -> int:
        with suppress(ProcessLookupError):
            self._process.terminate()
        self.signal(signal.SIGCONT)
        with suppress(TimeoutError):  # what has not ended by then is killed
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)
        self.signal(signal.SIGKILL)
        return await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


class ProcessEngine:
    """Runs modules as processes that carry `mark` in their environment."""

    address: str | None = None

    def __init__(self, state: State, volumes: Volumes, mark: Mapping[str, str]) -> None:
        self._state = state
        self._volumes = volumes
        self._mark = mark

    async def launch(self, spec: ModuleSpec, own: Mapping[str, str]) -> ModuleProcess:
        command = find(spec.command, spec.name, search_path())
        self._volumes.prepare(spec)
        folders = self._volumes.folders(spec)
        return await start(
            command,
            env=environment(spec, {**own, **self._mark}, folders, local_ports(spec)),
            folder=working_folder(spec, folders, self._state.work / spec.name),
            log=self._state.log(spec.name),
        )


@contextmanager
def process_engines() -> Iterator[MakeEngine]:
    """Give what makes engines whose processes all end with the block, however that ends."""
    with guard() as mark:

        def make(state: State, placed: Mapping[str, Path]) -> ProcessEngine:
            return ProcessEngine(state, Volumes(state.volumes, state.tmpfs, placed), mark)

        yield make


def find(command: tuple[str, ...], module: str, search_path: str) -> tuple[str, ...]:
    """Return the command with the path of its program.

    Raises:
        CommandMissingError: there is no command, or no such program.
    """
    hint = f"start it by hand with the environment from `edge-simulator credentials {module}`"
    if not command:
        raise CommandMissingError(f"neither createOptions nor a Dockerfile says what to run: {hint}")
    program = shutil.which(command[0], path=search_path)
    if program is None:
        raise CommandMissingError(f"program {command[0]!r} is not installed here: install it, or {hint}")
    return (program, *command[1:])


async def start(command: tuple[str, ...], env: Mapping[str, str], folder: Path, log: Path) -> ModuleProcess:
    """Start a program in a session of its own, in `folder`; what it prints is added to `log`."""
    _make_folders(folder, log.parent)
    with log.open("ab") as output:
        return ModuleProcess(
            await asyncio.create_subprocess_exec(
                *command, env=env, cwd=folder, stdin=DEVNULL, stdout=output, stderr=STDOUT, start_new_session=True
            )
        )


def _make_folders(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
