"""`$edgeHub`'s desired properties, as far as they are about routes, after edgeHub's `EdgeHubConfigParser.cs`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from edge_simulator.routing.errors import RouteParseError

LOWEST_PRIORITY: Final = 2_000_000_000
DEFAULT_TIME_TO_LIVE_S: Final = 7200

_VERSION: Final = re.compile(r"1\.([0-3])(?:\.\d+){0,2}", re.ASCII)
_PRIORITIES: Final = frozenset({*range(10), LOWEST_PRIORITY})


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """A route's text with what stands beside it; `ttl_s` None means the configuration's own time to live."""

    name: str
    text: str
    priority: int
    ttl_s: int | None


@dataclass(frozen=True, slots=True)
class RoutesConfig:
    """All routes; a negative `time_to_live_s` means without end."""

    routes: list[RouteSpec]
    time_to_live_s: int


def parse_config(desired: Mapping[str, Any]) -> RoutesConfig:
    """Read routes and time to live.

    Raises:
        RouteParseError: edgeHub would refuse the configuration.
    """
    minor = _minor_version(desired)
    routes = desired.get("routes")
    if not isinstance(routes, Mapping):
        raise RouteParseError("routes is missing; write an object of routes by name")
    specs = [parse_spec(name, value, minor) for name, value in routes.items() if not (minor == 0 and _is_blank(value))]
    return RoutesConfig(specs, _time_to_live(desired))


def parse_spec(name: str, value: Any, minor: int = 1) -> RouteSpec:
    """Read a route: its text, or from schema 1.1 on an object around it.

    Raises:
        RouteParseError: it is neither.
    """
    options = {"route": value} if isinstance(value, str) else value
    if not name.strip():
        raise RouteParseError("a route without a name")
    if not isinstance(options, Mapping) or (minor == 0 and options is value):
        also = " or an object with route, priority and timeToLiveSecs" if minor else "; objects need schemaVersion 1.1"
        raise RouteParseError(f"must be a string{also}", route=name)
    text = options.get("route")
    if not isinstance(text, str) or _is_blank(text):
        raise RouteParseError("the route's text is missing", route=name)
    return RouteSpec(name, text, _priority(name, options), _route_time_to_live(name, options))


def _minor_version(desired: Mapping[str, Any]) -> int:
    version = desired.get("schemaVersion")
    match = _VERSION.fullmatch(str(version))
    if match is None:
        raise RouteParseError(f"schemaVersion {version!r} is not supported; write 1.0, 1.1, 1.2 or 1.3")
    return int(match[1])


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _priority(name: str, options: Mapping[str, Any]) -> int:
    priority = options.get("priority", LOWEST_PRIORITY)
    if not _is_integer(priority) or priority not in _PRIORITIES:
        raise RouteParseError(f"priority {priority!r} is not an integer from 0, the highest, to 9", route=name)
    return int(priority)


def _route_time_to_live(name: str, options: Mapping[str, Any]) -> int | None:
    seconds = options.get("timeToLiveSecs", 0)
    if not _is_integer(seconds) or not 0 <= seconds < 1 << 32:
        raise RouteParseError(f"timeToLiveSecs {seconds!r} is not a number of seconds", route=name)
    return int(seconds) or None


def _time_to_live(desired: Mapping[str, Any]) -> int:
    store = desired.get("storeAndForwardConfiguration")
    if not isinstance(store, Mapping):
        raise RouteParseError('storeAndForwardConfiguration is missing; write {"timeToLiveSecs": 7200}')
    seconds = store.get("timeToLiveSecs", DEFAULT_TIME_TO_LIVE_S)
    if not _is_integer(seconds):
        raise RouteParseError(f"storeAndForwardConfiguration: timeToLiveSecs {seconds!r} is not a number of seconds")
    return int(seconds)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
