"""One module kept in the state that its deployment wants."""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from edge_simulator.agent.engine import Running
from edge_simulator.agent.restart import Backoff, restarts
from edge_simulator.errors import LaunchError, ModuleNotRunningError
from edge_simulator.manifest import ModuleSpec

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """How a module is; `exit_code` of its last run, `reason` where it does not run at all.

    Times are in seconds since the epoch.
    """

    status: Literal["stopped", "running", "backoff", "failed"] = "stopped"
    pid: int | None = None
    restarts: int = 0
    exit_code: int | None = None
    reason: str | None = None
    started_at: float | None = field(default=None, compare=False)
    ended_at: float | None = field(default=None, compare=False)


class Supervisor:
    """Runs a module, and again by its restart policy."""

    def __init__(self, spec: ModuleSpec, launch: Callable[[ModuleSpec], Awaitable[Running]], backoff: Backoff) -> None:
        self.spec = spec
        self.status = ModuleStatus()
        self._launch = launch
        self._backoff = backoff
        self._running: Running | None = None
        self._start_now = asyncio.Event()

    async def run(self) -> None:
        """Keep the module until its policy lets it rest; cancel to stop it."""
        if self.spec.status != "running":
            return
        try:
            while await self._run_once():
                pass
        except (LaunchError, OSError) as error:
            _log.error("%s cannot run: %s", self.spec.name, error)
            self.status = replace(self.status, status="failed", reason=str(error))

    async def restart(self) -> None:
        """Stop the module as Docker does, and start it again at once; one that waits for its next start starts now.

        Raises:
            ModuleNotRunningError: it does neither.
        """
        if self.status.status == "backoff":
            self._start_now.set()
            return
        running = self._require()
        self._start_now.set()
        await running.stop()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the module, and all that it started.

        Raises:
            ModuleNotRunningError: it does not run.
        """
        self._require().signal(number)

    def _require(self) -> Running:
        if self._running is None:
            raise ModuleNotRunningError(f"{self.spec.name} does not run")
        return self._running

    async def _run_once(self) -> bool:
        """Run the module, and wait as long as its next start has to; return whether there is one."""
        started = time.monotonic()
        self._start_now.clear()
        self._running = running = await self._launch(self.spec)
        self.status = replace(self.status, status="running", pid=running.pid, started_at=time.time())
        _log.info("%s runs as process %d", self.spec.name, running.pid)
        try:
            exit_code = await running.wait()
        finally:
            self._running = None
            ended = await running.stop()
            self.status = replace(self.status, status="stopped", pid=None, exit_code=ended, ended_at=time.time())
        return await self._rest(exit_code, time.monotonic() - started)

    async def _rest(self, exit_code: int, ran_s: float) -> bool:
        name = self.spec.name
        if self._start_now.is_set():
            _log.info("%s ended with exit code %d: starting it again, as asked", name, exit_code)
            return True
        if not restarts(self.spec, exit_code):
            _log.info("%s ended with exit code %d", name, exit_code)
            self.status = replace(self.status, status="failed" if exit_code else "stopped")
            return False
        wait_s = self._backoff.next_wait(ran_s)
        if wait_s is None:
            _log.error("%s ended with exit code %d, once too often", name, exit_code)
            self.status = replace(self.status, status="failed")
            return False
        _log.warning("%s ended with exit code %d: starting it again in %g s", name, exit_code, wait_s)
        self.status = replace(self.status, status="backoff", restarts=self.status.restarts + 1)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._start_now.wait(), wait_s)
        return True
