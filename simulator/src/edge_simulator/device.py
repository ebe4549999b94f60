"""One running device: its hub, its agent, and the ways to reach them."""

import logging
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from typing import Final

from edge_simulator import address, http
from edge_simulator.agent.agent import Agent
from edge_simulator.agent.engine import Engine
from edge_simulator.control.server import ControlApi
from edge_simulator.deployment import AGENT_MODULE, Deployer
from edge_simulator.errors import AddressUnavailableError
from edge_simulator.faults import Faults
from edge_simulator.hub.https import MethodApi
from edge_simulator.hub.hub import Hub
from edge_simulator.hub.twins import DEVICE_TWIN
from edge_simulator.identity import Device
from edge_simulator.manifest import Manifest
from edge_simulator.mqtt.server import Server
from edge_simulator.service.access import Access
from edge_simulator.service.edges import Edge
from edge_simulator.state import State
from edge_simulator.store.database import Database
from edge_simulator.tasks import every, meanwhile
from edge_simulator.workload.api import WorkloadApi
from edge_simulator.workload.authority import Authority

_SWEEP_S: Final = 1
_FAULT_SWEEP_S: Final = 0.1
# edgeHub cleans its store up every half an hour.
_EXPIRY_S: Final = 1800

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a device runs.

    `backoff_unit_s` is the first wait before a module starts again; `guests` are modules that others run.
    """

    manifest: Manifest
    backoff_unit_s: float
    guests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A device that can be found, and does not run yet: identity, folder, engine, and the socket for its modules."""

    device: Device
    state: State
    engine: Engine
    listener: socket.socket


@contextmanager
def placed(device_id: str, state: State, engine: Engine, fixed_address: str | None) -> Iterator[Place]:
    """Give a device an address: its engine's or `fixed_address`, else the one that it had, or the first free one.

    Raises:
        AddressUnavailableError: there is none.
    """
    fixed = engine.address or fixed_address
    wanted = address.listen_on(fixed) if fixed else address.listen(state.last_address())
    with wanted as listener:
        device = Device(listener.getsockname()[0], state.secret(), device_id=device_id)
        state.remember_address(device.gateway_host)
        yield Place(device, state, engine, listener)


@asynccontextmanager
async def running(place: Place, deployment: Deployment, authority: Authority, access: Access) -> AsyncIterator[Edge]:
    """Run a device for as long as the block lasts.

    Raises:
        RouteError: the manifest's routes cannot be used.
    """
    device, state, faults = place.device, place.state, Faults()
    async with AsyncExitStack() as stack:
        database = stack.enter_context(closing(Database(state.database)))
        hub = _hub(deployment, device, database, faults)
        await stack.enter_async_context(meanwhile(database.keep_committing()))
        server = Server(hub)
        faults.watch("link", server.follow_links)
        agent = Agent(device, state, place.engine, faults, deployment.backoff_unit_s)
        workload = WorkloadApi(device, authority.pem, hub.modules)
        tls = authority.server_context(device.gateway_host)
        deployer = Deployer(hub, agent, deployment.manifest, deployment.guests)
        control = ControlApi(device, state, hub, agent, faults, access)
        await stack.enter_async_context(http.serving(workload.application(), state.workload_socket))
        await stack.enter_async_context(server.serving(place.listener, tls))
        await stack.enter_async_context(_calling_methods(device, hub, tls))
        await stack.enter_async_context(http.serving(control.application(), state.control_socket))
        await stack.enter_async_context(meanwhile(every(_FAULT_SWEEP_S, faults.lift_ended)))
        await stack.enter_async_context(
            meanwhile(
                every(_SWEEP_S, server.close_silent, hub.close_expired, hub.resend_overdue, hub.report, deployer.report)
            )
        )
        await stack.enter_async_context(meanwhile(every(_EXPIRY_S, hub.remove_expired)))
        stack.callback(hub.monitor.close)
        await stack.enter_async_context(agent.running())
        deployer.follow()
        yield Edge(device, hub, state.root, deployer)


def _hub(deployment: Deployment, device: Device, database: Database, faults: Faults) -> Hub:
    """Return a hub that knows the manifest's modules, and the guests."""
    manifest = deployment.manifest
    hub = Hub(device, database, faults)
    hub.twins.add(DEVICE_TWIN)
    hub.twins.deploy(AGENT_MODULE, manifest.agent)
    hub.deploy(manifest.hub)
    for module in sorted({*manifest.modules, *manifest.twins, *deployment.guests}):
        hub.add_module(module, manifest.twins.get(module, {}))
    return hub


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
