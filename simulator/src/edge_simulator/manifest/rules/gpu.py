"""GPU options that nobody reads: edgeAgent hands HostConfig on to Docker's API, which is not docker run's options."""

from collections.abc import Iterator
from typing import Final

from edge_simulator.manifest.model import JsonObject
from edge_simulator.manifest.paths import Path
from edge_simulator.manifest.shapes import TEXT, Integer, Items, Object
from edge_simulator.manifest.subject import Finding, ModuleEntry, Subject

_OF_HOST_CONFIG: Final = frozenset({"runtime", "devicerequests", "devices", "devicecgrouprules"})
_OF_DOCKER_RUN: Final = frozenset({"gpus", "gpu", "--gpus", "--runtime"})
_ALL_GPUS: Final = '"DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}]'
_DEVICE_REQUESTS: Final = Items(
    Object(
        {"Capabilities": Items(Items(TEXT))}, {"Driver": TEXT, "Count": Integer(-1, 2**31), "DeviceIDs": Items(TEXT)}
    )
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find GPU options in the wrong place, of the wrong form, or with no meaning."""
    for module in subject.all_modules:
        yield from _misplaced(module)
        yield from _unknown(module.options.raw, module.in_options())
        yield from _unknown(module.host_config, module.in_options("HostConfig"))
        yield from _device_requests(module)


def _misplaced(module: ModuleEntry) -> Iterator[Finding]:
    for name in module.options.raw:
        if name.lower() in _OF_HOST_CONFIG:
            yield Finding(module.in_options(name), "is ignored outside HostConfig", f"move it to HostConfig.{name}")


def _unknown(holder: JsonObject, path: Path) -> Iterator[Finding]:
    for name in holder:
        if name.lower() in _OF_DOCKER_RUN:
            reason = "is an option of docker run only, and is ignored"
            yield Finding((*path, name), reason, f"write {_ALL_GPUS} in HostConfig")


def _device_requests(module: ModuleEntry) -> Iterator[Finding]:
    requests = module.host_config.get("DeviceRequests")
    if requests is None:
        return
    path = module.in_options("HostConfig", "DeviceRequests")
    problems = list(_DEVICE_REQUESTS.problems(requests, path))
    for problem in problems:
        yield Finding(problem.path, f"{problem.reason}, which Docker cannot parse", f"{problem.mend}: {_ALL_GPUS}")
    for index, request in enumerate([] if problems else requests):
        if request.get("Count") and request.get("DeviceIDs"):
            yield Finding((*path, index), "has Count and DeviceIDs, which Docker refuses", "keep one of them")
