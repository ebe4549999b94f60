"""A deployment taken up while everything runs: sections become twins, and edgeAgent and edgeHub follow theirs."""

import logging
from collections.abc import Collection, Mapping
from typing import Any, Final

from edge_simulator.agent.agent import Agent
from edge_simulator.agent.report import report
from edge_simulator.hub import twin_rules
from edge_simulator.hub.hub import HUB_MODULE, Hub
from edge_simulator.manifest import Manifest, ManifestError, desired_after, read_modules
from edge_simulator.store.twins import JsonObject

AGENT_MODULE: Final = "$edgeAgent"

_log = logging.getLogger(__name__)


class Deployer:
    """Keeps a device's modules as the desired properties of `$edgeAgent` have them."""

    def __init__(self, hub: Hub, agent: Agent, manifest: Manifest, guests: Collection[str]) -> None:
        """Follow `$edgeAgent`, away from what the manifest says; `guests` stay, whatever it says."""
        self._hub = hub
        self._agent = agent
        self._project = manifest.project
        self._guests = guests
        self._named = set(manifest.modules)
        self._error: ManifestError | None = None
        hub.watch(AGENT_MODULE, self.follow)

    def apply(self, sections: Mapping[str, Any]) -> None:
        """Take a manifest's sections: `properties.desired` in place of a twin's, dotted names into it.

        Raises:
            ManifestError: a section is no object.
            TwinError: a section does not fit in a twin; nothing has changed.
        """
        desired = {module: self._after(module, section) for module, section in sections.items()}
        for module in sorted(desired, key=(HUB_MODULE, AGENT_MODULE).count):
            if module not in self._hub.twins:
                self._hub.add_module(module, {})
            self._hub.replace_desired(module, desired[module])

    def follow(self) -> None:
        """Have exactly the modules that `$edgeAgent` names; if it makes no sense, go on as before, and report it."""
        try:
            specs = read_modules(self._hub.twins.get(AGENT_MODULE).desired, self._project)
        except ManifestError as error:
            _log.error("the modules before stay as they are: $edgeAgent: %s", error)
            self._error = error
        else:
            self._error = None
            self._identify(specs.keys())
            self._agent.deploy(specs.values())
        self.report()

    def report(self) -> None:
        """Report as `$edgeAgent`."""
        twin = self._hub.twins.get(AGENT_MODULE)
        reported = report(twin.desired, twin.desired_version, self._error, self._agent.status())
        self._hub.twins.report_all(AGENT_MODULE, reported)

    def _identify(self, named: Collection[str]) -> None:
        for module in self._named.difference(named, self._guests):
            self._hub.remove_module(module)
        for module in set(named).difference(self._hub.modules):
            self._hub.add_module(module, {})
        self._named = set(named)

    def _after(self, module: str, section: Any) -> JsonObject:
        known = self._hub.twins.get(module).desired if module in self._hub.twins else {}
        desired = twin_rules.check_patch(desired_after(section, known, module))
        twin_rules.check_size(desired)
        return desired
