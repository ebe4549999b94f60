"""From a route's text to its syntax tree: edgeHub's `Route.g4`."""

from edge_simulator.routing.cursor import Cursor
from edge_simulator.routing.expressions import ExpressionParser
from edge_simulator.routing.sinks import endpoint
from edge_simulator.routing.syntax import FunctionSink, Node, RouteSyntax, SystemSink
from edge_simulator.routing.tokens import Kind


def parse_route(text: str) -> RouteSyntax:
    """Parse `[SELECT *] FROM path [WHERE condition] INTO sink`; text behind the sink is not looked at.

    Raises:
        RouteParseError: the text is no route, or its sink does not exist.
    """
    cursor = Cursor(text)
    if cursor.token.kind is Kind.SELECT:
        cursor.take()
        cursor.expect("*")
    cursor.expect(Kind.FROM)
    source = _path(cursor)
    condition, condition_text = _where(cursor)
    cursor.expect(Kind.INTO)
    sink = _sink(cursor)
    return RouteSyntax(source, condition, condition_text, sink, endpoint(sink))


def _path(cursor: Cursor) -> str:
    segments = [_segment(cursor)]
    while cursor.operator() == "/":
        segments.append(_segment(cursor))
    return "".join(segments)


def _segment(cursor: Cursor) -> str:
    cursor.expect("/")
    name = "*" if cursor.accept("*") else cursor.expect(Kind.NAME).text
    return "/" + name


def _where(cursor: Cursor) -> tuple[Node | None, str]:
    if cursor.token.kind is not Kind.WHERE:
        return None, "true"
    cursor.take()
    start = cursor.token.at
    condition = ExpressionParser(cursor).expression()
    return condition, cursor.text[start : cursor.previous.end]


def _sink(cursor: Cursor) -> SystemSink | FunctionSink:
    if cursor.token.kind is Kind.SYSTEM_NAME:
        name = cursor.take()
        return SystemSink(name.text, name.at)
    function = cursor.expect(Kind.NAME)
    cursor.expect("(")
    address = cursor.expect(Kind.STRING)
    cursor.expect(")")
    return FunctionSink(function.text, address.text[1:-1], function.at)
