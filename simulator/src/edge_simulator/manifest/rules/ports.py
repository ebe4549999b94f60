"""Ports of the host can be bound once."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from edge_simulator.manifest.paths import Path, render
from edge_simulator.manifest.subject import Finding, ModuleEntry, Subject

_EVERY_ADDRESS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 (compared, never bound)


class _Binding(NamedTuple):
    path: Path
    protocol: str
    port: str
    address: str

    def clashes_with(self, other: "_Binding") -> bool:
        if (self.protocol, self.port) != (other.protocol, other.port):
            return False
        return self.address == other.address or bool({self.address, other.address} & _EVERY_ADDRESS)


def check(subject: Subject) -> Iterator[Finding]:
    """Find bindings of a host's port that is taken."""
    taken: list[_Binding] = []
    for module in subject.all_modules:
        for binding in _bindings(module):
            for earlier in filter(binding.clashes_with, taken):
                reason = f"host port {binding.port}/{binding.protocol} is taken by {render(earlier.path)}"
                yield Finding(binding.path, reason, "choose another port")
            taken.append(binding)


def _bindings(module: ModuleEntry) -> Iterator[_Binding]:
    path = module.in_options("HostConfig", "PortBindings")
    for port, targets in (module.host_config.get("PortBindings") or {}).items():
        for index, target in enumerate(targets or ()):
            if target.get("HostPort"):
                protocol = port.partition("/")[2] or "tcp"
                yield _Binding((*path, port, index), protocol, target["HostPort"], target.get("HostIp") or "")
