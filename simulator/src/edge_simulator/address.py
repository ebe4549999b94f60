"""A loopback address of its own for each simulator: the SDK's port is fixed, so the addresses have to differ."""

import socket
from collections.abc import Iterable
from contextlib import suppress

from edge_simulator.errors import AddressUnavailableError

MQTT_TLS_PORT = 8883
HTTPS_PORT = 443
_SERVICE_PORTS = range(8443, 8543)


def listen(preferred: str | None) -> socket.socket:
    """Return a socket bound to `preferred` if that is free, else to the first free one from 127.0.0.2 on.

    Raises:
        AddressUnavailableError: none is free.
    """
    candidates = [f"127.0.0.{last}" for last in range(2, 255)]
    for address in [preferred, *candidates] if preferred else candidates:
        with suppress(OSError):
            return _bind(address, MQTT_TLS_PORT)
    raise AddressUnavailableError(
        f"port {MQTT_TLS_PORT} is taken on every address from {candidates[0]} on: stop what listens on it"
    )


def listen_on(address: str, port: int = MQTT_TLS_PORT) -> socket.socket:
    """Return a socket bound to this address.

    Raises:
        AddressUnavailableError: it is taken, none of this machine's, or not permitted.
    """
    try:
        return _bind(address, port)
    except OSError as error:
        raise AddressUnavailableError(f"cannot listen on {address}:{port}: {error.strerror}") from error


def listen_for_service(address: str, port: int | None) -> socket.socket:
    """Return a socket for the service API: bound to `port`, or else to the first free one from 8443 on.

    Raises:
        AddressUnavailableError: none is free.
    """
    ports: Iterable[int] = _SERVICE_PORTS if port is None else [port]
    for candidate in ports:
        with suppress(OSError):
            return _bind(address, candidate)
    raise AddressUnavailableError(f"no port for the service API on {address}: give --service-port a free one")


def _bind(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
