"""A release: what a manifest deploys, taken apart into what the hub is given."""

import hashlib
import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from deploy.errors import DeployError
from edge_mlops.patch import difference
from edge_simulator.manifest.content import DESIRED

JsonObject = dict[str, Any]

AGENT: Final = "$edgeAgent"
HUB: Final = "$edgeHub"
OWN: Final = frozenset({"model"})
"""Desired properties that are each device's own: a deployment sets them only where there are none."""


@dataclass(frozen=True, slots=True)
class Release:
    """The sections of a manifest, each with all of its desired properties."""

    sections: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read an expanded manifest.

        Raises:
            DeployError: It cannot be read, or is none.
        """
        try:
            sections = json.loads(path.read_text(encoding="utf-8"))["modulesContent"]
            if all(DESIRED in sections[name] for name in (AGENT, HUB)):
                return cls(sections)
        except OSError as error:
            raise DeployError(f"{path} cannot be read: {error.strerror}; make manifest writes it") from error
        except (ValueError, KeyError, TypeError):
            pass
        raise DeployError(f"{path} is no deployment manifest; make manifest writes one")

    @property
    def system(self) -> JsonObject:
        """The runtime and its modules: what `$edgeAgent` and `$edgeHub` are told, without modules and routes."""
        return {
            AGENT: {DESIRED: self.sections[AGENT][DESIRED] | {"modules": {}}},
            HUB: {DESIRED: self.sections[HUB][DESIRED] | {"routes": {}}},
        }

    @property
    def layer(self) -> JsonObject:
        """Modules and routes as a layered deployment, which is put on others."""
        return {
            AGENT: _apart(self.sections[AGENT][DESIRED], "modules"),
            HUB: _apart(self.sections[HUB][DESIRED], "routes"),
        }

    @property
    def settings(self) -> dict[str, JsonObject]:
        """Desired properties of each module."""
        return {name: section[DESIRED] for name, section in self.sections.items() if name not in (AGENT, HUB)}

    def for_device(self, known: Container[str]) -> JsonObject:
        """What one device is given at once: no twin that is there already is named, so none is put back.

        Args:
            known: The modules that the device has.
        """
        return {name: section for name, section in self.sections.items() if name in (AGENT, HUB) or name not in known}


def changes(wanted: Mapping[str, Any], known: Mapping[str, Any]) -> JsonObject:
    """The patch that makes a module's desired properties what is wanted, and leaves what is the device's own.

    What is not wanted any more is removed: a module refuses desired properties that it does not know.
    """
    ours = {name: value for name, value in known.items() if name not in OWN and not name.startswith("$")}
    return difference({name: value for name, value in wanted.items() if name not in known or name not in OWN}, ours)


def digest(content: Mapping[str, Any]) -> str:
    """Name content by itself."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _apart(desired: Mapping[str, Any], group: str) -> JsonObject:
    return {f"{DESIRED}.{group}.{name}": entry for name, entry in desired[group].items()}
