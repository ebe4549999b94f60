"""The twins of the device's modules, `$edgeAgent` and `$edgeHub` among them, and of the device itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from edge_simulator.errors import UnknownModuleError
from edge_simulator.hub import twin_rules
from edge_simulator.store.twins import JsonObject, Twin, TwinStore

DEVICE_TWIN: Final = ""


class Twins:
    """Reads come from memory; every change is stored in the open transaction."""

    def __init__(self, store: TwinStore) -> None:
        self._store = store
        self._twins = store.load()

    def deploy(self, module: str, section: Mapping[str, Any]) -> None:
        """Take a deployment's desired properties for a module, unless they are those that it had the last time."""
        known = self._twins.get(module)
        if known is None:
            self._save(module, Twin(dict(section), dict(section), 1, {}, 1))
        elif known.section != section:
            version = known.desired_version + 1
            self._save(module, replace(known, section=dict(section), desired=dict(section), desired_version=version))

    def add(self, module: str) -> None:
        """Let a module have a twin, empty unless it has one already."""
        if module not in self._twins:
            self.deploy(module, {})

    def remove(self, module: str) -> None:
        """Forget a module's twin."""
        if self._twins.pop(module, None) is not None:
            self._store.remove(module)

    def __contains__(self, module: str) -> bool:
        return module in self._twins

    def get(self, module: str) -> Twin:
        """Return a module's twin.

        Raises:
            UnknownModuleError: there is no such module.
        """
        twin = self._twins.get(module)
        if twin is None:
            raise UnknownModuleError(f"there is no module {module!r}; known are {', '.join(sorted(self._twins))}")
        return twin

    def report(self, module: str, patch: object) -> JsonObject:
        """Merge a patch into the reported properties, and return the patch.

        Raises:
            TwinError: IoT Hub would not take it.
        """
        twin = self.get(module)
        checked = twin_rules.check_patch(patch)
        reported = twin_rules.merge_reported(twin.reported, checked)
        twin_rules.check_size(reported)
        self._save(module, replace(twin, reported=reported, reported_version=twin.reported_version + 1))
        return checked

    def desire(self, module: str, patch: object) -> JsonObject:
        """Merge a patch into the desired properties; return it as the module is to see it, with `$version`.

        Raises:
            TwinError: IoT Hub would not take it.
            UnknownModuleError: there is no such module.
        """
        twin = self.get(module)
        checked = twin_rules.check_patch(patch)
        desired = twin_rules.merge_desired(twin.desired, checked)
        twin_rules.check_size(desired)
        version = twin.desired_version + 1
        self._save(module, replace(twin, desired=desired, desired_version=version))
        return checked | {"$version": version}

    def replace_desired(self, module: str, properties: object) -> JsonObject:
        """Put desired properties in the place of all that there are; return the change as the module is to see it.

        Raises:
            TwinError: IoT Hub would not take them.
            UnknownModuleError: there is no such module.
        """
        twin = self.get(module)
        desired = twin_rules.without_nulls(twin_rules.check_patch(properties))
        twin_rules.check_size(desired)
        version = twin.desired_version + 1
        self._save(module, replace(twin, desired=desired, desired_version=version))
        return twin_rules.diff(twin.desired, desired) | {"$version": version}

    def tag(self, module: str, tags: object, *, replacing: bool) -> None:
        """Merge tags into those that there are, or put them in their place.

        Raises:
            TwinError: IoT Hub would not take them.
            UnknownModuleError: there is no such module.
        """
        twin = self.get(module)
        merged = twin_rules.merge_desired({} if replacing else twin.tags, twin_rules.check_patch(tags))
        twin_rules.check_size(merged)
        if merged != twin.tags:
            self._save(module, replace(twin, tags=merged, tags_version=twin.tags_version + 1))

    def report_all(self, module: str, reported: JsonObject) -> None:
        """Put reported properties of one of the hub's own modules in the place of all that there are."""
        twin = self.get(module)
        if reported != twin.reported:
            self._save(module, replace(twin, reported=reported, reported_version=twin.reported_version + 1))

    def _save(self, module: str, twin: Twin) -> None:
        self._twins[module] = twin
        self._store.save(module, twin)


def document(twin: Twin) -> JsonObject:
    """Return a twin in the form that modules get it."""
    return {
        "desired": twin.desired | {"$version": twin.desired_version},
        "reported": twin.reported | {"$version": twin.reported_version},
    }
