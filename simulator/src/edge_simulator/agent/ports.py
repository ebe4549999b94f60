"""The ports that modules expose, as ports of this machine: processes share its network, where containers do not."""

import errno
import secrets
import socket
from collections.abc import Mapping
from typing import Final

from edge_simulator.manifest import ModuleSpec

_PORTS: Final = range(10_000, 32_768)
"""Linux gives none of them to an outgoing connection, unless it is set otherwise."""


def local_ports(spec: ModuleSpec) -> dict[str, str]:
    """Give each TCP port of a module's `ExposedPorts` a free one."""
    exposed: Mapping[str, object] = spec.options.raw.get("ExposedPorts") or {}
    numbers = [port.removesuffix("/tcp") for port in exposed if not port.endswith("/udp")]
    return {number: str(free_port()) for number in numbers}


def free_port(address: str = "") -> int:
    """A TCP port that nobody has, nor is likely to be given before it is listened on; of all addresses by default.

    Raises:
        OSError: The address is none of this machine's.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
