"""The service API as one HTTP application."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from aiohttp import web

from edge_simulator.errors import MethodCallError, TwinError
from edge_simulator.manifest import ManifestError
from edge_simulator.service.access import Access
from edge_simulator.service.edges import Edges
from edge_simulator.service.errors import ServiceError, bad_request

_MAX_BODY_BYTES: Final = 4 << 20
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)


class Part(Protocol):
    """A part of the API."""

    def routes(self) -> list[web.RouteDef]:
        """Return the HTTP routes."""


def application(access: Access, edges: Edges, *parts: Part, now: Callable[[], float] = time.time) -> web.Application:
    """Return the application that these parts make, for those who have the key; what it confirms is stored."""

    @web.middleware
    async def admit(request: web.Request, handler: _Handler) -> web.StreamResponse:
        access.check(request.headers.get("Authorization", ""), now())
        response = await handler(request)
        for edge in edges:
            await edge.hub.stored()
        return response

    whole = web.Application(middlewares=[_answer_errors, admit], client_max_size=_MAX_BODY_BYTES)
    for part in parts:
        whole.add_routes(part.routes())
    return whole


@web.middleware
async def _answer_errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (TwinError, MethodCallError, ManifestError) as error:
        return _refuse(request, bad_request(str(error)))
    except ServiceError as error:
        return _refuse(request, error)


def _refuse(request: web.Request, error: ServiceError) -> web.Response:
    _log.warning("refused %s %s: %s", request.method, request.path, error)
    message = f"ErrorCode:{error.code};{error}"
    return web.json_response({"Message": message, "ExceptionMessage": str(error)}, status=error.status)
