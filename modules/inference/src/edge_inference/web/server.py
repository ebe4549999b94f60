"""The HTTP server: uvicorn within the module's event loop, with a deadline for every connection."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

log = logging.getLogger(__name__)

STOP_S: Final = 5
"""How long requests in hand may take when the module is to end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections may take.

    Attributes:
        connections: How many there may be; more are closed at once.
        patience: Seconds to bring a request, or to take in an answer.
    """

    connections: int = 256
    patience: float = 15.0


class Connection(H11Protocol):
    """One that is given up unless it is served: uvicorn itself waits for ever for the rest of a request's head.

    Args:
        limits: What it may take.
        given: uvicorn's.
    """

    def __init__(self, limits: Limits, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._limits = limits
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > self._limits.connections:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def _watch(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if cycle and not cycle.response_complete:
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self._limits.patience, self.transport.abort)

    def _forget(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


class Server(uvicorn.Server):
    """Serves an application until it is told to stop; signals are the module's own affair.

    Args:
        app: What answers.
        listener: The socket, bound.
        tls: What connections are made under; None for none.
        limits: What connections may take.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket, tls: ssl.SSLContext | None, limits: Limits) -> None:
        config = uvicorn.Config(
            app,
            http=H11Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level=logging.ERROR,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=int(limits.patience),
            timeout_graceful_shutdown=STOP_S,
        )
        super().__init__(config)
        self._listener = listener
        self._tls = tls
        self._limits = limits
        self._work: asyncio.Task[None] | None = None

    async def run_beside(self) -> None:
        """Serve for ever; being cancelled does not end it, :meth:`drain` does."""
        self._work = asyncio.create_task(self.serve(), name="http")
        await asyncio.shield(self._work)

    async def drain(self) -> None:
        """Take no more requests, and let those in hand come to their end."""
        self.should_exit = True
        if self._work:
            await self._work
        self._listener.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; what uvicorn calls."""
        del sockets
        make = partial(Connection, self._limits, self.config, self.server_state, {})
        patience = self._limits.patience if self._tls else None
        listening = await asyncio.get_running_loop().create_server(
            make, sock=self._listener, ssl=self._tls, ssl_handshake_timeout=patience
        )
        self.servers, self.started = [listening], True
        address, port, *_ = self._listener.getsockname()
        scheme = "https" if self._tls else "http"
        log.info("the Open Inference Protocol is served at %s://%s:%s/v2", scheme, address, port)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the module's handlers in place."""
        yield
