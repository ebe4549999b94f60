"""The routes of one deployment, and what they decide for a message."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from edge_simulator.routing.errors import RouteCompileError, RouteParseError
from edge_simulator.routing.model import UPSTREAM, Delivery, Endpoint, Message, ModuleInput

LOWEST_PRIORITY: Final = 2_000_000_000
_ROUTE: Final = re.compile(
    r"\s*(?:SELECT\s+\*\s+)?FROM\s+(\S+)\s+(?:WHERE\s+(.*\S)\s+)?INTO\s+"
    r"""(\$upstream|BrokeredEndpoint\(\s*["']/modules/([^/]+)/inputs/([^/"']+)["']\s*\))""",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Route:
    source: tuple[str, ...]
    delivery: Delivery

    def matches(self, message: Message) -> bool:
        return _segments(message.source)[: len(self.source)] == self.source


class RouteTable:
    """Compiled routes with the time to live that messages get when their route names none."""

    def __init__(self, routes: list[_Route], time_to_live_s: int) -> None:
        self._routes = routes
        self.time_to_live_s = time_to_live_s
        self.endpoints: frozenset[Endpoint] = frozenset(route.delivery.endpoint for route in routes)

    @classmethod
    def from_desired(cls, desired: Mapping[str, Any]) -> Self:
        """Read `$edgeHub`'s desired properties.

        Raises:
            RouteParseError: a route, or the configuration around it, is not well-formed.
            RouteCompileError: a condition's types cannot fit.
        """
        store = desired.get("storeAndForwardConfiguration", {})
        routes = [_parse(name, spec) for name, spec in desired["routes"].items()]
        return cls(routes, store.get("timeToLiveSecs", 7200))

    def deliveries(self, message: Message) -> list[Delivery]:
        """Return one delivery for each endpoint that a route leads to, each at its best priority."""
        best: dict[Endpoint, Delivery] = {}
        for route in self._routes:
            known = best.get(route.delivery.endpoint)
            if route.matches(message) and (known is None or route.delivery.priority < known.priority):
                best[route.delivery.endpoint] = route.delivery
        return list(best.values())


def _segments(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.lower().rstrip("*/").split("/") if part)


def _parse(name: str, spec: str | Mapping[str, Any]) -> _Route:
    options: Mapping[str, Any] = {"route": spec} if isinstance(spec, str) else spec
    match = _ROUTE.match(options["route"])
    if match is None:
        raise RouteParseError(f"route {name} is not FROM <source> [WHERE <condition>] INTO <sink>")
    if match[2]:
        raise RouteCompileError(f"route {name} has a condition")
    endpoint: Endpoint = UPSTREAM if match[3].startswith("$") else ModuleInput(match[4], match[5])
    delivery = Delivery(endpoint, options.get("priority", LOWEST_PRIORITY), options.get("timeToLiveSecs") or None)
    return _Route(_segments(match[1]), delivery)
