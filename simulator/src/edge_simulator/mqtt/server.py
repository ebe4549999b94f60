"""Listening for MQTT clients, over TLS."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from edge_simulator.mqtt.connection import Broker, Connection


class Server:
    """Accepts connections for a broker."""

    def __init__(self, broker: Broker, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._monotonic = monotonic
        self._live: set[Connection] = set()

    @asynccontextmanager
    async def serving(self, listener: socket.socket, tls: ssl.SSLContext) -> AsyncIterator[None]:
        """Serve on a bound socket until the block ends, and then let every client go."""
        # Connections inherit it, and crawl without. asyncio sets it only on sockets that name their protocol.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = await asyncio.get_running_loop().create_server(self._connection, sock=listener, ssl=tls)
        try:
            yield
        finally:
            server.close()
            connections = list(self._live)
            for connection in connections:
                connection.abort()
            for connection in connections:
                await connection.gone.wait()

    def follow_links(self, _: str) -> None:
        """Cut and mend connections as the broker says of their clients' links."""
        for connection in list(self._live):
            connection.follow_link()

    def close_silent(self) -> None:
        """Cut off the clients whose keep-alive has run out; to be called every second or so."""
        now = self._monotonic()
        for connection in list(self._live):
            connection.close_if_silent(now)

    def _connection(self) -> Connection:
        return Connection(self._broker, self._live, self._monotonic)
