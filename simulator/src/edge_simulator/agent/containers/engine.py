"""Containers for the modules of one device, on a network of their own."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from docker import APIClient

from edge_simulator.agent.containers.client import connect, explained
from edge_simulator.agent.containers.container import Container, Started, start
from edge_simulator.agent.containers.guard import guard
from edge_simulator.agent.containers.images import have
from edge_simulator.agent.containers.project import Project, remove_leftovers
from edge_simulator.agent.containers.request import create_request
from edge_simulator.agent.engine import MakeEngine
from edge_simulator.agent.volumes import Volumes
from edge_simulator.manifest import ModuleSpec, Mount
from edge_simulator.state import State


class ContainerEngine:
    """Runs modules as containers; the hub listens on `address`, where their network has its gateway: this machine."""

    def __init__(self, client: APIClient, project: Project, state: State, placed: Mapping[str, Path]) -> None:
        """Make the device's network, and remove what an earlier run has left.

        Raises:
            ContainerError: the engine refuses.
        """
        self._client = client
        self._project = project
        self._state = state
        self._volumes = Volumes(state.volumes, state.tmpfs, placed)
        self._one_by_one = asyncio.Lock()  # as edgeAgent goes through its plan, in startup order
        with explained(f"network {project.name}"):
            remove_leftovers(client, project)
            client.create_network(project.name, driver="bridge", labels=project.labels)
            network = client.inspect_network(project.name)
        self.address: str | None = network["IPAM"]["Config"][0]["Gateway"]

    async def launch(self, spec: ModuleSpec, own: Mapping[str, str]) -> Container:
        async with self._one_by_one:
            starting = asyncio.create_task(self._launch(spec, own))
            try:
                return await asyncio.shield(starting)
            except asyncio.CancelledError:
                await (await starting).stop()  # a thread goes on, whoever waits for it
                raise

    async def _launch(self, spec: ModuleSpec, own: Mapping[str, str]) -> Container:
        started = await asyncio.to_thread(self._start, spec, own)
        return Container(self._client, started, self._state.log(spec.name))

    def _start(self, spec: ModuleSpec, own: Mapping[str, str]) -> Started:
        have(self._client, spec)
        self._prepare(spec)
        request = create_request(spec, own, self._project, self._place, self._state.workload_socket)
        return start(self._client, request, self._project.of_module(spec.name))

    def _prepare(self, spec: ModuleSpec) -> None:
        """Open to a container's user what only this simulator's could use: the workload API, and folders made here."""
        self._state.workload_socket.chmod(0o666)
        self._state.log(spec.name).parent.mkdir(parents=True, exist_ok=True)
        for mount in spec.options.binds:
            if self._place(mount) is None:  # a bind cannot label the volume that it names
                self._client.create_volume(self._project.volume(mount.source), labels=self._project.volume_labels)
        for mount in (*spec.options.binds, *spec.options.mounts):
            if (folder := self._place(mount)) and not folder.exists():
                folder.mkdir(parents=True)
                folder.chmod(0o777)

    def _place(self, mount: Mount) -> Path | None:
        """Return the folder that stands in for a folder of the host, and for a volume where the user has chosen one."""
        is_folder = mount.kind == "bind" or (mount.kind == "volume" and self._volumes.is_placed(mount.source))
        return self._volumes.folder(mount.source) if is_folder else None


@contextmanager
def container_engines() -> Iterator[MakeEngine]:
    """Give what makes engines whose containers and networks all end with the block, however that ends.

    Raises:
        ContainerError: there is no container engine.
    """
    with closing(connect()) as client, guard() as run:

        def make(state: State, placed: Mapping[str, Path]) -> ContainerEngine:
            return ContainerEngine(client, Project.of(state, run), state, placed)

        yield make
