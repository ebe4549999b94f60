"""Wires the server."""

import socket
from ipaddress import IPv6Address
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from edge_common.errors import ConfigurationError
from edge_common.lifecycle import Surroundings
from edge_inference.engine import Engine
from edge_inference.serving import Serving
from edge_inference.settings import InferenceEnvironment
from edge_inference.web.access import Access
from edge_inference.web.door import Door
from edge_inference.web.intake import Intake
from edge_inference.web.measures import WebMeasures
from edge_inference.web.refusal import failed, no_route
from edge_inference.web.routes import Routes
from edge_inference.web.server import Limits, Server

PLACES: Final = 32
"""Requests in hand. More would wait longer than they save, and their bodies lie in memory."""

MOST_BYTES: Final = 16 << 20
"""Of a request's body."""

LIMITS: Final = Limits()


def web_server(around: Surroundings[InferenceEnvironment], engine: Engine, serving: Serving) -> Server | None:
    """The server that the environment asks for, if it does.

    Args:
        around: What the module is given.
        engine: Runs the model.
        serving: Knows the model.

    Raises:
        ConfigurationError: What the environment says makes no sense, or the port is taken.
    """
    environment = around.environment
    if environment.http_port is None:
        return None
    access = Access.of(environment)
    intake = Intake(PLACES, MOST_BYTES, LIMITS.patience)
    measures = WebMeasures(around.metrics.registry)
    door = Middleware(Door, access.token, intake, around.clock, measures)
    app = Starlette(
        routes=Routes(engine, serving, intake).all,
        middleware=[door],
        exception_handlers={HTTPException: no_route, Exception: failed},
    )
    app.router.redirect_slashes = False
    return Server(app, _listener(environment), access.tls, LIMITS)


def _listener(environment: InferenceEnvironment) -> socket.socket:
    address, port = environment.http_address, environment.http_port or 0
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    try:
        return socket.create_server((str(address), port), family=family)
    except OSError as error:
        raise ConfigurationError(f"HTTP_PORT: {address} port {port} cannot be bound ({error.strerror})") from error
