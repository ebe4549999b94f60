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
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from edge_inference.web.whole import WholeAnswers

log = logging.getLogger(__name__)

STOP_S: Final = 5
"""How long requests in hand may take when the module is to end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections may take.

    Attributes:
        connections: How many there may be; more are closed at once.
        patience: Seconds to bring a request, or to take in an answer.
        framing: Bytes of a request that are not its body: its head, and what is around the pieces of a body.
        ahead: Requests that may come before the one in hand is answered.
        at_once: Bytes of a body that are gathered before whoever reads it is woken; all of most bodies.
    """

    connections: int = 256
    patience: float = 15.0
    framing: int = 256 << 10
    ahead: int = 8
    at_once: int = 1 << 20


class _TooManyError(Exception):
    """More requests than may come ahead; ends the parser, and so the connection."""


class Connection(HttpToolsProtocol):
    """One that is given up unless it is served, and takes up little memory.

    uvicorn itself waits for ever for the rest of a request's head, and httptools takes in heads of any size.

    Args:
        limits: What it may take.
        given: uvicorn's.
    """

    def __init__(self, limits: Limits, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._limits = limits
        self._deadline: asyncio.TimerHandle | None = None
        self._framing = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self._answers = WholeAnswers(transport)
        # asyncio does so only where the listening socket names its protocol, which socket.create_server's does not; and
        # without it the body of an answer waits 40 ms for the client to acknowledge the head.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watch()
        if len(self.connections) > self._limits.connections:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._framing += len(data)
        super().data_received(data)
        self._watch()
        if self._framing > self._limits.framing:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        if len(self.pipeline) == self._limits.ahead:
            raise _TooManyError
        super().on_headers_complete()
        if not self.expect_100_continue:  # which uvicorn says there too, and the client waits for
            self.cycle.transport = self._answers

    def on_body(self, body: bytes) -> None:
        """Gather it. uvicorn wakes the reader for each piece, and pauses the transport from 64 KiB on."""
        self._framing -= len(body)
        cycle: RequestResponseCycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > self._limits.at_once:
            self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._framing = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._answers.flush()
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def _watch(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if cycle and not (cycle.response_complete or self.flow.write_paused):
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
            http=HttpToolsProtocol,
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
