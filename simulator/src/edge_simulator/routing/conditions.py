"""From a condition's syntax tree to a function of the message."""

from collections.abc import Callable

from edge_simulator.routing import functions, operators
from edge_simulator.routing.body import parse_path
from edge_simulator.routing.errors import RouteCompileError
from edge_simulator.routing.scope import Expression, Scope
from edge_simulator.routing.syntax import Binary, Call, Literal, Malformed, Node, Property, SystemName, Unary
from edge_simulator.routing.values import NULL, UNDEFINED, Type, Value

Condition = Callable[[Scope], bool | None]

_BODY = "$body."


def compile_condition(node: Node) -> Condition:
    """Return a function that tells whether a message fulfils the condition; None means undefined.

    Raises:
        RouteCompileError: types do not fit, a function is not there, or the text was malformed.
    """
    evaluate = _compile(node).evaluate

    def condition(scope: Scope) -> bool | None:
        value = evaluate(scope)
        if value is NULL:
            return False
        return value if isinstance(value, bool) else None

    return condition


def _compile(node: Node) -> Expression:
    match node:
        case Call():
            return functions.call(node.function, [_compile(argument) for argument in node.arguments], node.at)
        case Unary():
            return operators.unary(node.operator, _compile(node.operand), node.at)
        case Binary():
            return operators.binary(node.operator, _compile(node.left), _compile(node.right), node.at)
        case Malformed():
            raise RouteCompileError(node.reason, node.at)
        case _:
            return _compile_leaf(node)


def _compile_leaf(node: Literal | Property | SystemName) -> Expression:
    match node:
        case Literal(type, value):
            return Expression(type, lambda _: value)
        case Property(name):
            return Expression(Type.STRING, lambda scope: scope.property(name))
        case SystemName():
            return _system_name(node)


def _system_name(node: SystemName) -> Expression:
    inner = _body_or_system(node)
    if node.escaped or set("[]") & set(node.name):
        return inner

    def evaluate(scope: Scope) -> Value:
        value = scope.property(node.name)
        return inner.evaluate(scope) if value is UNDEFINED else value

    return Expression(inner.type, evaluate)


def _body_or_system(node: SystemName) -> Expression:
    if node.name.lower().startswith(_BODY):
        path = parse_path(node.name[len(_BODY) :], node.at)
        return Expression(Type.VALUE, lambda scope: scope.body(path))
    if set("[]") & set(node.name):
        return Expression(Type.UNDEFINED, lambda _: UNDEFINED)
    return Expression(Type.STRING, lambda scope: scope.system_property(node.name[1:]))
