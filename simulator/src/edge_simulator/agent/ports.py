"""The ports that modules expose, as ports of this machine: processes share its network, where containers do not."""

import socket
from collections.abc import Mapping

from edge_simulator.manifest import ModuleSpec


def local_ports(spec: ModuleSpec) -> dict[str, str]:
    """Give each TCP port of a module's `ExposedPorts` a free one."""
    exposed: Mapping[str, object] = spec.options.raw.get("ExposedPorts") or {}
    numbers = [port.removesuffix("/tcp") for port in exposed if not port.endswith("/udp")]
    return {number: str(_free_port()) for number in numbers}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port
