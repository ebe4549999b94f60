"""Message routes as edgeHub has them: their language, and a table that says where a message goes."""

from edge_simulator.routing.config import DEFAULT_TIME_TO_LIVE_S, LOWEST_PRIORITY
from edge_simulator.routing.errors import RouteCompileError, RouteError, RouteParseError
from edge_simulator.routing.model import UPSTREAM, Delivery, Endpoint, Message, ModuleInput, Upstream
from edge_simulator.routing.table import RouteTable

__all__ = [
    "DEFAULT_TIME_TO_LIVE_S",
    "LOWEST_PRIORITY",
    "UPSTREAM",
    "Delivery",
    "Endpoint",
    "Message",
    "ModuleInput",
    "RouteCompileError",
    "RouteError",
    "RouteParseError",
    "RouteTable",
    "Upstream",
]
