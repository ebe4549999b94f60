"""Bringing a release to a scope, such that every device keeps the model that it is told to run."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from deploy.history import History
from deploy.hub import Hub
from deploy.release import Release, changes, digest
from deploy.scope import Scope

_BASE_PRIORITY: Final = 10
_LAYER_PRIORITY: Final = 11
"""IoT Hub wants layered deployments above the one that they are put on."""


class Rollout:
    """Brings releases to one device or to a fleet; done again, it changes nothing, or finishes what was interrupted.

    Args:
        hub: The hub of the devices.
        scope: Which devices.
    """

    def __init__(self, hub: Hub, scope: Scope) -> None:
        self._hub = hub
        self._scope = scope.require()
        self._history = History(hub, scope)

    def deploy(self, release: Release) -> Iterator[str]:
        """Deploy a release; yields a sentence for each thing done."""
        self._check()
        yield from self._bring(self._history.record(release), release)

    def roll_back(self) -> Iterator[str]:
        """Deploy the release before the one in force.

        Raises:
            DeployError: There is none.
        """
        yield from self._bring(*self._history.before())

    def _check(self) -> None:
        """Have the hub refuse a device or a condition that makes no sense before anything is recorded for it."""
        for device in self._scope.devices(self._hub)[:1]:
            self._hub.modules(device)

    def _bring(self, name: str, release: Release) -> Iterator[str]:
        """Note that it is in force first: whatever becomes of the rest, rolling back then leads to the one before."""
        self._history.put_in_force(name)
        if self._scope.device:
            self._give(release)
        else:
            self._target(release)
        devices = self._scope.devices(self._hub)
        yield f"{name} is in force for {self._scope.text} ({len(devices)} at present)"
        for device in devices:
            yield from self._settle(device, release.settings)

    def _give(self, release: Release) -> None:
        device = self._scope.device
        self._hub.apply(device, release.for_device(self._hub.modules(device)))

    def _target(self, release: Release) -> None:
        """Put the layer up before what it lies on: a base alone would remove every module, and its twin with it."""
        prefix = f"edge-ml-{self._scope.key}"
        parts = {
            f"{prefix}-modules-{digest(release.layer)}": (release.layer, _LAYER_PRIORITY),
            f"{prefix}-system-{digest(release.system)}": (release.system, _BASE_PRIORITY),
        }
        for name, (content, priority) in parts.items():
            self._ensure(name, content, priority)
        for group in ("modules", "system"):
            for name in self._hub.configurations(f"{prefix}-{group}-").keys() - parts.keys():
                self._hub.delete(name)

    def _ensure(self, name: str, content: Mapping[str, Any], priority: int) -> None:
        if name not in self._hub.configurations(name):
            self._hub.create(name, content, {"scope": self._scope.text}, self._scope.condition, priority)

    def _settle(self, device: str, settings: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
        """Write settings into the twins that are there."""
        twins = self._hub.modules(device)
        for module, wanted in settings.items():
            if module not in twins:
                yield f"{device} has no module {module} yet: deploy again once it has, for its settings"
            elif patch := changes(wanted, twins[module].properties.desired or {}):
                self._hub.set_desired(device, module, patch)
                yield f"{device}: {module} is told {', '.join(sorted(patch))}"
