"""From a route's INTO to an endpoint, as edgeHub's `EndpointFactory.cs` reads it."""

from edge_simulator.routing.errors import RouteParseError
from edge_simulator.routing.model import UPSTREAM, Endpoint, ModuleInput
from edge_simulator.routing.syntax import FunctionSink, SystemSink


def endpoint(sink: SystemSink | FunctionSink) -> Endpoint:
    """Return the endpoint that a sink names.

    Raises:
        RouteParseError: there is no such endpoint.
    """
    if isinstance(sink, FunctionSink):
        return _brokered(sink)
    if sink.name.lower() != "$upstream":
        raise RouteParseError(f"no sink {sink.name}; $upstream is the only one with a $", sink.at)
    return UPSTREAM


def _brokered(sink: FunctionSink) -> ModuleInput:
    if sink.function.lower() != "brokeredendpoint":
        raise RouteParseError(f"no sink {sink.function}; a module's is BrokeredEndpoint(…)", sink.at)
    match sink.address.strip().removeprefix("/").removesuffix("/").split("/"):
        case [_, module, _, name] if module and name:
            return ModuleInput(module, name)
        case _:
            raise RouteParseError(f"{sink.address!r} is no address; write /modules/MODULE/inputs/INPUT", sink.at)
