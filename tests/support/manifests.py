"""A small sound deployment, as a start for tests that change something in it."""

import json
from pathlib import Path
from typing import Any

from edge_simulator.manifest.checking import check

MODULES = "modulesContent.$edgeAgent.properties.desired.modules"
HUB = "modulesContent.$edgeHub.properties.desired"
TO_CAMERA = 'INTO BrokeredEndpoint("/modules/camera/inputs/i")'


def module(**members: Any) -> dict[str, Any]:
    return {
        "type": "docker",
        "status": "running",
        "restartPolicy": "always",
        "settings": {"image": "registry.test/camera:1.0", "createOptions": "{}"},
        **members,
    }


def deployment(**modules: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest with these modules (`camera` if there are none) and a route from each to the cloud."""
    modules = modules or {"camera": module()}
    runtime = {"type": "docker", "settings": {}}
    return {
        "modulesContent": {
            "$edgeAgent": {
                "properties.desired": {
                    "schemaVersion": "1.1",
                    "runtime": runtime,
                    "systemModules": {
                        "edgeAgent": {"type": "docker", "settings": {"image": "registry.test/agent:1.6"}},
                        "edgeHub": module(settings={"image": "registry.test/hub:1.6"}),
                    },
                    "modules": modules,
                }
            },
            "$edgeHub": {
                "properties.desired": {
                    "schemaVersion": "1.1",
                    "routes": {name: f"FROM /messages/modules/{name}/* INTO $upstream" for name in modules},
                    "storeAndForwardConfiguration": {"timeToLiveSecs": 7200},
                }
            },
        }
    }


def desired(document: dict[str, Any], name: str) -> Any:
    """Return a module's desired properties in a manifest, an empty object if it had none."""
    section = document["modulesContent"].setdefault(name, {"properties.desired": {}})
    return section["properties.desired"]


def options(document: dict[str, Any], create: dict[str, Any], name: str = "camera") -> dict[str, Any]:
    """Give a module createOptions."""
    desired(document, "$edgeAgent")["modules"][name]["settings"]["createOptions"] = json.dumps(create)
    return document


def write(document: Any, folder: Path, name: str = "deployment.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def write_module(
    folder: Path, *, repository: str = "registry.test/camera", dockerfile: str = "", **platforms: str
) -> Path:
    """Write `module.json` and a Dockerfile for each platform (amd64 if there are none)."""
    names = {name.replace("_", "."): file for name, file in (platforms or {"amd64": "Dockerfile.amd64"}).items()}
    image = {"repository": repository, "tag": {"version": "1.0", "platforms": names}}
    folder.mkdir(parents=True, exist_ok=True)
    for file in names.values():
        (folder / file).write_text(dockerfile, encoding="utf-8")
    write({"$schema-version": "0.0.1", "image": image}, folder, "module.json")
    return folder


def found(document: Any, folder: Path) -> list[tuple[str, str]]:
    """Check a manifest and return rule and place of each finding."""
    reports = check(write(document, folder), {}, "amd64")
    assert all(report.reason and report.mend for report in reports)
    return [(report.rule, report.path) for report in reports]


def with_route(route: Any) -> dict[str, Any]:
    """Return a deployment whose only route this is."""
    document = deployment()
    desired(document, "$edgeHub")["routes"] = {"r": route}
    return document


def with_host_config(host_config: dict[str, Any], **create: Any) -> dict[str, Any]:
    """Return a deployment whose camera has createOptions."""
    return options(deployment(), {"HostConfig": host_config, **create})
