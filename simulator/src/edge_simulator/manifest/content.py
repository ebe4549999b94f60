"""Every module's desired properties, out of the forms in which manifests hold them.

A manifest names them `modulesContent` (older ones `moduleContent`), maybe inside `content` as IoT Hub stores it. A
module's section is `properties.desired`; in a layered deployment there are parts of it instead, as in
`properties.desired.modules.camera`.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.paths import Path, render

DESIRED: Final = "properties.desired"
_NAMES: Final = ("modulesContent", "moduleContent")


@dataclass(frozen=True, slots=True)
class Content:
    """The modules' sections at their `path` in the file, and the desired properties in them, parts put together."""

    path: Path
    sections: Mapping[str, Any]
    desired: Mapping[str, Mapping[str, Any]]
    layered: bool

    def place(self, module: str, *inner: str | int) -> Path:
        """Return the path of something in a module's desired properties."""
        return (*self.path, module, DESIRED, *inner)


def read_content(document: Mapping[str, Any]) -> Content:
    """Find the modules' sections and put their parts together.

    Raises:
        ManifestError: there are none, or one is no object.
    """
    path, sections = _find_sections(document)
    desired = {name: read_section(section, (*path, name)) for name, section in sections.items()}
    agent = sections.get("$edgeAgent")
    return Content(path, sections, desired, layered=agent is not None and DESIRED not in agent)


def _find_sections(document: Mapping[str, Any]) -> tuple[Path, Mapping[str, Any]]:
    for outer in ((), ("content",)):
        holder = document.get(outer[0]) if outer else document
        for name in _NAMES:
            if isinstance(holder, Mapping) and name in holder:
                return (*outer, name), _object(holder[name], (*outer, name))
    raise ManifestError("has no modulesContent, so it is no deployment manifest")


def read_section(section: Any, path: Path) -> dict[str, Any]:
    """Put the parts of a module's section together.

    Raises:
        ManifestError: it is no object.
    """
    parts = _object(section, path)
    desired = deepcopy(dict(_object(parts.get(DESIRED, {}), (*path, DESIRED))))
    for name, value in parts.items():
        if name.startswith(f"{DESIRED}."):
            _put(desired, name.removeprefix(f"{DESIRED}.").split("."), value)
    return desired


def _put(target: dict[str, Any], steps: list[str], value: Any) -> None:
    *outer, last = steps
    for step in outer:
        if not isinstance(target.get(step), dict):
            target[step] = {}
        target = target[step]
    target[last] = value


def _object(value: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ManifestError("must be an object", render(path))
    return value
