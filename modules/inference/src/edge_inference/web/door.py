"""Before and after every request: who it is from, what it is refused for, and what is counted of it."""

from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_common.clock import Clock
from edge_common.errors import ConfigurationError
from edge_inference.web.access import Token
from edge_inference.web.intake import Inflow, Intake
from edge_inference.web.measures import WebMeasures
from edge_inference.web.refusal import UNAUTHORIZED, UNAVAILABLE, RefusedError

_OPEN = "/v2/health/"
"""Probes bear no token, and learn nothing but whether this serves."""


class Door:
    """Middleware around all routes.

    Args:
        app: The routes; they may raise RefusedError.
        token: What requests must bear, if they must.
        intake: Lets go of the bodies of those that are refused.
        clock: For durations.
        measures: Counted into.
    """

    def __init__(self, app: ASGIApp, token: Token | None, intake: Intake, clock: Clock, measures: WebMeasures) -> None:
        self._app = app
        self._token = token
        self._intake = intake
        self._clock = clock
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, and count what became of it."""
        started, statuses = self._clock.monotonic(), [0]

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses[0] = message["status"]
            await send(message)

        try:
            await self._answer(scope, receive, observe)
        finally:
            route = scope["route"].name if "route" in scope else "none"
            self._measures.count(route, statuses[0], self._clock.monotonic() - started)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        inflow = Inflow(receive)
        try:
            self._admit(scope)
            with suppress(ClientDisconnect):  # then nobody is there to be answered
                await self._app(scope, inflow, send)
        except RefusedError as refusal:
            await self._intake.discard(inflow)
            await refusal.response(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        if self._token is None or scope["path"].startswith(_OPEN):
            return
        try:
            admitted = self._token.admits(dict(scope["headers"]).get(b"authorization", b""))
        except ConfigurationError as error:
            raise RefusedError(UNAVAILABLE, "the token that requests must bear cannot be read") from error
        if not admitted:
            raise RefusedError(UNAUTHORIZED, "a bearer token is required")
