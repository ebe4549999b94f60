"""Options that do not exist where edgeAgent deploys to Kubernetes, as `k8s-experimental` in createOptions says."""

from collections.abc import Iterator
from typing import Final

from edge_simulator.manifest.subject import Finding, ModuleEntry, Subject

_PROFILE: Final = "k8s-experimental"
_MENDS: Final = {
    "Binds": 'write Mounts: {"Type": "volume", "Source": share, "Target": folder}',
    "Runtime": f'write {{"resources": {{"limits": {{"nvidia.com/gpu": 1}}}}}} in {_PROFILE}',
    "DeviceRequests": f'write {{"resources": {{"limits": {{"nvidia.com/gpu": 1}}}}}} in {_PROFILE}',
}


def check(subject: Subject) -> Iterator[Finding]:
    """Find options of Docker's HostConfig under the Kubernetes profile, and the profile's own in a wrong place."""
    for module in subject.all_modules:
        if _PROFILE in module.host_config:
            yield Finding(module.in_options("HostConfig", _PROFILE), "is ignored in HostConfig", "move it one level up")
    if any(_PROFILE in {**module.options.raw, **module.host_config} for module in subject.all_modules):
        for module in subject.all_modules:
            yield from _docker_only(module)


def _docker_only(module: ModuleEntry) -> Iterator[Finding]:
    for name, mend in _MENDS.items():
        if module.host_config.get(name):
            yield Finding(module.in_options("HostConfig", name), "does not exist under Kubernetes", mend)
