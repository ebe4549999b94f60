"""Trying out routes: one JSON object in, one JSON object out."""

import json
from collections.abc import Mapping
from typing import Any, Final

from edge_simulator.routing.errors import RouteCompileError, RouteError, RouteParseError
from edge_simulator.routing.grammar import parse_route
from edge_simulator.routing.model import Message
from edge_simulator.routing.route import Route
from edge_simulator.routing.syntax import FunctionSink, RouteSyntax

_ENCODINGS: Final = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}


class RequestError(RouteParseError):
    """A line that is no request."""


def check_line(line: bytes) -> dict[str, Any]:
    """Answer one request, `{"route": text, "message": {"source", "properties", "systemProperties", "body"}}`.

    The answer says what the route consists of and, if a message is there, whether it `matches` (null: undefined), or
    gives an `error` with the `stage` that failed.
    """
    try:
        return _check(_request(line))
    except RouteError as error:
        return {"error": str(error), "stage": "compile" if isinstance(error, RouteCompileError) else "parse"}


def _check(request: Mapping[str, Any]) -> dict[str, Any]:
    syntax = parse_route(_text(request, "route"))
    route = Route.compile(syntax)
    message = request.get("message")
    matches = {} if message is None else {"matches": route.matches(_message(message))}
    return matches | {"source": syntax.source, "condition": syntax.condition_text, "sink": _sink(syntax)}


def _sink(syntax: RouteSyntax) -> dict[str, str]:
    if isinstance(syntax.sink, FunctionSink):
        return {"function": syntax.sink.function, "address": syntax.sink.address}
    return {"system": syntax.sink.name}


def _request(line: bytes) -> Mapping[str, Any]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the line is not JSON: {error}") from error
    return _object(request, "the line")


def _message(value: Any) -> Message:
    message = _object(value, "message")
    system = _properties(message, "systemProperties")
    body = _text(message, "body") if "body" in message else ""
    encoding = next((value for name, value in system.items() if name.lower() == "contentencoding"), "") or ""
    return Message(
        source=_text(message, "source"),
        properties=_properties(message, "properties"),
        system_properties=system,
        body=body.encode(_ENCODINGS.get(encoding.lower(), "utf-8"), errors="replace"),
    )


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RequestError(f"{what} must be a JSON object")
    return value


def _text(values: Mapping[str, Any], name: str) -> str:
    text = values.get(name)
    if not isinstance(text, str):
        raise RequestError(f"{name} must be a string")
    return text


def _properties(message: Mapping[str, Any], name: str) -> Mapping[str, str | None]:
    properties = _object(message.get(name) or {}, name)
    if not all(value is None or isinstance(value, str) for value in properties.values()):
        raise RequestError(f'{name} must hold strings only; a number is text to a route: "5"')
    return properties
