"""The devices that the service API is about."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_simulator.deployment import AGENT_MODULE, Deployer
from edge_simulator.hub.hub import HUB_MODULE, Hub
from edge_simulator.hub.twins import DEVICE_TWIN
from edge_simulator.identity import Device
from edge_simulator.service.errors import device_not_found, module_not_found
from edge_simulator.store.twins import Twin

SYSTEM_MODULES: Final = (AGENT_MODULE, HUB_MODULE)


@dataclass(frozen=True, slots=True)
class Edge:
    """A running device."""

    device: Device
    hub: Hub
    state: Path
    deployer: Deployer

    @property
    def modules(self) -> list[str]:
        """All modules, edgeAgent and edgeHub first."""
        return [*SYSTEM_MODULES, *sorted(self.hub.modules)]

    def twin(self, module: str) -> Twin:
        """Return a module's twin; with `DEVICE_TWIN`, the device's.

        Raises:
            ServiceError: there is no such module.
        """
        if module not in self.hub.twins:
            raise module_not_found(self.device.device_id, module)
        return self.hub.twins.get(module)

    def is_connected(self, module: str) -> bool:
        """Say whether a module, or the device itself, is connected; edgeAgent and edgeHub always are."""
        return module in {DEVICE_TWIN, *SYSTEM_MODULES, *self.hub.connected()}


class Edges:
    """Devices by their id."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self._edges: Mapping[str, Edge] = {edge.device.device_id: edge for edge in edges}

    def __iter__(self) -> Iterator[Edge]:
        return iter(self._edges.values())

    def get(self, device: str) -> Edge:
        """Return a device.

        Raises:
            ServiceError: there is no such device.
        """
        if device not in self._edges:
            raise device_not_found(device)
        return self._edges[device]
