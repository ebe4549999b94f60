"""The simulator whole: devices, from their manifest to running modules, and the service API for all of them."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web

from edge_simulator import address, http
from edge_simulator.agent.engines import EngineName, engines
from edge_simulator.agent.restart import BACKOFF_UNIT_S
from edge_simulator.device import Deployment, placed
from edge_simulator.device import running as device_running
from edge_simulator.identity import DEVICE_ID
from edge_simulator.manifest import Manifest
from edge_simulator.service import api
from edge_simulator.service.access import Access
from edge_simulator.service.configurations.api import ConfigurationService
from edge_simulator.service.configurations.rollout import Rollout
from edge_simulator.service.configurations.store import ConfigurationStore
from edge_simulator.service.deployments import DeploymentService
from edge_simulator.service.edges import Edges
from edge_simulator.service.methods import MethodService
from edge_simulator.service.registry import Registry
from edge_simulator.service.twin_queries import QueryService
from edge_simulator.service.twins import TwinService
from edge_simulator.state import State
from edge_simulator.tasks import every, meanwhile
from edge_simulator.workload.authority import Authority

# There are 253 loopback addresses for all simulators of a machine.
MOST_DEVICES: Final = 100
_ROLLOUT_S: Final = 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What to run, and how.

    `mounts` puts sources of volumes and binds on folders of the user's choice; `address` fixes the loopback address of
    the only device; `backoff_unit_s` is the first wait before a module starts again; `guests` are modules that others
    run; `service_port` fixes the port of the service API. One of several `devices` has everything in a folder of its
    own below `state`, and below each folder of `mounts`. `engine` says what modules run on.
    """

    manifest: Manifest
    state: Path
    mounts: Mapping[str, Path] = field(default_factory=dict)
    address: str | None = None
    backoff_unit_s: float = BACKOFF_UNIT_S
    guests: tuple[str, ...] = ()
    service_port: int | None = None
    devices: int = 1
    engine: EngineName = "process"


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[Edges]:
    """Run all devices for as long as the block lasts; modules may connect once it is entered.

    Raises:
        SimulatorError: it cannot start.
        RouteError: the manifest's routes cannot be used.
    """
    root = State(options.state)
    states = _states(root, options.devices)
    async with AsyncExitStack() as stack:
        for state in {root, *states.values()}:
            stack.enter_context(state.claim())
        make_engine = stack.enter_context(engines(options.engine))
        places = [
            stack.enter_context(placed(name, state, make_engine(state, _mounts(options, name)), options.address))
            for name, state in states.items()
        ]
        host, authority = places[0].device.gateway_host, Authority.open(root.authority)
        listener = stack.enter_context(address.listen_for_service(host, options.service_port))
        access = Access.derive(f"{host}:{listener.getsockname()[1]}", root.secret())
        deployment = Deployment(options.manifest, options.backoff_unit_s, options.guests)
        edges = Edges(
            [await stack.enter_async_context(device_running(place, deployment, authority, access)) for place in places]
        )
        _log.info("service API at https://%s: `edge-simulator connection-string` says how to use it", access.host)
        store = ConfigurationStore(root.configurations)
        rollout = Rollout(edges, store)
        service = _service(edges, access, store, rollout)
        await stack.enter_async_context(meanwhile(every(_ROLLOUT_S, rollout.run)))
        await stack.enter_async_context(http.serving_tls(service, listener, authority.server_context(host)))
        yield edges


def _states(root: State, count: int) -> dict[str, State]:
    """Return the state folder of each device: the only one has `root` for itself."""
    if count == 1:
        return {DEVICE_ID: root}
    names = [f"{DEVICE_ID}-{number}" for number in range(1, count + 1)]
    return {name: root.of_device(name) for name in names}


def _mounts(options: Options, device: str) -> Mapping[str, Path]:
    if options.devices == 1:
        return options.mounts
    return {source: folder / device for source, folder in options.mounts.items()}


def _service(edges: Edges, access: Access, store: ConfigurationStore, rollout: Rollout) -> web.Application:
    parts = (Registry, TwinService, MethodService, DeploymentService, QueryService)
    return api.application(access, edges, ConfigurationService(store, rollout), *(part(edges) for part in parts))
