"""Asking routes and conditions about one message."""

from collections.abc import Mapping

from edge_simulator.routing import Message
from edge_simulator.routing.grammar import parse_route
from edge_simulator.routing.route import Route

JSON = {"contentType": "application/json", "contentEncoding": "utf-8"}


def message(
    *,
    source: str = "/messages/modules/m/outputs/o",
    properties: Mapping[str, str | None] | None = None,
    system: Mapping[str, str | None] | None = None,
    body: bytes = b"",
) -> Message:
    return Message(source, properties or {}, system or {}, body)


def evaluate(condition: str, about: Message) -> bool | None:
    """Return what a condition is about a message; None is undefined."""
    return Route.compile(parse_route(f"FROM /* WHERE {condition} INTO $upstream")).matches(about)
