"""From a manifest or template file to a `Manifest`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_simulator.manifest.content import read_content
from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.images import Project
from edge_simulator.manifest.logins import read_logins
from edge_simulator.manifest.model import Login, Manifest, ModuleSpec
from edge_simulator.manifest.modules import read_module
from edge_simulator.manifest.paths import Path as JsonPath
from edge_simulator.manifest.paths import render
from edge_simulator.manifest.template import environment, read_document


def load(path: Path, env: Mapping[str, str], platform: str = "amd64") -> Manifest:
    """Read a manifest or a template, which is expanded from `env`, a `.env` file beside it and the modules' folders.

    Raises:
        ManifestError: the file, or a file that it refers to, cannot be read or understood.
    """
    names = environment(path, env)
    project = Project(path, names, platform)
    content = read_content(read_document(path, names, project))
    return Manifest(
        hub=content.desired.get("$edgeHub", {}),
        agent=content.desired.get("$edgeAgent", {}),
        modules=read_modules(content.desired.get("$edgeAgent", {}), project, content.place("$edgeAgent")),
        twins={name: twin for name, twin in content.desired.items() if not name.startswith("$")},
        project=project,
    )


def read_modules(agent: Mapping[str, Any], project: Project, place: JsonPath = ()) -> dict[str, ModuleSpec]:
    """Read the modules in `$edgeAgent`'s desired properties, which stand at a `place` of their file.

    Raises:
        ManifestError: they cannot be understood.
    """
    try:
        logins = read_logins(agent)
    except ManifestError as error:
        raise ManifestError(error.reason, f"{render(place)}.{error.path}") from error
    place = (*place, "modules")
    entries = agent.get("modules", {})
    if not isinstance(entries, Mapping):
        raise ManifestError("must be an object", render(place))
    return {name: _module(name, entry, project, logins, (*place, name)) for name, entry in entries.items()}


def _module(name: str, entry: Any, project: Project, logins: Mapping[str, Login], place: JsonPath) -> ModuleSpec:
    try:
        return read_module(name, entry, project, logins)
    except ManifestError as error:
        inner = f"{render(place)}.{error.path}" if error.path else render(place)
        raise ManifestError(error.reason, inner) from error
