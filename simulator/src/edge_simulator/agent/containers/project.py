"""What a device has in the container engine: its names, and the labels that everything of it carries."""

import hashlib
from dataclasses import dataclass
from typing import Final, Self

from docker import APIClient

from edge_simulator.state import State

_STATE: Final = "edge-simulator.state"
_PROJECT: Final = "edge-simulator.project"
_RUN: Final = "edge-simulator.run"


@dataclass(frozen=True, slots=True)
class Project:
    """One device in one run of the simulator.

    `name` belongs to the device's secret: a state folder that was emptied is another project. `run` is the mark of the
    simulator's process.
    """

    name: str
    state: str
    run: str

    @classmethod
    def of(cls, state: State, run: str) -> Self:
        """Return the project of a state folder."""
        return cls(f"edge-{hashlib.sha256(state.secret()).hexdigest()[:10]}", str(state.root), run)

    @property
    def labels(self) -> dict[str, str]:
        """What containers and the network carry: they go when the run ends."""
        return {**self.volume_labels, _RUN: self.run}

    @property
    def volume_labels(self) -> dict[str, str]:
        """What volumes carry: they stay as long as the state folder."""
        return {_STATE: self.state, _PROJECT: self.name}

    def of_module(self, module: str) -> str:
        """Return the name of a module's container."""
        return f"{self.name}-{module}"

    def volume(self, source: str) -> str:
        """Return the name of the volume that a manifest calls `source`."""
        return f"{self.name}-{source}"


def remove_leftovers(client: APIClient, project: Project) -> None:
    """Remove what earlier runs on this state folder have left, and the volumes that a folder before it had."""
    label = f"{_STATE}={project.state}"
    _remove(client, label)
    for volume in client.volumes(filters={"label": label})["Volumes"] or ():
        if volume["Labels"][_PROJECT] != project.name:
            client.remove_volume(volume["Name"])


def remove_run(client: APIClient, run: str) -> None:
    """Remove the containers and networks of a run."""
    _remove(client, f"{_RUN}={run}")


def _remove(client: APIClient, label: str) -> None:
    for container in client.containers(all=True, filters={"label": label}):
        client.remove_container(container["Id"], force=True, v=True)
    for network in client.networks(filters={"label": label}):
        client.remove_network(network["Id"])
