"""Routes that edgeHub would refuse, or would silently not take up."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from edge_simulator.manifest.subject import Finding, Subject
from edge_simulator.routing import RouteCompileError, RouteError, RouteTable

_STORE: Final = {"timeToLiveSecs": 7200}
_CONSEQUENCES: Final = {True: "edgeHub keeps its old routes and only logs this", False: "edgeHub refuses all routes"}


def check(subject: Subject) -> Iterator[Finding]:
    """Find what is wrong with the configuration around the routes, and with each of them."""
    hub = dict(subject.hub)
    if subject.content.layered:
        hub = {"schemaVersion": "1.1", "storeAndForwardConfiguration": _STORE} | hub
    around = _error({**hub, "routes": {}})
    if around is not None:
        yield Finding(subject.content.place("$edgeHub"), around.reason, "mend it: edgeHub refuses all routes")
        hub |= {"schemaVersion": "1.1", "storeAndForwardConfiguration": _STORE}
    for name, route in subject.route_values.items():
        error = _error({**hub, "routes": {name: route}})
        if error is not None:
            error.route = None
            mend = f"mend it: {_CONSEQUENCES[isinstance(error, RouteCompileError)]}"
            yield Finding(subject.content.place("$edgeHub", "routes", name), str(error), mend)


def _error(desired: Mapping[str, Any]) -> RouteError | None:
    try:
        RouteTable.from_desired(desired)
    except RouteError as error:
        return error
    return None
