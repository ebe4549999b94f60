"""Graphs as onnxruntime has optimised them, kept beside their packages: to load one takes next to no time.

They are made in a process of its own (:mod:`edge_inference.optimiser`), so that neither onnxruntime's work on a graph
nor a crash of it touches this one. That a graph cannot be kept is no reason to refuse its model.
"""

import asyncio
import logging
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final, TypeVar

from edge_inference.errors import LoadFailedError, OutOfMemoryError
from edge_inference.package import GRAPH
from edge_inference.runtime import CPU, fingerprint, load_runtime, usable
from edge_inference.seal import is_sound
from edge_inference.store import Allowance, ModelStore

log = logging.getLogger(__name__)

T = TypeVar("T")

COMMAND: Final = (sys.executable, "-m", "edge_inference.optimiser")

WORTH_BYTES: Final = 8 << 20
"""A smaller package is loaded at once, in less time than a process takes to start."""

WAIT_S: Final = 1800.0
"""How long a process is waited for whose CPU time does not run out, whatever it waits for."""

_GROWTH: Final = 2
"""How much larger than its package an optimised graph may be: weights are stored as they were, and as they are used."""


class Optimised:
    """Finds optimised graphs, and has them made.

    Args:
        store: The packages.
        thread: For what blocks.
        command: Starts the process that makes them.
    """

    def __init__(self, store: ModelStore, thread: Executor, command: Sequence[str] = COMMAND) -> None:
        self._store = store
        self._thread = thread
        self._command = command

    async def graph(self, digest: str, providers: Sequence[str], allowance: Allowance) -> Path | None:
        """A package's optimised graph; None if the package's own is to be loaded.

        GPU providers optimise otherwise, and copy the weights anyway: they have none.

        Args:
            digest: Of a package in the store, which was verified.
            providers: What the model is to run on.
            allowance: What the store may take.

        Raises:
            LoadFailedError: The graph brings down the process that loads it.
            OutOfMemoryError: There is not the memory for that process.
        """
        folder = self._store.optimised(digest)
        runtime = await self._do(load_runtime)
        if usable(runtime, providers) != [CPU] or self._store.size(digest) < WORTH_BYTES:
            return None
        if not await self._do(is_sound, folder, fingerprint(runtime)) and not await self._make(digest, allowance):
            return None
        return folder / GRAPH

    async def discard(self, digest: str) -> None:
        """Remove a package's optimised graph, if there is one."""
        await self._do(self._store.discard_optimised, digest)

    async def _make(self, digest: str, allowance: Allowance) -> bool:
        """Whether it was made."""
        most = _GROWTH * self._store.size(digest)
        beside = self._store.beside()
        try:
            await self.discard(digest)
            if await self._do(self._store.room, allowance) < most:
                log.warning("the model store has no room to keep the optimised graph of %s: %d bytes", digest, most)
                return False
            if not await self._run(str(self._store.files(digest) / GRAPH), str(beside), str(most)):
                return False
            await self._do(self._store.keep_optimised, digest, beside)
        except OSError as error:
            log.warning("the optimised graph of %s cannot be kept: %r", digest, error)
            return False
        finally:
            await self._do(shutil.rmtree, beside, True)  # noqa: FBT003 - ignores that it is not there
        return True

    async def _run(self, graph: str, *target: str) -> bool:
        """Whether a process has done it. One that only loads the graph tells whose fault it is where one was ended."""
        status, said = await self._wait(graph, *target)
        if status < 0:
            way = signal.Signals(-status).name
            log.warning("the process that optimises a graph was ended by %s", way)
            if target:
                await self._run(graph)
            elif status == -signal.SIGKILL:
                raise OutOfMemoryError("the process that loads the graph is killed, as where memory ends")
            else:
                raise LoadFailedError(f"the graph ends the process that loads it ({way})")
        elif status:
            log.warning("the graph was not optimised: %s", said)
        return status == 0

    async def _wait(self, *arguments: str) -> tuple[int, str]:
        """How a process ended, and the last that it said of that."""
        command = (*self._command, *arguments)
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
        try:
            async with asyncio.timeout(WAIT_S):
                _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, said.decode(errors="replace").strip().rpartition("\n")[2]

    async def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
