"""A loopback address of its own for each simulator: the SDK's port is fixed, so the addresses have to differ."""

import socket
from contextlib import suppress

from edge_simulator.errors import AddressUnavailableError

MQTT_TLS_PORT = 8883


def listen(preferred: str | None) -> socket.socket:
    """Return a socket bound to `preferred` if that is free, else to the first free one from 127.0.0.2 on.

    Raises:
        AddressUnavailableError: none is free.
    """
    candidates = [f"127.0.0.{last}" for last in range(2, 255)]
    for address in [preferred, *candidates] if preferred else candidates:
        with suppress(OSError):
            return _bind(address)
    raise AddressUnavailableError(
        f"port {MQTT_TLS_PORT} is taken on every address from {candidates[0]} on: stop what listens on it"
    )


def listen_on(address: str) -> socket.socket:
    """Return a socket bound to this address.

    Raises:
        AddressUnavailableError: it is taken, or none of this machine's.
    """
    try:
        return _bind(address)
    except OSError as error:
        raise AddressUnavailableError(f"cannot listen on {address}:{MQTT_TLS_PORT}: {error.strerror}") from error


def _bind(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, MQTT_TLS_PORT))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
