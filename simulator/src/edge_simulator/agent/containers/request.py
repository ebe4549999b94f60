"""What the container engine is asked to create: a module's createOptions with what edgeAgent adds.

`InjectNetworkAliases` and `GetEnvVars` in Azure/iotedge are the model. All else in createOptions goes on as it is.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from edge_simulator.agent.containers.project import Project
from edge_simulator.manifest import ModuleSpec, Mount

JsonObject: TypeAlias = dict[str, Any]
Place: TypeAlias = Callable[[Mount], Path | None]
"""Returns the folder of this machine that a mount shows, or None where a volume of the engine stays one."""

WORKLOAD_SOCKET: Final = "/var/run/iotedge/workload.sock"


def create_request(
    spec: ModuleSpec, own: Mapping[str, str], project: Project, place: Place, socket: Path
) -> JsonObject:
    """Return the body of Docker's create-container request, with `own` over the module's environment."""
    raw = spec.options.raw
    return {
        **raw,
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in _environment(spec, own).items()],
        "Labels": {**(raw.get("Labels") or {}), **project.labels},
        "HostConfig": _host_config(spec, project, place, socket),
        **_networking(spec, project),
    }


def _environment(spec: ModuleSpec, own: Mapping[str, str]) -> dict[str, str]:
    reached = {"IOTEDGE_WORKLOADURI": f"unix://{WORKLOAD_SOCKET}"}
    return {"RuntimeLogLevel": "Information", **spec.options.env, **spec.env, **own, **reached}


def _host_config(spec: ModuleSpec, project: Project, place: Place, socket: Path) -> JsonObject:
    """Mount what stands in for volumes and binds; the supervisor alone restarts and removes containers."""
    host = spec.options.raw.get("HostConfig") or {}
    mounts = zip(host.get("Mounts") or (), spec.options.mounts, strict=True)
    binds = zip(host.get("Binds") or (), spec.options.binds, strict=True)
    own_mount = {"Type": "bind", "Source": str(socket), "Target": WORKLOAD_SOCKET}
    return {
        **host,
        "Binds": [_bind(text, mount, place, project) for text, mount in binds],
        "Mounts": [*(_mount(raw, mount, place, project) for raw, mount in mounts), own_mount],
        "RestartPolicy": {"Name": "no"},
        "AutoRemove": False,
    }


def _bind(text: str, mount: Mount, place: Place, project: Project) -> str:
    source = place(mount) or project.volume(mount.source)
    return str(source) + text.removeprefix(mount.source)


def _mount(raw: JsonObject, mount: Mount, place: Place, project: Project) -> JsonObject:
    if mount.kind == "tmpfs" or not mount.source:
        return raw
    if folder := place(mount):
        return {"Type": "bind", "Source": str(folder), "Target": mount.target, "ReadOnly": mount.read_only}
    options = raw.get("VolumeOptions") or {}
    labels = {**(options.get("Labels") or {}), **project.volume_labels}
    source = project.volume(mount.source)
    return {**raw, "Type": "volume", "Source": source, "VolumeOptions": {**options, "Labels": labels}}


def _networking(spec: ModuleSpec, project: Project) -> JsonObject:
    """Join the device's network under the module's name, unless createOptions choose another one."""
    raw = spec.options.raw
    mode = (raw.get("HostConfig") or {}).get("NetworkMode")
    if mode or (raw.get("NetworkingConfig") or {}).get("EndpointsConfig"):
        return {}
    return {"NetworkingConfig": {"EndpointsConfig": {project.name: {"Aliases": [spec.name]}}}}
