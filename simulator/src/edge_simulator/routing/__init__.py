"""Message routes as edgeHub has them: their language, and a table that says where a message goes."""

from edge_simulator.routing.errors import RouteCompileError, RouteError, RouteParseError
from edge_simulator.routing.model import UPSTREAM, Delivery, Endpoint, Message, ModuleInput, Upstream
from edge_simulator.routing.table import RouteTable

__all__ = [
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
