"""Brings configurations to the devices and modules that they are for, once each time that something changes."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from edge_simulator.deployment import AGENT_MODULE
from edge_simulator.errors import TwinError
from edge_simulator.hub.twins import DEVICE_TWIN
from edge_simulator.manifest import ManifestError
from edge_simulator.service.configurations.layering import layers, merge
from edge_simulator.service.configurations.model import Configuration
from edge_simulator.service.configurations.store import ConfigurationStore
from edge_simulator.service.documents import twin_document
from edge_simulator.service.edges import Edge, Edges

_OK: Final = 200

_log = logging.getLogger(__name__)


class Rollout:
    """Applies what matches; what no longer does stays as it is, as on IoT Hub."""

    def __init__(self, edges: Edges, store: ConfigurationStore) -> None:
        self._edges = edges
        self._store = store

    def run(self) -> None:
        """Bring every device up to date; to be called after changes, and every second or so."""
        before = dict(self._store.applied)
        for edge in self._edges if self._store.all else ():
            self._deploy(edge)
            self._set_up(edge, DEVICE_TWIN, "deviceContent")
            for module in edge.modules:
                self._set_up(edge, module, "moduleContent")
        if self._store.applied != before:
            self._store.save()

    def results(self, configuration: Configuration) -> dict[str, int]:
        """Return a configuration's system metrics."""
        targeted = [edge for edge in self._edges if self._targets(edge, configuration)]
        applied = [edge for edge in targeted if self._was_applied(edge, configuration)]
        reported = [_code(edge) for edge in applied if configuration.has("modulesContent")]
        return {
            "targetedCount": len(targeted),
            "appliedCount": len(applied),
            "reportedSuccessfulCount": reported.count(_OK),
            "reportedFailedCount": len(reported) - reported.count(None) - reported.count(_OK),
        }

    def _deploy(self, edge: Edge) -> None:
        deployments = layers(self._matching(edge, DEVICE_TWIN, "modulesContent"))
        self._once(edge, "modules", deployments, lambda: edge.deployer.apply(merge(deployments)))

    def _set_up(self, edge: Edge, module: str, part: str) -> None:
        settings = sorted(self._matching(edge, module, part), key=lambda configuration: configuration.order)

        def apply() -> None:
            for configuration in settings:
                edge.deployer.apply({module: configuration.content[part]})

        self._once(edge, f"{part}:{module}", settings, apply)

    def _once(self, edge: Edge, purpose: str, configurations: list[Configuration], apply: Callable[[], None]) -> None:
        """Apply configurations unless they were what was applied the last time."""
        place = f"{edge.device.device_id}/{purpose}"
        wanted = [[configuration.id, configuration.etag] for configuration in configurations]
        if not wanted or self._store.applied.get(place) == wanted:
            return
        self._store.applied[place] = wanted
        try:
            apply()
        except (ManifestError, TwinError) as error:
            _log.error("cannot apply %s to %s: %s", ", ".join(name for name, _ in wanted), place, error)

    def _matching(self, edge: Edge, module: str, part: str) -> list[Configuration]:
        kind = "devices" if module == DEVICE_TWIN else "devices.modules"
        candidates = [one for one in self._store.all.values() if one.has(part) and one.target is not None]
        if not candidates:
            return []
        twin = twin_document(edge, module)
        return [one for one in candidates if (query := one.target) and query.collection == kind and query.matches(twin)]

    def _targets(self, edge: Edge, configuration: Configuration) -> bool:
        query = configuration.target
        if query is None:
            return False
        modules: Iterable[str] = [DEVICE_TWIN] if query.collection == "devices" else edge.modules
        return any(query.matches(twin_document(edge, module)) for module in modules)

    def _was_applied(self, edge: Edge, configuration: Configuration) -> bool:
        mark, prefix = [configuration.id, configuration.etag], f"{edge.device.device_id}/"
        return any(mark in marks for place, marks in self._store.applied.items() if place.startswith(prefix))


def _code(edge: Edge) -> Any:
    """Return what edgeAgent reports of its last deployment."""
    return edge.twin(AGENT_MODULE).reported.get("lastDesiredStatus", {}).get("code")
