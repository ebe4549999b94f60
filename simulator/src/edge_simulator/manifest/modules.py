"""A module's entry in `$edgeAgent`'s desired properties, read as edgeAgent does: names whatever their case."""

import json
from collections.abc import Mapping
from typing import Any, Final

from edge_simulator.manifest import options
from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.images import Project
from edge_simulator.manifest.logins import registry_of
from edge_simulator.manifest.model import (
    LAST_TO_START,
    PULL_POLICIES,
    RESTART_POLICIES,
    STATUSES,
    CreateOptions,
    Login,
    ModuleSpec,
)
from edge_simulator.manifest.paths import render
from edge_simulator.manifest.shapes import SCALAR, TEXT, Choice, Integer, Object

_SETTINGS: Final = Object({"image": TEXT})
_MODULE: Final = Object(
    {"settings": _SETTINGS},
    {
        "status": Choice(STATUSES),
        "restartPolicy": Choice(RESTART_POLICIES),
        "startupOrder": Integer(0, LAST_TO_START),
        "imagePullPolicy": Choice(PULL_POLICIES),
        "env": Object(others=(r".*", Object({"value": SCALAR}))),
    },
)


def read_module(name: str, entry: Any, project: Project, logins: Mapping[str, Login]) -> ModuleSpec:
    """Read a module's entry; what it leaves out is as edgeAgent takes it.

    Raises:
        ManifestError: the entry cannot be understood; its path begins at the entry.
    """
    module = _canonical(entry, _MODULE)
    if isinstance(module, dict) and "settings" in module:
        module["settings"] = _canonical(module["settings"], _SETTINGS)
    for problem in _MODULE.problems(module, ()):
        raise ManifestError(f"{problem.reason}; {problem.mend}", render(problem.path))
    create = options.parse(options.join(module["settings"]))
    image = module["settings"]["image"].strip()
    return ModuleSpec(
        name=name,
        image=image,
        status=module.get("status") or "running",
        restart_policy=module.get("restartPolicy") or "always",
        startup_order=LAST_TO_START if module.get("startupOrder") is None else module["startupOrder"],
        env={key: _text(entry["value"]) for key, entry in (module.get("env") or {}).items()},
        options=create,
        command=_command(create, image, project),
        pull_policy=module.get("imagePullPolicy") or "on-create",
        login=logins.get(registry_of(image)),
    )


def _canonical(entry: Any, shape: Object) -> Any:
    if not isinstance(entry, dict):
        return entry
    known = {name.lower(): name for name in (*shape.required, *shape.optional)}
    return {known.get(name.lower(), name): value for name, value in entry.items()}


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _command(create: CreateOptions, image: str, project: Project) -> tuple[str, ...]:
    if create.entrypoint:  # as in Docker, it takes the image's CMD away too
        return create.entrypoint + (create.cmd or ())
    command = project.command(image)
    return command.entrypoint + (create.cmd or command.cmd)
