"""The simulator whole: one device, from its manifest to running modules."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from edge_simulator import address, http
from edge_simulator.agent.agent import Agent
from edge_simulator.agent.guard import guard
from edge_simulator.agent.restart import BACKOFF_UNIT_S
from edge_simulator.agent.volumes import Volumes
from edge_simulator.control.server import ControlApi
from edge_simulator.faults import Faults
from edge_simulator.hub.hub import Hub
from edge_simulator.identity import Device
from edge_simulator.manifest import Manifest
from edge_simulator.mqtt.server import Server
from edge_simulator.state import State
from edge_simulator.store.database import Database
from edge_simulator.workload.api import WorkloadApi
from edge_simulator.workload.authority import Authority

AGENT_MODULE: Final = "$edgeAgent"
_SWEEP_S: Final = 1
_FAULT_SWEEP_S: Final = 0.1
# edgeHub cleans its store up every half an hour.
_EXPIRY_S: Final = 1800


@dataclass(frozen=True, slots=True)
class Options:
    """What to run, and how.

    `mounts` puts sources of volumes and binds on folders of the user's choice; `address` fixes the loopback address;
    `backoff_unit_s` is the first wait before a module starts again; `guests` are modules that others run.
    """

    manifest: Manifest
    state: Path
    mounts: Mapping[str, Path] = field(default_factory=dict)
    address: str | None = None
    backoff_unit_s: float = BACKOFF_UNIT_S
    guests: tuple[str, ...] = ()


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[Device]:
    """Run a device for as long as the block lasts; modules may connect once it is entered.

    Raises:
        SimulatorError: it cannot start.
        RouteError: the manifest's routes cannot be used.
    """
    state = State(options.state)
    async with AsyncExitStack() as stack:
        stack.enter_context(state.claim())
        mark = stack.enter_context(guard())
        listener = stack.enter_context(
            address.listen_on(options.address) if options.address else address.listen(state.last_address())
        )
        device = Device(listener.getsockname()[0], state.secret())
        state.remember_address(device.gateway_host)
        authority = Authority.open(state.authority)
        database = stack.enter_context(closing(Database(state.database)))
        faults = Faults()
        hub = _hub(options, device, database, faults)
        await stack.enter_async_context(_meanwhile(database.keep_committing()))
        server = Server(hub)
        faults.watch("link", server.follow_links)
        agent = Agent(
            device, state, Volumes(state.volumes, state.tmpfs, options.mounts), faults, options.backoff_unit_s
        )
        workload = WorkloadApi(device, authority.pem, hub.modules)
        control = ControlApi(device, state, hub, agent, faults)
        await stack.enter_async_context(http.serving(workload.application(), state.workload_socket))
        await stack.enter_async_context(server.serving(listener, authority.server_context(device.gateway_host)))
        await stack.enter_async_context(http.serving(control.application(), state.control_socket))
        await stack.enter_async_context(_meanwhile(_every(_FAULT_SWEEP_S, faults.lift_ended)))
        await stack.enter_async_context(_meanwhile(_every(_SWEEP_S, server.close_silent, hub.resend_overdue)))
        await stack.enter_async_context(_meanwhile(_every(_EXPIRY_S, hub.remove_expired)))
        stack.callback(hub.monitor.close)
        await stack.enter_async_context(agent.running(options.manifest.modules.values(), mark))
        yield device


def _hub(options: Options, device: Device, database: Database, faults: Faults) -> Hub:
    """Return a hub that knows the manifest's modules, and the guests."""
    manifest = options.manifest
    hub = Hub(device, database, faults)
    hub.twins.deploy(AGENT_MODULE, manifest.agent)
    hub.deploy(manifest.hub)
    for module in sorted({*manifest.modules, *manifest.twins, *options.guests}):
        hub.add_module(module, manifest.twins.get(module, {}))
    return hub


@asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` until the block ends; what it raises ends the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        finally:
            task.cancel()


async def _every(interval_s: float, *actions: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(interval_s)
        for action in actions:
            action()
