"""The places that the suite runs at, and what each changes in the expanded template, createOptions as objects."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from edge_simulator.manifest import options
from edge_simulator.manifest.content import DESIRED

JsonObject = dict[str, Any]

_PROFILE: Final = "k8s-experimental"
_TRANSLATED: Final = ("Memory", "PortBindings")
"""Of Docker's HostConfig, what edgeAgent translates for Kubernetes as it is."""


def in_a_vm(manifest: JsonObject) -> JsonObject:
    """IoT Edge in a Linux virtual machine on Azure Stack Edge: the template as it is."""
    return manifest


def without_gpu(manifest: JsonObject) -> JsonObject:
    """Any IoT Edge host without a GPU: its own default runtime, and nobody asks for CUDA."""
    for entry in _entries(manifest, "modules"):
        create = options.join(entry["settings"])
        host = {name: value for name, value in create.get("HostConfig", {}).items() if name != "Runtime"}
        entry["settings"] = {"image": entry["settings"]["image"], "createOptions": {**create, "HostConfig": host}}
    manifest["modulesContent"]["inference"][DESIRED]["providers"] = ["CPUExecutionProvider"]
    return manifest


def under_kubernetes(manifest: JsonObject) -> JsonObject:
    """IoT Edge as the managed role of Azure Stack Edge has it: edgeAgent 1.1 that deploys to Kubernetes.

    Only what that edgeAgent translates is left, as Azure/iotedge `kubernetes/doc` in its release 1.1 says. Volumes and
    binds are shares of the appliance, by name; updates replace a pod, since two would claim the same share.
    """
    for group in ("systemModules", "modules"):
        for entry in _entries(manifest, group):
            create = options.join(entry["settings"])
            entry["settings"] = {"image": entry["settings"]["image"], "createOptions": _pod(create)}
    return manifest


TARGETS: Final[Mapping[str, Callable[[JsonObject], JsonObject]]] = {
    "vm": in_a_vm,
    "cpu": without_gpu,
    "k8s-legacy": under_kubernetes,
}


def _entries(manifest: JsonObject, group: str) -> Iterator[JsonObject]:
    yield from manifest["modulesContent"]["$edgeAgent"][DESIRED][group].values()


def _pod(create: Mapping[str, Any]) -> JsonObject:
    host = create.get("HostConfig", {})
    kept = {name: host[name] for name in _TRANSLATED if name in host}
    mounts = [*map(_share_of_bind, host.get("Binds", ())), *map(_share_of_volume, host.get("Mounts", ()))]
    if mounts:
        kept["Mounts"] = mounts
    profile = _security(create) | _gpu(host)
    if profile:
        profile["strategy"] = {"type": "Recreate"}
    return {"HostConfig": kept} | ({_PROFILE: profile} if profile else {})


def _share_of_bind(bind: str) -> JsonObject:
    source, target, *modes = bind.split(":")
    return _share(PurePosixPath(source).name, target, read_only="ro" in modes)


def _share_of_volume(mount: Mapping[str, Any]) -> JsonObject:
    return _share(mount["Source"], mount["Target"], read_only=mount.get("ReadOnly", False))


def _share(name: str, target: str, *, read_only: bool) -> JsonObject:
    return {"Type": "volume", "Source": name, "Target": target} | ({"ReadOnly": True} if read_only else {})


def _security(create: Mapping[str, Any]) -> JsonObject:
    if "User" not in create:
        return {}
    user, group = create["User"].split(":")
    return {"securityContext": {"runAsUser": user, "runAsGroup": group, "fsGroup": group}}


def _gpu(host: Mapping[str, Any]) -> JsonObject:
    return {"resources": {"limits": {"nvidia.com/gpu": 1}}} if host.get("Runtime") == "nvidia" else {}
