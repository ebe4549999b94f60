"""The modules of a deployment, started in order and stopped together."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from edge_simulator.agent.engine import Engine, Running
from edge_simulator.agent.environment import connection_string, credentials
from edge_simulator.agent.restart import Backoff
from edge_simulator.agent.supervisor import ModuleStatus, Supervisor
from edge_simulator.errors import ModuleNotRunningError
from edge_simulator.faults import Faults
from edge_simulator.identity import Device
from edge_simulator.manifest import ModuleSpec
from edge_simulator.state import State

_HANDED_OVER: Final = "left to a process started by hand; `edge-simulator fault module {} restart` takes it back"


class Agent:
    """edgeAgent for one device."""

    def __init__(self, device: Device, state: State, engine: Engine, faults: Faults, backoff_unit_s: float) -> None:
        self._device = device
        self._state = state
        self._engine = engine
        self._faults = faults
        self._backoff_unit_s = backoff_unit_s
        self._supervisors: dict[str, Supervisor] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._handed_over: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._group = asyncio.TaskGroup()
        faults.watch("module", self.follow_freeze)

    def status(self) -> dict[str, ModuleStatus]:
        """Return how each module is."""
        return {name: supervisor.status for name, supervisor in self._supervisors.items()}

    def credentials(self, module: str) -> dict[str, str]:
        """Return the environment that lets a process connect as `module`."""
        return credentials(self._device, module, self._state.workload_socket)

    def connection_string(self, module: str) -> dict[str, str]:
        """Return the environment that does the same without the workload API."""
        return connection_string(self._device, module, self._state.certificate)

    def require(self, module: str) -> None:
        """Raise ModuleNotRunningError unless this agent runs a module."""
        self._supervisor(module)

    async def restart(self, module: str) -> None:
        """Stop a module, and start it again at once; one that was handed over is taken back.

        Raises:
            ModuleNotRunningError: it does not run.
        """
        supervisor = self._supervisor(module)
        if module in self._handed_over:
            self._handed_over.remove(module)
            self._start_anew(supervisor.spec)
        else:
            await supervisor.restart()

    async def hand_over(self, module: str) -> bool:
        """Stop a module until its next `restart`, so that a process started by hand can take its place.

        Returns:
            Whether it is a module that runs here; others are left to those who run them.
        """
        supervisor = self._supervisors.get(module)
        if supervisor is None:
            return False
        self._handed_over.add(module)
        await asyncio.wait([self._start_anew(supervisor.spec)])
        return True

    def kill(self, module: str) -> None:
        """Kill a module, as the kernel does when memory runs out; its restart policy says what follows.

        Raises:
            ModuleNotRunningError: it does not run.
        """
        self._supervisor(module).signal(signal.SIGKILL)

    def follow_freeze(self, module: str) -> None:
        """Stop a module's processes where they are, or let them go on, as the faults say."""
        number = signal.SIGSTOP if self._faults.frozen(module) else signal.SIGCONT
        with suppress(ModuleNotRunningError):  # there is nothing to stop, or to let go on
            self._supervisor(module).signal(number)

    def _supervisor(self, module: str) -> Supervisor:
        supervisor = self._supervisors.get(module)
        if supervisor is None:
            raise ModuleNotRunningError(f"{module!r} is no module that runs here")
        return supervisor

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the modules that are deployed, until the block ends."""
        async with self._group:
            try:
                yield
            finally:
                self.deploy([])

    def deploy(self, specs: Iterable[ModuleSpec]) -> None:
        """Have exactly these modules: new ones start in order, changed ones afresh, and all others stop."""
        wanted = {spec.name: spec for spec in sorted(specs, key=lambda spec: spec.startup_order)}
        for name in self._supervisors.keys() - wanted.keys():
            self._stop(name)
            self._handed_over.discard(name)
        for name, spec in wanted.items():
            known = self._supervisors.get(name)
            if known is None:
                self._start(spec)
            elif known.spec != spec:
                self._start_anew(spec)

    def _start_anew(self, spec: ModuleSpec) -> asyncio.Task[None]:
        self._stop(spec.name)
        return self._start(spec)

    def _start(self, spec: ModuleSpec) -> asyncio.Task[None]:
        supervisor = Supervisor(spec, self._launch, Backoff(self._backoff_unit_s))
        self._supervisors[spec.name] = supervisor
        self._tasks[spec.name] = task = self._group.create_task(self._run(supervisor))
        return task

    def _stop(self, name: str) -> None:
        del self._supervisors[name]
        self._tasks.pop(name).cancel()

    async def _run(self, supervisor: Supervisor) -> None:
        """Run a module once the process of its name before it has gone, unless it has been handed over."""
        module = supervisor.spec.name
        async with self._locks.setdefault(module, asyncio.Lock()):
            if module in self._handed_over:
                supervisor.status = replace(supervisor.status, reason=_HANDED_OVER.format(module))
            else:
                await supervisor.run()

    async def _launch(self, spec: ModuleSpec) -> Running:
        return await self._engine.launch(spec, self.credentials(spec.name))
