"""The simulator whole: one device, from its manifest to running modules."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from edge_simulator import address, http
from edge_simulator.agent.agent import Agent
from edge_simulator.agent.guard import guard
from edge_simulator.agent.restart import BACKOFF_UNIT_S
from edge_simulator.agent.volumes import Volumes
from edge_simulator.control.server import ControlApi
from edge_simulator.deployment import AGENT_MODULE, Deployment
from edge_simulator.errors import AddressUnavailableError
from edge_simulator.faults import Faults
from edge_simulator.hub.https import MethodApi
from edge_simulator.hub.hub import Hub
from edge_simulator.hub.twins import DEVICE_TWIN
from edge_simulator.identity import Device
from edge_simulator.manifest import Manifest
from edge_simulator.mqtt.server import Server
from edge_simulator.service import api
from edge_simulator.service.access import Access
from edge_simulator.service.deployments import DeploymentService
from edge_simulator.service.edges import Edge, Edges
from edge_simulator.service.methods import MethodService
from edge_simulator.service.registry import Registry
from edge_simulator.service.twins import TwinService
from edge_simulator.state import State
from edge_simulator.store.database import Database
from edge_simulator.workload.api import WorkloadApi
from edge_simulator.workload.authority import Authority

_SWEEP_S: Final = 1
_FAULT_SWEEP_S: Final = 0.1
# edgeHub cleans its store up every half an hour.
_EXPIRY_S: Final = 1800

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What to run, and how.

    `mounts` puts sources of volumes and binds on folders of the user's choice; `address` fixes the loopback address;
    `backoff_unit_s` is the first wait before a module starts again; `guests` are modules that others run;
    `service_port` fixes the port of the service API.
    """

    manifest: Manifest
    state: Path
    mounts: Mapping[str, Path] = field(default_factory=dict)
    address: str | None = None
    backoff_unit_s: float = BACKOFF_UNIT_S
    guests: tuple[str, ...] = ()
    service_port: int | None = None


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
        tls = authority.server_context(device.gateway_host)
        service_listener = stack.enter_context(address.listen_for_service(device.gateway_host, options.service_port))
        access = Access.derive(f"{device.gateway_host}:{service_listener.getsockname()[1]}", state.secret())
        control = ControlApi(device, state, hub, agent, faults, access)
        await stack.enter_async_context(http.serving(workload.application(), state.workload_socket))
        await stack.enter_async_context(server.serving(listener, tls))
        await stack.enter_async_context(_calling_methods(device, hub, tls))
        deployment = Deployment(hub, agent, options.manifest, options.guests)
        await stack.enter_async_context(http.serving(control.application(), state.control_socket))
        await stack.enter_async_context(_meanwhile(_every(_FAULT_SWEEP_S, faults.lift_ended)))
        await stack.enter_async_context(
            _meanwhile(_every(_SWEEP_S, server.close_silent, hub.resend_overdue, hub.report, deployment.report))
        )
        await stack.enter_async_context(_meanwhile(_every(_EXPIRY_S, hub.remove_expired)))
        stack.callback(hub.monitor.close)
        await stack.enter_async_context(agent.running(mark))
        deployment.follow()
        service = _service(Edges([Edge(device, hub, deployment)]), access)
        await stack.enter_async_context(http.serving_tls(service, service_listener, tls))
        _log.info("service API at https://%s: `edge-simulator connection-string` says how to use it", access.host)
        yield device


def _hub(options: Options, device: Device, database: Database, faults: Faults) -> Hub:
    """Return a hub that knows the manifest's modules, and the guests."""
    manifest = options.manifest
    hub = Hub(device, database, faults)
    hub.twins.add(DEVICE_TWIN)
    hub.twins.deploy(AGENT_MODULE, manifest.agent)
    hub.deploy(manifest.hub)
    for module in sorted({*manifest.modules, *manifest.twins, *options.guests}):
        hub.add_module(module, manifest.twins.get(module, {}))
    return hub


def _service(edges: Edges, access: Access) -> web.Application:
    return api.application(access, Registry(edges), TwinService(edges), MethodService(edges), DeploymentService(edges))


@asynccontextmanager
async def _calling_methods(device: Device, hub: Hub, tls: ssl.SSLContext) -> AsyncIterator[None]:
    """Let modules call each other's methods, on the only port that their SDKs know, where that is permitted."""
    try:
        listener = address.listen_on(device.gateway_host, address.HTTPS_PORT)
    except AddressUnavailableError as error:
        _log.warning("%s; so modules cannot call each other's methods: run as a user who may", error)
        yield
        return
    async with http.serving_tls(MethodApi(device, hub.methods).application(), listener, tls):
        yield


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
