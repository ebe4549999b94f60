"""The routes of one deployment, and what they decide for a message."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, Self

from edge_simulator.routing.config import parse_config
from edge_simulator.routing.errors import RouteError
from edge_simulator.routing.grammar import parse_route
from edge_simulator.routing.model import Delivery, Endpoint, Message
from edge_simulator.routing.route import Route
from edge_simulator.routing.scope import Scope

_REMEMBERED_SOURCES: Final = 1024


class RouteTable:
    """Routes with the deliveries that they lead to.

    `endpoints` are all that a route leads to. `time_to_live_s` holds where a delivery names none; negative is for ever.
    """

    def __init__(self, routes: list[tuple[Route, Delivery]], time_to_live_s: int) -> None:
        self._routes = sorted(routes, key=lambda entry: entry[1].priority)
        self._leaving = lru_cache(_REMEMBERED_SOURCES)(self._find_leaving)
        self.endpoints: frozenset[Endpoint] = frozenset(delivery.endpoint for _, delivery in routes)
        self.time_to_live_s = time_to_live_s

    @classmethod
    def from_desired(cls, desired: Mapping[str, Any]) -> Self:
        """Read `$edgeHub`'s desired properties; all routes are parsed before the first is compiled, as edgeHub does.

        Raises:
            RouteParseError: a route, or the configuration around it, is not well-formed.
            RouteCompileError: a condition cannot be evaluated.
        """
        config = parse_config(desired)
        parsed = []
        for spec in config.routes:
            with _naming(spec.name):
                parsed.append((spec, parse_route(spec.text)))
        routes = []
        for spec, syntax in parsed:
            with _naming(spec.name):
                routes.append((Route.compile(syntax), Delivery(syntax.endpoint, spec.priority, spec.ttl_s)))
        return cls(routes, config.time_to_live_s)

    def deliveries(self, message: Message) -> list[Delivery]:
        """Return one delivery for each endpoint that the message is routed to, at its best priority."""
        scope = Scope(message)
        chosen: dict[Endpoint, Delivery] = {}
        for route, delivery in self._leaving(message.source):
            if delivery.endpoint not in chosen and (route.condition is None or route.condition(scope)):
                chosen[delivery.endpoint] = delivery
        return list(chosen.values())

    def _find_leaving(self, source: str) -> list[tuple[Route, Delivery]]:
        return [(route, delivery) for route, delivery in self._routes if route.leaves(source)]


@contextmanager
def _naming(route: str) -> Iterator[None]:
    try:
        yield
    except RouteError as error:
        error.route = route
        raise
